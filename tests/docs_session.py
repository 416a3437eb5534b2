"""
Runs commands as they stand in the pages: many of gatestack's in one process, make's as a user calls them.

`python -m tests.docs_session` is that process: a line of JSON in for each command, a line out.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from types import TracebackType
from typing import IO

from tests.command import ROOT, Done

LONGEST_SECONDS = 300
"""A command that takes longer hangs."""


@dataclass
class Session:
    """A user's shell: a folder, an environment, and gatestack ready to be called."""

    folder: Path
    variables: Mapping[str, str]
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    def __enter__(self) -> Session:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs_session"],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def run(self, text: str, stdin: str = "") -> Done:
        """Run *text*, a command of ours, and return what it came to."""
        program, *arguments = shlex.split(text)
        done = self._make(arguments) if program == "make" else self._gatestack(arguments, stdin)
        assert "Traceback" not in done.err, done.err
        assert "unexpected" not in done.err, done.err
        return done

    def _gatestack(self, arguments: list[str], stdin: str) -> Done:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        late = Timer(LONGEST_SECONDS, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps([arguments, stdin]) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        finally:
            late.cancel()
        assert answer, f"gatestack {' '.join(arguments)} ended the process"
        return Done(*json.loads(answer))

    def _make(self, arguments: list[str]) -> Done:
        done = subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return inherited | {"HOME": str(self.folder), "PYTHONPATH": str(ROOT)} | dict(self.variables)


def _serve() -> None:
    """Run command after command; what one has imported, the next one finds."""
    from gatestack.__main__ import run  # noqa: PLC0415 - this process only

    answers, commands = sys.stdout, sys.stdin
    for line in commands:
        arguments, text = json.loads(line)
        sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:  # programs that it calls write there too
            with redirect_stdout(out), redirect_stderr(err):
                code = run(arguments)
            print(json.dumps([code, _written(out), _written(err)]), file=answers, flush=True)


def _written(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    _serve()
