"""
Runs functions: each invocation in a process of its own, beside the sandbox, never under a lock of it.

The process sees the function's archive, this Python's boto3, a stand-in database driver (none where databases
are servers), this sandbox's endpoint, and nothing else of the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore

from sandbox.key import Key
from sandbox.services.functions import Function

_STAND_INS = Path(__file__).parent.parent / "stand_ins"
_LIBRARIES = Path(botocore.__file__).parent.parent
_END = 10.0
"""Seconds to wait for the thread of a process that was killed."""


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
    """How a job ended, and what it logged."""

    done: bool
    lines: Sequence[str] = field(repr=False)


Prepare = Callable[[], Job | None]
Tell = Callable[[Job, Outcome], None]


class Run:
    """One process under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants its outcome any more."""
        return self._cancelled

    def cancel(self) -> None:
        """End the process; its outcome is told to nobody. Does not wait."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def execute(self, job: Job, archive: Path, *, stand_ins: bool = True) -> Outcome:
        """Run *job* to its end; *stand_ins*: before its own libraries it finds ours."""
        function = job.function
        process = self._started(_environment(job, archive, stand_ins=stand_ins), archive.parent)
        if process is None:
            return Outcome(done=False, lines=())
        asked = {"handler": function.handler, "function": function.name, "timeout": function.timeout}
        asked |= {"events": list(job.events), "failing": list(job.failing)}
        late: list[str] = []
        try:
            output, _ = process.communicate(json.dumps(asked), timeout=function.timeout * len(job.events))
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            late = [f"Task timed out after {function.timeout:.2f} seconds"]
        return Outcome(process.returncode == 0, [*output.splitlines(), *late])

    def _started(self, variables: Mapping[str, str], folder: Path) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._cancelled:
                return None
            # -S: no .pth file of this environment is read, so what the archive lacks is missing here too,
            # but for the libraries that Lambda's runtime has. -P: nor is the runtime's own folder searched.
            self._process = subprocess.Popen(  # noqa: S603 - this Python, our own file
                [sys.executable, "-S", "-P", str(_STAND_INS / "lambda_runtime.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                cwd=folder,
                encoding="utf-8",
                errors="replace",
            )
            return self._process


def _environment(job: Job, archive: Path, *, stand_ins: bool) -> dict[str, str]:
    function = job.function
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    path = os.pathsep.join(str(each) for each in (*((_STAND_INS,) if stand_ins else ()), archive, _LIBRARIES))
    return {
        **inherited,
        **function.variables,
        **job.variables,
        **job.key.variables,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": job.endpoint,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_REGION": function.region,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "*",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": path,
    }


class Runs:
    """The functions that run at the moment, and the archives that they run from."""

    def __init__(self) -> None:
        self.stand_ins = True
        """Whether functions meet the driver's stand-in: they do, unless there are servers."""
        self._lock = threading.Lock()
        self._under_way: dict[Run, threading.Thread] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._closed = False

    def start(self, prepare: Prepare, tell: Tell) -> Run:
        """Run what *prepare* gives, if anything, and tell its outcome; both in a thread of their own."""
        run = Run()
        thread = threading.Thread(target=self._work, args=(run, prepare, tell), daemon=True)
        with self._lock:
            if self._closed:
                return run
            self._under_way[run] = thread
            thread.start()
        return run

    def wait(self) -> bool:
        """Wait until what runs now has ended; returns whether anything ran."""
        with self._lock:
            threads = list(self._under_way.values())
        for thread in threads:
            thread.join()
        return bool(threads)

    def stop(self) -> None:
        """End every process, and wait for the threads; others may be started after."""
        with self._lock:
            under_way = dict(self._under_way)
        for run in under_way:
            run.cancel()
        for thread in under_way.values():
            thread.join(_END)

    def close(self) -> None:
        """End every process; nothing is started any more."""
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
