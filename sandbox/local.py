"""The sandbox as one background process of a folder: start, stop, status. Knows nothing of what it serves."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SPEED = 60.0
"""Virtual seconds in a real one, unless asked otherwise: a minute of AWS takes a second."""
_PATIENCE = 30.0
"""Seconds that a start or a stop may take; both usually take one."""
_DESCRIPTION, _LOG, _LOCK = "sandbox.json", "sandbox.log", "sandbox.lock"


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens loopback addresses whatever proxy the environment names."""


class LocalError(Exception):
    """The background process cannot be started or stopped; the message says what to look at."""


@dataclass(frozen=True)
class Status:
    """Whether a sandbox answers, and where."""

    running: bool
    endpoint: str | None


@dataclass(frozen=True)
class _Process:
    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def start(folder: Path, *, speed: float = SPEED) -> str:
    """Return the endpoint of the folder's sandbox, started if there is none; raises LocalError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        running = _running(folder)
        if running is None:
            running = _spawn(folder, speed)
            (folder / _DESCRIPTION).write_text(json.dumps({"pid": running.pid, "port": running.port}))
        return running.endpoint


def stop(folder: Path) -> bool:
    """End the folder's sandbox and wait for it; returns False where there was none."""
    if not folder.is_dir():
        return False
    with _locked(folder):
        running = _running(folder)
        if running is not None:
            _end(running)
        (folder / _DESCRIPTION).unlink(missing_ok=True)
        return running is not None


def status(folder: Path) -> Status:
    """Say whether the folder's sandbox answers."""
    running = _running(folder)
    return Status(running is not None, running.endpoint if running else None)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running(folder: Path) -> _Process | None:
    """Return what the description names, if that very process answers; anything else is stale."""
    try:
        described = json.loads((folder / _DESCRIPTION).read_text())
        process = _Process(int(described["pid"]), int(described["port"]))
        url = f"{process.endpoint}/_sandbox/health"
        with _DIRECT.open(url, timeout=5) as answer:
            answering = json.loads(answer.read())["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process if answering == process.pid else None


def _spawn(folder: Path, speed: float) -> _Process:
    """Start the process; it writes its port into a pipe as soon as it listens."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - the function has no keywords
    log = str(folder / _LOG)
    command = [sys.executable, "-m", "sandbox", "--speed", str(speed), "--ready", str(writing)]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(sys.executable, command, dict(os.environ), file_actions=actions, setsid=True)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], _PATIENCE)
        said = os.read(reading, 16) if ready else b""
    finally:
        os.close(reading)
    if not said:
        raise LocalError(f"the sandbox did not start: see {log}")
    return _Process(pid, int(said))


def _end(process: _Process) -> None:
    """Ask the process to end; an open connection to it tells when it has."""
    with socket.create_connection(("127.0.0.1", process.port), timeout=_PATIENCE) as connection:
        os.kill(process.pid, signal.SIGTERM)
        try:
            connection.recv(1)
        except ConnectionError:
            return
        except TimeoutError as error:
            raise LocalError(f"the sandbox, process {process.pid}, did not end: end it yourself") from error
