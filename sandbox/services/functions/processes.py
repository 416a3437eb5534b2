"""
The processes that functions run in: one per job, forked from a program that has loaded Lambda's libraries.

Loading them takes a third of a second, most of the time of a job with a few calls.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import botocore

from sandbox.stand_ins.lambda_runtime import NUMBER

STAND_INS = Path(__file__).parent.parent.parent / "stand_ins"
INSTALLED = Path(botocore.__file__).parent.parent
"""The path of this Python's copy of the Lambda runtime's libraries."""

INHERITED = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
"""Variables that a function inherits, and may override: paths of programs, and language."""

ALONE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""Variables that hide this user's and machine's AWS settings and folders from a process."""

_END = 10.0
"""Seconds to wait for the output of a killed process."""


class Ended(NamedTuple):
    """How a process ended."""

    status: int | None
    """None: it was killed."""
    log: str
    late: bool
    """Whether it was killed at its time limit."""


class Process:
    """A process that waits for a job."""

    def __init__(self, runtime: Runtime, pid: int, connection: socket.socket) -> None:
        self._runtime, self._pid, self._connection = runtime, pid, connection

    def kill(self) -> None:
        """Kill it, unless it has ended; it gets no job any more. Does not wait."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self._runtime.kill(self._pid)

    def communicate(self, job: Mapping[str, Any], seconds: float) -> Ended:
        """Send it its *job*, see `lambda_runtime`, and wait for its end, or kill it after *seconds*."""
        said, late = bytearray(), False
        mark = secrets.token_hex(8)
        """Precedes the status; unknown to the function, so that its output cannot contain it."""
        until = time.monotonic() + seconds
        with self._connection, suppress(BrokenPipeError, ConnectionResetError):
            self._connection.sendall(json.dumps({**job, "ended": mark}).encode())
            self._connection.shutdown(socket.SHUT_WR)
            late = not self._read(said, until)
            if late:
                self.kill()
                self._read(said, time.monotonic() + _END)
        log, ended, status = bytes(said).rpartition(mark.encode())
        text = log if ended else status
        return Ended(int(status) if ended else None, text.decode(errors="replace"), late)

    def _read(self, said: bytearray, until: float) -> bool:
        """Read its output to the end; returns whether that came in time."""
        while (left := until - time.monotonic()) > 0:
            self._connection.settimeout(left)
            try:
                part = self._connection.recv(65536)
            except TimeoutError:
                return False
            if not part:
                return True
            said += part
        return False


class Runtime:
    """The program that processes are forked from: started on first use, it ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Start a process; raises ChildProcessError if the program fails."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            for asking in (self._asking, None):
                if pid := self._forked(asking or self._begun(), theirs.fileno()):
                    return Process(self, pid, ours)
        ours.close()
        raise ChildProcessError("the program that runs functions has ended as it started: stderr says why")

    def kill(self, pid: int) -> None:
        """Kill that process; an ended one is ignored, as its number may be reused."""
        with self._lock, suppress(OSError):
            if self._asking:
                self._asking.sendall(pid.to_bytes(NUMBER, "big"))

    def _begun(self) -> socket.socket:
        if self._asking:
            self._asking.close()
        self._asking, theirs = socket.socketpair()
        with theirs:
            # -S: no .pth file of this environment is read, so what the archive lacks is missing here too,
            # but for the libraries that Lambda's runtime has. -P: nor is the program's own folder searched.
            self._program = subprocess.Popen(  # noqa: S603 - this Python, our own file
                [sys.executable, "-S", "-P", "-X", "utf8", str(STAND_INS / "lambda_runtime.py")],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={**INHERITED, **ALONE, "PYTHONPATH": str(INSTALLED)},
                start_new_session=True,  # terminal input is for the sandbox, which ends this process
            )
        return self._asking

    @staticmethod
    def _forked(asking: socket.socket, job: int) -> int:
        """Return the id of the process that is forked for that descriptor; 0: the program has ended."""
        with suppress(OSError):
            socket.send_fds(asking, [bytes(NUMBER)], [job])
            return int.from_bytes(asking.recv(NUMBER), "big")
        return 0
