"""A terminal of any size: runs a command in it, and keeps what stands on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from tests.command import forked_commands

CONTROL = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]")


def forked(folder: Path, *arguments: str) -> list[str]:
    """Return a gatestack that starts at once, for streams that are open; it gets no signals."""
    program = folder / "gatestack"
    forked_commands().program(program)
    return [str(program), "--poll-interval", "0.02", *arguments]


class Screen:
    """The content of a terminal *width* columns wide, with the lines scrolled off at the top."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines = [""]
        self.wrapped: list[str] = []
        """Lines that were longer than the terminal."""
        self._row = self._column = 0

    def write(self, text: str) -> None:
        """Process *text* as a VT100 does."""
        for found in CONTROL.finditer(text):
            if found[2] is not None:
                self._control(found[1], found[2])
            elif found[0] == "\r":
                self._column = 0
            elif found[0] == "\n":
                self._down()
            else:
                self._put(found[0])

    def _down(self) -> None:
        self._row += 1
        self._column = 0  # the terminal's driver has converted it to CR LF
        if self._row == len(self.lines):
            self.lines.append("")

    def _put(self, character: str) -> None:
        if self._column == self.width:
            self.wrapped.append(self.lines[self._row])
            self._down()
        line = self.lines[self._row].ljust(self._column)
        self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
        self._column += 1

    def _control(self, number: str, what: str) -> None:
        if what == "A":
            self._row = max(0, self._row - int(number or 1))
        elif what == "K":
            line = self.lines[self._row]
            self.lines[self._row] = "" if number == "2" else line[: self._column]
        else:
            assert what in "mhl", f"{number}{what} steers nothing that is known here"


class Terminal:
    """A command with a terminal as stdin, stdout and stderr."""

    def __init__(self, command: list[str], folder: Path, variables: Mapping[str, str], width: int) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        self.screen = Screen(width)
        self.written = ""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_own_terminal,  # noqa: PLW1509 - nothing but this thread runs in the child
        )
        os.close(theirs)
        self._last_resort = threading.Timer(60, self._process.kill)
        self._last_resort.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._last_resort.cancel()
        os.close(self._ours)

    def until(self, there: Callable[[str], bool] = lambda _: False) -> None:
        """Read until *there* holds for the output, or to the end."""
        while not there(self.written):
            try:
                part = os.read(self._ours, 65536).decode(errors="replace")
            except OSError:  # how Linux reports that the other end is closed
                return
            self.written += part
            self.screen.write(part)

    def asleep(self) -> None:
        """Wait until the process sleeps, where Linux shows that: it then waits for input."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        while stat.exists() and stat.read_text().rpartition(") ")[2][0] != "S":
            os.sched_yield()

    def type(self, text: str) -> None:
        """Enter *text*; Ctrl-C is ``\x03``."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        self.until()
        return self._process.wait(timeout=60)


def _own_terminal() -> None:
    """Make this the process's controlling terminal, for Ctrl-C."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
