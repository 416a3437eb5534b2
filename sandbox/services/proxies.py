"""
The stand-in LiteLLM of a service's tasks, for the rotation function of the master key.

One per service, started when a function first connects to it. Its master key is the one that the tasks were
given when they last started, whatever the secret contains now.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import ProvisionError
from sandbox.services.dynamic_values import injected
from sandbox.services.functions.records import Function
from sandbox.services.reach import Reach
from sandbox.services.service_tasks import Place
from sandbox.stand_ins.lambda_runtime import STAND_IN
from sandbox.stand_ins.litellm import LiteLLM

_MASTER_KEY = "LITELLM_MASTER_KEY"


class Proxies:
    """The stand-ins of one account."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._lock = threading.Lock()
        self._keys: dict[Place, str] = {}
        self._running: dict[Place, LiteLLM] = {}

    def restarted(self, place: Place, definition: Mapping[str, Any]) -> None:
        """Note that the service's tasks start now: they read the master key of *definition*."""
        key = self._master_key(place.region, definition)
        if key is None:
            return
        with self._lock:
            self._keys[place] = key
            if place in self._running:
                self._running[place].restart(key)

    def variables(self, function: Function) -> dict[str, str]:
        """
        Return variables for the function's environment: the stand-in's port, if it uses one.

        Tasks have addresses of their own where they run; the stand-in listens for all of them.
        """
        given = function.variables
        if "PROXY_PORT" not in given:
            return {}
        place = Place(function.region, given.get("CLUSTER", ""), given.get("SERVICE", ""))
        with self._lock:
            if place not in self._keys:
                return {}
            if place not in self._running:
                self._running[place] = LiteLLM(self._keys[place])
                self._running[place].start()
            port = str(self._running[place].port)
            return {"PROXY_PORT": port, STAND_IN: port}

    def clear(self) -> None:
        """End every stand-in."""
        with self._lock:
            for proxy in self._running.values():
                proxy.stop()
            self._running.clear()
            self._keys.clear()

    def _master_key(self, region: str, definition: Mapping[str, Any]) -> str | None:
        for container in definition["containerDefinitions"]:
            for secret in container.get("secrets", []):
                if secret["name"] == _MASTER_KEY:
                    return self._value(region, secret["valueFrom"])
        return None

    def _value(self, region: str, value_from: str) -> str | None:
        """Return the injected value; without it, tasks would not start, and have no stand-in."""
        try:
            return injected(value_from, self._reach, region)
        except ProvisionError:
            return None
