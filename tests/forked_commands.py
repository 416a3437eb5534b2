"""
Runs commands, each in a process of its own that is forked from one which has loaded everything.

So a command takes a tenth of a second. It has no terminal and an environment of its own, and it reaches
loopback addresses only: what it tries beside them is refused, and noted.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from gatestack.cli import COMMANDS

ROOT = Path(__file__).parent.parent
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
    *sorted({module for module, _ in COMMANDS.values()}),
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 180.0
"""Seconds that a command may take before it counts as hanging."""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str
    strayed: tuple[str, ...]
    """Hosts beside loopback that it looked up or connected to, each once."""


class Commands:
    """
    A process that runs commands when it is asked to, one after the other.

    botocore looks once for the caches that are below HOME: a command that needs one wants that *home*.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.free = threading.Lock()
        """Held while a command runs."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked_commands"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, variables: Mapping[str, str], *arguments: str, stdin: str = "") -> Ran:
        """Run gatestack in *folder* with HOME, PATH and *variables*, and no other environment variable."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"folder": str(folder), "variables": dict(variables), "arguments": arguments, "stdin": stdin}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Ran(answer["code"], answer["out"], answer["err"], tuple(answer["strayed"]))

    def close(self) -> None:
        """End the process."""
        self._process.communicate("")


@contextmanager
def commands(home: Path) -> Iterator[Commands]:
    """Give a process that runs commands with that HOME, while the block lasts."""
    running = Commands(home)
    try:
        yield running
    finally:
        running.close()


def _serve() -> None:
    for name in LOADED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as kept:
            print(json.dumps(_answer(json.loads(line), Path(kept))), flush=True)  # noqa: T201 - the answer


def _answer(asked: Mapping[str, Any], kept: Path) -> dict[str, Any]:
    files = {name: kept / name for name in ("in", "out", "err", "strayed")}
    for path in files.values():
        path.touch()
    files["in"].write_text(asked["stdin"], encoding="utf-8", newline="")
    child = os.fork()
    if child == 0:
        _become(asked, files)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    read = {name: path.read_text(errors="replace") for name, path in files.items() if name != "in"}
    return {
        "code": code,
        "out": read["out"],
        "err": read["err"],
        "strayed": sorted(set(read["strayed"].split())),
    }


def _become(asked: Mapping[str, Any], files: Mapping[str, Path]) -> NoReturn:
    """Be the command; never returns."""
    os.setsid()
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    os.chdir(asked["folder"])
    kept = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}
    os.environ.clear()
    os.environ.update(kept | asked["variables"])
    for number, path in enumerate((files["in"], files["out"], files["err"])):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - it stays open
    strayed = os.open(files["strayed"], os.O_WRONLY | os.O_APPEND)
    sys.addaudithook(lambda event, details: _stay(event, details, strayed))
    sys.argv = ["gatestack", *asked["arguments"]]
    code: int = 70
    try:
        code = import_module("gatestack.__main__").run(list(asked["arguments"]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _stay(event: str, details: tuple[Any, ...], strayed: int) -> None:
    """Refuse and note what leaves this machine."""
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
    _serve()
