"""
Rotates LiteLLM's master key: the old one stays valid for seven days as a virtual key of an administrator's.

LiteLLM knows one master key, the one it started with. So the old key is registered while the running tasks
have it as their master key, and the new one with it; then the secret moves, then new tasks start. Any error
leaves the current key as it is. LITELLM_SALT_KEY, with which LiteLLM encrypts what is in its database, has
nothing to do with this.
"""

from __future__ import annotations

import os
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.functions import aws, proxy
from stacks.functions.errors import RotationError
from stacks.functions.proxy import Proxy, Send
from stacks.functions.rotation import Say, rotate
from stacks.functions.service import Service
from stacks.functions.versions import Value

FIELD = "LITELLM_MASTER_KEY"
PREFIX = "sk-"
ALPHABET = string.ascii_letters + string.digits
RANDOM_LENGTH = 45
"""48 characters with the prefix, as the first key has."""
USER = "gatestack-previous-master-key"
VALID = "7d"
ATTEMPTS = 10
PAUSE_SECONDS = 5.0
"""With an attempt of `proxy.SECONDS` that gets no answer: two and a half minutes, of Lambda's five."""


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Take one step, as Lambda; see `step`."""
    step(event, aws.client, os.environ)


def new_key() -> str:
    """Return a master key that nobody had before."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))


def step(
    event: Mapping[str, Any],
    client: Callable[[str], Any],
    environment: Mapping[str, str],
    *,
    send: Send = proxy.send,
    attempts: int = ATTEMPTS,
    pause: Callable[[float], None] = time.sleep,
    say: Say = aws.say,
) -> None:
    """
    Take the step that *event* names; *environment*: CLUSTER, SERVICE and PROXY_PORT. Raises RotationError.

    *pause* is given seconds to wait between *attempts* to reach a proxy that just starts.
    """
    subject = MasterKey(
        service=Service(client("ecs"), environment["CLUSTER"], environment["SERVICE"]),
        port=int(environment["PROXY_PORT"]),
        send=send,
        attempts=attempts,
        pause=pause,
    )
    rotate(event, client("secretsmanager"), subject, say)


@dataclass(frozen=True)
class MasterKey:
    """The subject of the rotation: a secret with LITELLM_MASTER_KEY."""

    service: Service
    port: int
    send: Send
    attempts: int
    pause: Callable[[float], None]

    def next_value(self, current: Value) -> Value:
        """Return the secret with a new key."""
        return current | {FIELD: new_key()}

    def put_in_place(self, current: Value, pending: Value, token: str) -> None:
        """
        Register the current key, which is about to be the previous one, and the new one.

        The new one is for the time between the move and the end of the roll: who reads the secret then meets
        tasks with the old key. To tasks with the new key it is their master key, whatever else it is: LiteLLM
        compares before it looks into its database (user_api_key_auth.py).
        """
        old, new = _key(current), _key(pending)

        def register(running: Proxy) -> None:
            running.add_admin(USER)
            running.keep_key(old, alias=f"previous-master-key-{token}", user=USER, duration=VALID)
            running.keep_key(new, alias=f"next-master-key-{token}", user=USER, duration=VALID)

        self._with_proxy(old, register)

    def check(self, current: Value, pending: Value) -> None:
        """Show that the previous key will go on working, and that the new one works already."""
        if pending == current:
            return
        old, new = _key(current), _key(pending)

        def look(running: Proxy) -> None:
            if not (running.knows(old) and running.knows(new)):
                raise RotationError("the proxy forgot the old or the new master key: start another rotation")

        self._with_proxy(old, look)

    def take_over(self, current: Value, pending: Value) -> None:
        """There is nothing left to do: tasks take the new key when they start."""
        _key(current), _key(pending)

    def roll(self) -> None:
        """Start new tasks, with the new key."""
        self.service.roll()

    def _with_proxy(self, key: str, act: Callable[[Proxy], None]) -> None:
        """
        Let *act* speak to a running task, each time to another one; where none is wanted, there is no proxy.

        Raises:
            UnavailableError: no task did it in all attempts.
            RotationError: whatever else *act* raises, at once.

        """
        failure = RotationError("no attempt was allowed")
        for attempt in range(self.attempts):
            if attempt:
                self.pause(PAUSE_SECONDS)
            if not self.service.wanted():
                return None
            addresses = self.service.addresses()
            if not addresses:
                failure = proxy.UnavailableError(
                    "no task of the service runs: look at why, then rotate again"
                )
                continue
            address = addresses[attempt % len(addresses)]
            try:
                return act(Proxy(address, self.port, key, self.send))
            except proxy.UnavailableError as error:
                failure = error
        raise failure


def _key(value: Value) -> str:
    """Return the key in *value*; raises RotationError where LiteLLM would not take it as a virtual key."""
    key = value.get(FIELD)
    if not isinstance(key, str) or not key.startswith(PREFIX) or len(key) < proxy.MINIMUM_KEY:
        raise RotationError(
            f"{FIELD} in the secret does not start with {PREFIX} or is shorter than {proxy.MINIMUM_KEY}"
            " characters: put a longer one in and run `gatestack rollout`, then rotate"
        )
    return key
