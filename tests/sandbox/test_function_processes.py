"""Processes of functions: each has its job's surroundings alone, tells how it ended, and can be ended."""

from __future__ import annotations

import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.services.functions import processes
from sandbox.services.functions.processes import Process, Runtime

SECONDS = 20.0


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime()


def job(folder: Path, code: str, **more: Any) -> dict[str, Any]:
    """A job whose function is *code*, with `event` and `context`, in an archive with *more* files."""
    archive = folder / "code.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("one.py", f"def handler(event, context):\n    {code}\n")
        for name, text in more.items():
            file.writestr(f"{name}.py", text)
    asked = {"handler": "one.handler", "function": "f", "timeout": 3, "events": [{}], "failing": []}
    return {**asked, "folder": str(folder), "variables": {"ONE": "1"}, "path": [str(archive)]}


def said(log: str) -> list[str]:
    return [line for line in log.splitlines() if not line.startswith(("START", "END"))]


def test_a_job_sees_its_variables_its_folder_and_nothing_of_the_process_that_asked(
    runtime: Runtime, tmp_path: Path
) -> None:
    code = "import os, sys; print(dict(os.environ), os.getcwd(), sys.stdin.read(), sys.argv[1:])"

    ended = runtime.start().communicate(job(tmp_path, code), SECONDS)
    assert (ended.status, said(ended.log)) == (0, [f"{{'ONE': '1'}} {tmp_path}  []"])


def test_what_one_job_leaves_behind_the_next_does_not_see(runtime: Runtime, tmp_path: Path) -> None:
    code = "import botocore; print(hasattr(botocore, 'left')); botocore.left = 1"

    for _ in range(2):
        assert said(runtime.start().communicate(job(tmp_path, code), SECONDS).log) == ["False"]


def test_a_library_of_the_archive_goes_before_the_one_of_the_runtime(
    runtime: Runtime, tmp_path: Path
) -> None:
    asked = job(tmp_path, "import boto3, botocore; print(boto3.OWN, botocore.__name__)", boto3="OWN = 'own'")

    assert said(runtime.start().communicate(asked, SECONDS).log) == ["own botocore"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise RuntimeError('no')", 1),
        ("raise SystemExit(0)", 1),
        ("import os; os._exit(0)", None),
        ("import os; os.kill(os.getpid(), 9)", None),
        ("print('\\0', end='')", 0),
        ("import os; os.write(1, bytes(1) + b'0'); os._exit(0)", None),
    ],
)
def test_how_it_ended_is_told(runtime: Runtime, tmp_path: Path, code: str, status: int | None) -> None:
    ended = runtime.start().communicate(job(tmp_path, code), SECONDS)
    assert (ended.status, ended.late) == (status, False)


def test_one_that_takes_too_long_is_killed_and_what_it_said_is_told(runtime: Runtime, tmp_path: Path) -> None:
    code = "print('begun', flush=True); import threading; threading.Event().wait()"

    ended = runtime.start().communicate(job(tmp_path, code), 0.5)
    assert (ended.status, ended.late, said(ended.log)) == (None, True, ["begun"])


def test_one_is_killed_before_it_has_its_job(runtime: Runtime, tmp_path: Path) -> None:
    process = runtime.start()
    process.kill()

    assert process.communicate(job(tmp_path, "pass"), SECONDS).status is None


def test_a_number_that_is_somebody_else_s_is_not_killed(runtime: Runtime, tmp_path: Path) -> None:
    runtime.kill(os.getpid())
    runtime.kill(0)

    assert runtime.start().communicate(job(tmp_path, "pass"), SECONDS).status == 0


def test_a_program_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    runtime = Runtime()
    assert runtime.start().communicate(job(tmp_path, "pass"), SECONDS).status == 0
    program = runtime._program
    assert program
    os.kill(program.pid, signal.SIGKILL)
    program.wait(SECONDS)

    assert runtime.start().communicate(job(tmp_path, "pass"), SECONDS).status == 0


def test_a_program_that_comes_to_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lambda_runtime.py").write_text("raise SystemExit")
    monkeypatch.setattr(processes, "STAND_INS", tmp_path)
    begun: list[Process] = []

    with pytest.raises(ChildProcessError, match="stderr says why"):
        begun.append(Runtime().start())
    assert not begun
