"""
Runs commands, each in a process of its own that is forked from one which has loaded everything.

So a command takes a tenth of a second. It has an environment of its own and no terminal but one that it is
given, and it reaches loopback addresses only: what it tries beside them is refused, and noted. A script gets
there by `Commands.program`, which stands on its PATH as `gatestack`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import botocore.loaders
import botocore.session
from botocore.loaders import JSONFileLoader
from botocore.retries.standard import ExponentialBackoff
from botocore.session import get_session

from deployer.aws import budget, endpoint
from deployer.aws.endpoint import SERVICES
from gatestack.cli import COMMANDS
from generator.cost import prices
from generator.render import render
from stacks.environment import load
from tests.botocore_handlers import register_once
from tests.places import ENVIRONMENTS, ROOT

LOADED = (
    "botocore.session",
    "botocore.retries.standard",
    "deployer.aws.account",
    "gatestack.__main__",
    "gatestack.account",
    "gatestack.costing",
    "generator.lint",
    "generator.render",
    "stacks.environment",
    *(f"gatestack.commands.{name}" for name in COMMANDS),
)
SOON = 0.02
"""Seconds after which a command repeats a request."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 180.0
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Process:
    """Special conditions of a command's process: descriptors are 0, 1 and 2."""

    closed: tuple[int, ...] = ()
    full: tuple[int, ...] = ()
    """A device without space."""
    unread: tuple[int, ...] = ()
    """A pipe whose reader has closed it."""
    without: tuple[str, ...] = ()
    """Variables that are not set, HOME and PATH included."""
    largest_file: int | None = None
    """Bytes; RLIMIT_FSIZE, which acts like a full disk."""
    descriptors: int | None = None
    """RLIMIT_NOFILE."""
    signal: tuple[int, int] | None = None
    """Its number, and the number of the connection at which it is sent, from 1 on."""
    ignored: tuple[int, ...] = ()
    """Ignored signals, as under nohup."""
    bound: bool = False
    """Whether read-only files are so for root as well."""


@dataclass(frozen=True)
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str
    strayed: tuple[str, ...]
    """Hosts other than loopback that it looked up or connected to, each once."""


class Commands:
    """
    A process that runs commands on request, one after the other.

    botocore looks once for the caches that are below HOME: a command that needs one wants that *home*.
    Everything is loaded at the start: files that a test adds later are read by commands only.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.free = threading.Lock()
        """Held while a command runs."""
        self._folder = tempfile.TemporaryDirectory()
        self._socket = f"{self._folder.name}/asked"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self._socket)
            listening.listen()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked_commands", str(listening.fileno())],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "HOME": str(home)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(listening.fileno(),),
                text=True,
            )
        assert self._process.stdout
        if not self._process.stdout.readline():
            raise ChildProcessError("what runs the commands has ended as it started: its stderr says why")

    def run(
        self,
        folder: Path,
        variables: Mapping[str, str],
        *arguments: str,
        stdin: str = "",
        terminal: str = "",
        process: Process | None = None,
    ) -> Ran:
        """
        Run gatestack in *folder* with HOME, PATH and *variables*, and no other environment variable.

        *stdin* is its text, or *terminal* the path of the one that it is.
        """
        assert self._process.stdin
        assert self._process.stdout
        asked = {"folder": str(folder), "variables": dict(variables), "arguments": arguments, "stdin": stdin}
        asked["terminal"] = terminal
        asked["process"] = asdict(process or Process())
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Ran(answer["code"], answer["out"], answer["err"], tuple(answer["strayed"]))

    def program(self, path: Path) -> None:
        """Write to *path* a program that is gatestack for scripts; it does not forward signals."""
        path.write_text(_PROGRAM.format(python=sys.executable, socket=self._socket))
        path.chmod(0o755)

    def close(self) -> None:
        """End the process."""
        self._process.communicate("")
        self._folder.cleanup()


@contextmanager
def commands(home: Path) -> Iterator[Commands]:
    """Give a process that runs commands with that HOME, while the block lasts."""
    running = Commands(home)
    try:
        yield running
    finally:
        running.close()


_PROGRAM = """#!{python} -IS
import json, os, socket, sys
asked = {{"folder": os.getcwd(), "variables": dict(os.environ), "arguments": sys.argv[1:], "process": {{}}}}
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect({socket!r})
    socket.send_fds(asking, [b"?"], [0, 1, 2])
    asking.sendall(json.dumps(asked).encode())
    asking.shutdown(socket.SHUT_WR)
    sys.exit(int(asking.recv(8) or 70))
"""
"""Passes its descriptors on, and ends with the command's code."""


def _serve(descriptor: int) -> None:
    for name in LOADED:
        import_module(name)
    _do_once()
    _hurry()
    gc.freeze()
    print("ready", flush=True)  # noqa: T201 - the answer
    with socket.socket(fileno=descriptor) as listening, selectors.DefaultSelector() as waiting:
        waiting.register(sys.stdin, selectors.EVENT_READ)
        waiting.register(listening, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is listening:
                    _hand_over(listening)
                elif line := sys.stdin.readline():
                    with tempfile.TemporaryDirectory() as kept:
                        print(json.dumps(_answer(json.loads(line), Path(kept))), flush=True)  # noqa: T201 - the answer
                else:
                    return


def _hand_over(listening: socket.socket) -> None:
    """Run the command of a program on a script's PATH, beside anything else that runs."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    asking = listening.accept()[0]
    with asking:
        _, descriptors, _, _ = socket.recv_fds(asking, 1, 3)
        text = b"".join(iter(lambda: asking.recv(65536), b""))
        asked = json.loads(text)
        _make_ready(asked)
        if os.fork() == 0:
            strayed = os.dup(descriptors[2])
            _become(asked, descriptors, strayed, lambda code: asking.sendall(str(code).encode()))
        for one in descriptors:
            os.close(one)


def _make_ready(asked: Mapping[str, Any]) -> None:
    """Load cfn-lint before the first command that needs it: it takes a second."""
    if "lint" in asked["arguments"]:
        from generator import lint  # noqa: PLC0415 - few test files run it

        lint._runner(lint.COMMON)


def _do_once() -> None:
    """
    Do the work of a process's first command: complete models, read botocore's JSON.

    Without a HOME, botocore looks for descriptions of services once for all commands.
    """
    render(load(ENVIRONMENTS / "local.yaml"))
    prices.load(prices.HOME)
    register_once()
    load_file = JSONFileLoader.load_file
    read = cache(lambda file: load_file(JSONFileLoader(), file))
    setattr(JSONFileLoader, "load_file", lambda _, file: read(file))  # noqa: B010 - mypy takes no assignment
    if not Path.home().exists():
        setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))  # noqa: B010 - as above
    session, keys = get_session(), {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service in SERVICES:
        session.create_client(service, "us-east-1", **keys)


def _hurry() -> None:
    """Shorten the pauses of commands; what they retry, and how often, is unchanged."""
    budget.FIRST_PAUSE, budget.LONGEST_PAUSE = SOON, 2 * SOON
    endpoint.SILENCE_SECONDS = 50 * SOON
    setattr(ExponentialBackoff, "delay_amount", lambda _, __: SOON)  # noqa: B010 - mypy takes no assignment


def _answer(asked: Mapping[str, Any], kept: Path) -> dict[str, Any]:
    files = {name: kept / name for name in ("in", "out", "err", "strayed")}
    for path in files.values():
        path.touch()
    files["in"].write_text(asked["stdin"], encoding="utf-8", newline="")
    _make_ready(asked)
    child = os.fork()
    if child == 0:
        strayed = os.open(files["strayed"], os.O_WRONLY | os.O_APPEND)
        streams = (asked["terminal"] or files["in"], files["out"], files["err"])
        _become(asked, streams, strayed, lambda _: None)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    read = {name: path.read_text(errors="replace") for name, path in files.items() if name != "in"}
    return {
        "code": code,
        "out": read["out"],
        "err": read["err"],
        "strayed": sorted(set(read["strayed"].split())),
    }


def _become(
    asked: Mapping[str, Any],
    streams: Sequence[str | Path | int],
    strayed: int,
    ended: Callable[[int], None],
) -> NoReturn:
    """Become the command, with *streams* as descriptors 0, 1 and 2; never returns, but reports its code."""
    how = Process(**asked["process"])
    os.setsid()
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    os.chdir(asked["folder"])
    kept = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}
    os.environ.clear()
    os.environ.update(kept | asked["variables"])
    for name in how.without:
        del os.environ[name]
    for number, stream in enumerate(streams):
        _open(number, stream, how)
    for number in how.ignored:
        signal.signal(number, signal.SIG_IGN)
    if how.bound:
        _give_up_capabilities()
    for kind, most in ((resource.RLIMIT_FSIZE, how.largest_file), (resource.RLIMIT_NOFILE, how.descriptors)):
        if most is not None:
            resource.setrlimit(kind, (most, most))
    _guard(strayed, how.signal)
    sys.argv = ["gatestack", *asked["arguments"]]
    code: int = 70
    try:
        command = import_module("gatestack.__main__")
        command._fill_descriptors()
        command._make_haste()
        code = command.run(list(asked["arguments"]))
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BaseException:
        os.write(strayed, traceback.format_exc().encode())
        raise
    finally:
        ended(code)
        os._exit(code)


def _open(number: int, stream: str | Path | int, how: Process) -> None:
    """Open descriptor *number* as Python does at its start."""
    name = ("stdin", "stdout", "stderr")[number]
    if number in how.closed:
        os.close(number)
        setattr(sys, name, None)
        return
    if number in how.unread:
        reading, opened = os.pipe()
        os.close(reading)
    elif isinstance(stream, int):
        opened = stream
    else:
        opened = os.open("/dev/full" if number in how.full else stream, os.O_RDWR | os.O_NOCTTY)
    os.dup2(opened, number)
    os.close(opened)
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    file = open(number, "w" if number else "r", encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115 - it stays open
    setattr(sys, name, file)


def _give_up_capabilities() -> None:
    """Make file modes apply to root as well (capset(2), version 3 of its header)."""
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


def _guard(strayed: int, coming: Sequence[int] | None) -> None:
    """Watch the connections: those to other machines are refused; a signal is sent at one of them."""
    number, left = (coming[0], [coming[1]]) if coming else (0, [0])

    def watch(event: str, details: tuple[Any, ...]) -> None:
        _stay(event, details, strayed)
        if event == "socket.connect" and isinstance(details[1], tuple):
            left[0] -= 1
            if number and left[0] == 0:
                os.kill(os.getpid(), number)

    sys.addaudithook(watch)


def _stay(event: str, details: tuple[Any, ...], strayed: int) -> None:
    """Refuse and record connections to other machines."""
    if event == "socket.connect" and isinstance(details[1], tuple):
        host = details[1][0]
    elif event == "socket.getaddrinfo":
        host = details[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if name not in LOOPBACK:
        os.write(strayed, f"{name}\n".encode())
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
