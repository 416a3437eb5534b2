"""One container of a task: its process, health check and log; one without a program counts as running."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.gateway import Program
from sandbox.gateway.tasks.logs import Stream
from sandbox.gateway.tasks.pace import Pace
from sandbox.gateway.tasks.processes import Process, Reaper
from sandbox.gateway.tasks.starts import Start, not_run

_CHECK = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
"""Defaults of the Amazon ECS API Reference, HealthCheck."""
_CALM = 5.0
"""Real seconds between two checks of a healthy container."""
STOP_SECONDS = 30
"""Between SIGTERM and SIGKILL (Amazon ECS API Reference, ContainerDefinition, stopTimeout on Fargate)."""
Json = Mapping[str, Any]


class Container:
    """A container, from its start to its end."""

    def __init__(self, definition: Json, program: Program | None, log: Stream) -> None:
        self.definition = definition
        self.name = str(definition["name"])
        self.essential = bool(definition.get("essential", True))
        self.program = program
        self.exit_code: int | None = None
        self.started = False
        self.health = "UNKNOWN"
        self._log = log
        self._process: Process | None = None
        self._check: _Check | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.exit_code is not None

    @property
    def note(self) -> str:
        """Return what it lacks here, in a sentence; empty: nothing."""
        return not_run(self.definition) if self.program is None else self.program.lacks

    @property
    def stop_seconds(self) -> int:
        """Its stop timeout, in seconds."""
        return int(self.definition.get("stopTimeout") or STOP_SECONDS)

    @property
    def cpu_seconds(self) -> float:
        """Seconds of CPU used so far."""
        return self._process.cpu_seconds() if self._process is not None else 0.0

    def start(
        self, prepare: Callable[[Json, Program], Start], folder: Path, pace: Pace, reaper: Reaper
    ) -> None:
        """Start its process, if it has a program; raises OSError, ProvisionError."""
        self.started = True
        self._log.put(self.note)
        if self.program is None:
            self.health = "HEALTHY"
            return
        how = prepare(self.definition, self.program)
        self._process = Process(how.command, how.variables, folder, self._log.put, reaper)
        if how.check:
            self._check = _Check(how, {**_CHECK, **self.definition["healthCheck"]}, folder, pace)

    def look(self) -> None:
        """Check its process, and its health."""
        if self._process is not None and self.exit_code is None:
            self.exit_code = self._process.exit_code()
        if self._check is not None and not self.ended:
            self.health = self._check.look()

    def flush(self) -> None:
        """Write its output to the log."""
        self._log.flush()

    def terminate(self) -> None:
        """Ask it to end; one without a process has ended."""
        if self._process is None:
            self.exit_code = self.exit_code if self.exit_code is not None or not self.started else 0
        else:
            self._process.terminate()

    def kill(self) -> None:
        """Kill it at once."""
        if self._process is not None:
            self._process.end()


class _Check:
    """
    The repeated health check of a container.

    Source: Amazon ECS API Reference, HealthCheck: failures within the start period do not count, unless a
    check has passed before. A healthy container becomes unhealthy no sooner, in real seconds, than on AWS: on
    a busy machine checks fail by being slow.
    """

    def __init__(self, how: Start, given: Json, folder: Path, pace: Pace) -> None:
        self._how, self._given, self._folder, self._pace = how, given, folder, pace
        self._health, self._failed = "UNKNOWN", 0
        self._patience = pace.patience(given["interval"] * given["retries"])
        self._grace = time.monotonic() + pace.patience(given["startPeriod"] or 0)
        self._next = self._failing_since = time.monotonic() + pace.pause(1)
        self._running: subprocess.Popen[bytes] | None = None

    def look(self) -> str:
        """Return the container's current health."""
        now = time.monotonic()
        if self._running is None and now >= self._next:
            self._begin(now)
        elif self._running is not None:
            code = self._running.poll()
            if code is None and now >= self._until:
                self._running.kill()
                code = self._running.wait()
            if code is not None:
                self._running = None
                self._took(well=code == 0, now=now)
                self._next = now + self._interval()
        return self._health

    def _begin(self, now: float) -> None:
        self._until = now + float(self._given["timeout"])
        try:
            self._running = subprocess.Popen(  # noqa: S603 - what the account's owner deploys
                self._how.check,
                cwd=self._folder,
                env=self._how.variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._took(well=False, now=now)
            self._next = now + self._interval()

    def _interval(self) -> float:
        """Return the pause: a check is a process, and a healthy task needs none twice a second."""
        seconds = float(self._given["interval"])
        calm = min(seconds, _CALM) if self._health == "HEALTHY" and not self._failed else 0.0
        return max(calm, self._pace.pause(seconds))

    def _took(self, *, well: bool, now: float) -> None:
        if well:
            self._health, self._failed = "HEALTHY", 0
        elif self._health == "HEALTHY" or now >= self._grace:
            self._failed += 1
            since = self._failing_since = now if self._failed == 1 else self._failing_since
            early = self._health == "HEALTHY" and now - since < self._patience
            if self._failed >= self._given["retries"] and not early:
                self._health = "UNHEALTHY"
