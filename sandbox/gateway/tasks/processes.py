"""Local processes that end with the sandbox, and their output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.gateway.tasks import reaper

_GONE_SECONDS = 5.0
"""Time limit in real seconds until a killed process has ended."""
_SIGNALLED = 128
"""Exit code of a container ended by a signal, plus the signal's number."""


class Reaper:
    """The process that kills the others when this one has ended; started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def began(self, group: int) -> None:
        """Register a process group, to be killed with the sandbox."""
        self._tell(f"+{group}\n")

    def ended(self, group: int) -> None:
        """Deregister the process group: its number may be reused soon."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Kill everything that is left."""
        with self._lock:
            if self._process is not None:
                self._process.communicate()
            self._process = None

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, our own file
                    [sys.executable, "-S", "-E", str(Path(reaper.__file__))],
                    stdin=subprocess.PIPE,
                    start_new_session=True,
                    text=True,
                )
            if self._process.stdin is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()


class Process:
    """A running process, in a group of its own."""

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        folder: Path,
        printed: Callable[[str], None],
        reaper_: Reaper,
    ) -> None:
        """Start it; *printed* gets each line of output. Raises OSError."""
        self._reaper = reaper_
        self._process = subprocess.Popen(  # noqa: S603 - what the account's owner deploys
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        reaper_.began(self._process.pid)
        self._code: int | None = None
        self._reader = threading.Thread(target=self._read, args=(printed,), daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        """Return the exit code in a container's form; None while it runs."""
        if self._code is None and (code := self._process.poll()) is not None:
            self.kill()  # its child processes
            self._reader.join(1)
            self._reaper.ended(self._process.pid)
            self._code = code if code >= 0 else _SIGNALLED - code
        return self._code

    def cpu_seconds(self) -> float:
        """Return the seconds of CPU of it and its children; 0.0 if the system does not tell."""
        return _cpu_seconds(self._process.pid)

    def terminate(self) -> None:
        """Send SIGTERM, only to the process, as to a container's first one."""
        with suppress(OSError):
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL to the group."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Send SIGKILL to the group, and wait for its end."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GONE_SECONDS)
        self.exit_code()

    def _read(self, printed: Callable[[str], None]) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                printed(line.rstrip("\n"))


def _cpu_seconds(process: int) -> float:
    """Linux, proc(5): utime and stime in clock ticks are the 14th and 15th field of /proc/PID/stat."""
    folder = Path(f"/proc/{process}")
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = (folder / f"task/{process}/children").read_text().split()
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_cpu_seconds(int(each)) for each in children)
