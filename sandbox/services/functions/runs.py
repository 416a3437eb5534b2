"""
Runs functions: each invocation in a process of its own, outside of the sandbox's locks.

The process sees the function's archive, this Python's boto3, a stand-in database driver (none with database
servers), this sandbox's endpoint, and nothing else of the machine.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.key import Key
from sandbox.services.functions.processes import ALONE, INHERITED, INSTALLED, STAND_INS, Process, Runtime
from sandbox.services.functions.records import Function

_RUNTIME = Runtime()
"""Independent of accounts: all sandboxes in this process share it."""
_END = 10.0
"""Seconds to wait for the thread of a killed process."""


@dataclass(frozen=True)
class Job:
    """Events for one function, in order; `variables` go over the function's own."""

    function: Function
    events: Sequence[Mapping[str, Any]]
    endpoint: str
    key: Key
    failing: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Outcome:
    """How a job ended, and its log."""

    done: bool
    lines: Sequence[str] = field(repr=False)


Prepare = Callable[[], Job | None]
Tell = Callable[[Job, Outcome], None]


class Run:
    """One running process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether its outcome is no longer wanted."""
        return self._cancelled

    def cancel(self) -> None:
        """Kill the process; its outcome is not reported. Does not wait."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def execute(self, job: Job, archive: Path, *, stand_ins: bool = True) -> Outcome:
        """Run *job* to its end; *stand_ins*: ours precede its own libraries."""
        function = job.function
        with self._lock:
            if self._cancelled:
                return Outcome(done=False, lines=())
            process = self._process = _RUNTIME.start()
        asked = {"handler": function.handler, "function": function.name, "timeout": function.timeout}
        asked |= {"events": list(job.events), "failing": list(job.failing), "folder": str(archive.parent)}
        path = [str(each) for each in (*((STAND_INS,) if stand_ins else ()), archive)]
        asked |= {"variables": _variables(job, path), "path": path}
        ended = process.communicate(asked, function.timeout * len(job.events))
        late = [f"Task timed out after {function.timeout:.2f} seconds"] if ended.late else []
        return Outcome(ended.status == 0, [*ended.log.splitlines(), *late])


def _variables(job: Job, path: Sequence[str]) -> dict[str, str]:
    function = job.function
    return {
        **INHERITED,
        **function.variables,
        **job.variables,
        **job.key.variables,
        **ALONE,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ENDPOINT_URL": job.endpoint,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_REGION": function.region,
        "NO_PROXY": "*",
        "PYTHONPATH": os.pathsep.join((*path, str(INSTALLED))),
    }


class Runs:
    """The running functions, and their archives."""

    def __init__(self) -> None:
        self.stand_ins = True
        """Whether functions use the driver's stand-in: yes, unless there are servers."""
        self._lock = threading.Lock()
        self._under_way: dict[Run, threading.Thread] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._closed = False

    def start(self, prepare: Prepare, tell: Tell) -> Run:
        """Run the job of *prepare*, if any, and report its outcome; both in a thread of their own."""
        run = Run()
        thread = threading.Thread(target=self._work, args=(run, prepare, tell), daemon=True)
        with self._lock:
            if self._closed:
                return run
            self._under_way[run] = thread
            thread.start()
        return run

    def wait(self) -> bool:
        """Wait until everything running now has ended; returns whether anything ran."""
        with self._lock:
            threads = list(self._under_way.values())
        for thread in threads:
            thread.join()
        return bool(threads)

    def stop(self) -> None:
        """Kill every process, and wait for the threads; others may be started afterwards."""
        with self._lock:
            under_way = dict(self._under_way)
        for run in under_way:
            run.cancel()
        for thread in under_way.values():
            thread.join(_END)

    def close(self) -> None:
        """Kill every process; nothing is started any more."""
        with self._lock:
            self._closed = True
        self.stop()
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _work(self, run: Run, prepare: Prepare, tell: Tell) -> None:
        try:
            job = prepare()
            if job is None or run.cancelled:
                return
            outcome = run.execute(job, self._archive(job.function), stand_ins=self.stand_ins)
            if not run.cancelled:
                tell(job, outcome)
        finally:
            with self._lock:
                self._under_way.pop(run, None)

    def _archive(self, function: Function) -> Path:
        with self._lock:
            self._folder = self._folder or TemporaryDirectory(prefix="sandbox-functions-")
            file = Path(self._folder.name) / f"{sha256(function.code).hexdigest()[:16]}.zip"
            with suppress(FileExistsError), file.open("xb") as made:
                made.write(function.code)
            return file
