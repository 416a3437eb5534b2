"""The background process: started once, found again, ended."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from sandbox_account import client, hanging

from sandbox.local import Status, ask, start, status, stop


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    stop(tmp_path / "sandbox")


def test_it_starts_quickly_answers_and_ends(folder: Path) -> None:
    assert (status(folder), stop(folder)) == (Status(running=False), False)
    began = time.monotonic()
    started = start(folder, speed=60)
    assert time.monotonic() - began < 5
    assert status(folder) == started
    assert started.running
    assert "speed 60" in (folder / "sandbox.log").read_text()
    assert stop(folder) is True
    assert status(folder) == Status(running=False)


def test_two_starts_at_once_give_one_process(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: start(folder, speed=60), range(2))
    assert first == second


def test_a_stale_description_is_no_sandbox(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "sandbox.json").write_text(json.dumps({"pid": os.getpid(), "port": 1}))
    (folder / "sandbox.pid").write_text(str(os.getpid()))
    assert status(folder).running is False
    started = start(folder, speed=60)
    assert status(folder) == started


def test_a_function_that_runs_is_ended_with_the_process(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    running = start(folder, speed=60)
    assert running.endpoint
    assert running.key
    there = SimpleNamespace(endpoint=running.endpoint, key=running.key)
    client(there, "cloudformation").create_stack(
        StackName="app", TemplateBody=hanging(pipe), Capabilities=["CAPABILITY_IAM"]
    )
    ask(running.endpoint, running.key, "clock", {"advance": 600})

    with pipe.open("rb", buffering=0) as reading:
        assert reading.read(1) == b"x"
        stop(folder)
        ready, _, _ = select.select([reading], [], [], 10)
        assert (ready, reading.read(1)) == ([reading], b"")
