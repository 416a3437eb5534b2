"""The background process: started once, found again, ended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.local import Status, start, status, stop


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    stop(tmp_path / "sandbox")


def test_it_starts_quickly_answers_and_ends(folder: Path) -> None:
    assert (status(folder), stop(folder)) == (Status(running=False, endpoint=None), False)
    began = time.monotonic()
    endpoint = start(folder, speed=60)
    assert time.monotonic() - began < 5
    assert status(folder) == Status(running=True, endpoint=endpoint)
    assert "speed 60" in (folder / "sandbox.log").read_text()
    assert stop(folder) is True
    assert status(folder) == Status(running=False, endpoint=None)


def test_two_starts_at_once_give_one_process(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: start(folder, speed=60), range(2))
    assert first == second


def test_a_stale_description_is_no_sandbox(folder: Path) -> None:
    folder.mkdir()
    (folder / "sandbox.json").write_text(json.dumps({"pid": os.getpid(), "port": 1}))
    assert status(folder).running is False
    endpoint = start(folder, speed=60)
    assert status(folder) == Status(running=True, endpoint=endpoint)
