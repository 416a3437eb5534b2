"""Starts, stops and describes the sandbox as a background process of a state folder."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import state
from sandbox.clock import SPEED
from sandbox.key import PROOF, SIGNATURE, Key
from sandbox.state import Description, LocalError

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

__all__ = [
    "SPEED",
    "WITHOUT_GATEWAY",
    "LocalError",
    "OtherVersion",
    "Status",
    "ask",
    "endpoint_of",
    "start",
    "status",
    "stop",
    "version",
]

_PATIENCE = 15.0
"""Most seconds of a start or a stop; both usually take one."""
_ANSWER_SECONDS = 3.0
"""Time limit for the sandbox's response to a status request; it usually takes a few ms."""
_LOG = "sandbox.log"

WITHOUT_GATEWAY = (
    "the sandbox runs without its gateway: `gatestack local start --gateway --replace` starts it anew, and "
    "what is in it is lost"
)


@dataclass(frozen=True)
class Status:
    """Whether a sandbox is running, its address, and its key."""

    running: bool
    endpoint: str | None = None
    key: Key | None = None
    gateway: bool = False
    """Whether it runs tasks."""


class OtherVersion(LocalError):  # noqa: N818 - named after what was found
    """A sandbox of another version of gatestack is running; the message has the remedy."""


def start(
    folder: Path, *, speed: float = SPEED, replacing: bool = False, gateway: Path | None = None
) -> Status:
    """
    Return the folder's sandbox, started if there is none: with a *gateway*'s folder it runs tasks.

    Raises:
        OtherVersion: one of another version is running; with *replacing* it is stopped first, as is one that
            does not run tasks.
        LocalError: there is one, and it cannot be used, or does not run tasks though that is asked for; or
            none can be started.

    """
    state.made(folder)
    with state.locked(folder, _PATIENCE):
        try:
            there = _look(folder)
        except OtherVersion:
            if not replacing:
                raise
            there = _ended(folder)
        if there.running and gateway is not None and not there.gateway:
            if not replacing:
                raise LocalError(WITHOUT_GATEWAY)
            there = _ended(folder)
        return there if there.running else _spawn(folder, speed, gateway)


def stop(folder: Path) -> bool:
    """Stop the folder's sandbox, also an unresponsive one; False if there was none. Raises LocalError."""
    if not state.is_there(folder):
        return False
    with state.locked(folder, _PATIENCE):
        process = state.holder(folder)
        if process is not None:
            _end(folder, process)
        state.forget(folder)
        return process is not None


def status(folder: Path) -> Status:
    """
    Return the folder's sandbox.

    Raises:
        LocalError: there is one, and it cannot be used; or the folder may belong to another user.

    """
    return _look(folder) if state.is_there(folder) else Status(running=False)


def endpoint_of(folder: Path) -> str | None:
    """Return the address of the folder's sandbox at its start, without a request to it; raises LocalError."""
    found = state.described(folder) if state.is_there(folder) else None
    return _endpoint(found.port) if found else None


def ask(
    endpoint: str, key: Key, page: str, given: Any = None, *, method: str = "", seconds: float = 60
) -> Any:
    """
    Return the answer of a control page, one of `sandbox.rehearsal.pages`; *given* is posted.

    Raises:
        ValueError: the page refuses *given*.
        OSError: there is no response, or one without knowledge of the key.

    """
    from urllib.error import HTTPError  # noqa: PLC0415 - slow to load, as what follows
    from urllib.request import Request  # noqa: PLC0415 - not needed without a running sandbox

    path, body = f"/_sandbox/{page}", b"" if given is None else json.dumps(given).encode()
    method = method or ("GET" if given is None else "POST")
    signed = key.sign(method, path, body)
    headers = {SIGNATURE: signed, "Content-Type": "application/json"}
    request = Request(f"{endpoint}{path}", body or None, headers, method=method)  # noqa: S310 - loopback
    try:
        with _direct().open(request, timeout=seconds) as answer:
            content, proof = answer.read(), answer.headers.get(PROOF, "")
    except HTTPError as error:
        raise ValueError(f"{page}: {error.read(2_000).decode(errors='replace')}") from error
    if not key.proves(proof, signed, content):
        raise OSError(f"what answers at {endpoint} is not this sandbox")
    return json.loads(content)


@cache
def _direct() -> OpenerDirector:
    """Return an opener for loopback addresses that ignores proxies of the environment."""
    from urllib.request import ProxyHandler, build_opener  # noqa: PLC0415 - as above

    return build_opener(ProxyHandler({}))


def _look(folder: Path) -> Status:
    process = state.holder(folder)
    if process is None:
        return Status(running=False)
    found = state.described(folder)
    end = "`gatestack local stop` ends it, and what is in it is lost"
    if found is None:
        raise LocalError(f"the sandbox of {folder}, process {process}, has no description any more: {end}")
    if found.version != version():
        raise OtherVersion(
            f"the sandbox of {folder}, process {process}, is of version {found.version}, and this is "
            f"{version()}: `gatestack local start` replaces it, and what is in it is lost"
        )
    key = Key(found.access_key_id, found.secret_access_key)
    endpoint = _endpoint(found.port)
    try:
        health = ask(endpoint, key, "health", seconds=_ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise LocalError(
            f"the sandbox of {folder}, process {process}, does not answer: if it was stopped, "
            f"`kill -CONT {process}` lets it go on; {end}"
        ) from error
    return Status(running=True, endpoint=endpoint, key=key, gateway=bool(health.get("gateway")))


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def version() -> str:
    """Return the version of this gatestack."""
    from importlib import metadata  # noqa: PLC0415 - slow to load

    try:
        return metadata.version("gatestack")
    except metadata.PackageNotFoundError:
        return "unknown"


def _spawn(folder: Path, speed: float, gateway: Path | None) -> Status:
    """Start the process; it writes its port and its key to a pipe once it listens."""
    held = state.hold(folder)
    if held is None:
        raise LocalError(f"the sandbox of {folder} is just being started: try again")
    reading, writing = os.pipe()
    log = str(folder / _LOG)
    command = [sys.executable, "-m", "sandbox", "--speed", str(speed)]
    command += ["--gateway", str(gateway)] if gateway else []
    for name, number in (("--ready", writing), ("--held", held)):
        os.set_inheritable(number, True)  # noqa: FBT003 - the function has no keywords
        command += [name, str(number)]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    process = os.posix_spawn(sys.executable, command, _environment(), file_actions=actions, setsid=True)
    os.close(writing)
    os.close(held)
    try:
        ready, _, _ = select.select([reading], [], [], _PATIENCE)
        said = os.read(reading, 4096) if ready else b""
    finally:
        os.close(reading)
    if not said:
        os.kill(process, signal.SIGKILL)
        raise LocalError(f"the sandbox did not start: see {log}")
    port, *login = said.decode().split()
    state.describe(folder, Description(version(), int(port), *login))
    runs_tasks = gateway is not None
    return Status(running=True, endpoint=_endpoint(int(port)), key=Key(*login), gateway=runs_tasks)


def _environment() -> dict[str, str]:
    """Return this process's environment without its AWS login and settings: the sandbox uses none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _ended(folder: Path) -> Status:
    process = state.holder(folder)
    if process is not None:
        _end(folder, process)
    return Status(running=False)


def _end(folder: Path, process: int) -> None:
    """Ask the process to end, and ensure that it does."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process and state.holder(folder) == process:
            os.kill(process, number)
            os.kill(process, signal.SIGCONT)  # a suspended process is asked as well
        if state.within(_PATIENCE, lambda: state.holder(folder) is None):
            return
    raise LocalError(f"the sandbox of {folder}, process {process}, did not end: end it yourself")
