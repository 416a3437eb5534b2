"""Processes of tasks: how they start from a definition, and that none is left when the sandbox is gone."""

from __future__ import annotations

import queue
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.gateway import Gateway, Program
from sandbox.gateway.tasks import addresses, pace
from sandbox.gateway.tasks.processes import Process, Reaper
from sandbox.gateway.tasks.starts import Place, program_of, start
from sandbox.key import Key
from sandbox.services.services import Services

PROGRAM = Program(
    ("/opt/bin/proxy",),
    own="docker/start.sh",
    host="--host",
    without=("DATABASE_",),
    options={"--num_workers": "1"},
    variables={"OFFLINE": "1"},
)
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/dev-litellm"
TMP = "/tmp"  # noqa: S108 - the container's
WAITS = "import subprocess, sys, time; print('up', flush=True); time.sleep(600)"


def place(folder: Path) -> Place:
    return Place("us-east-1", "127.9.9.9", folder, "http://127.0.0.1:9", Key("AKIA", "secret", "token"))


def test_a_container_starts_as_its_definition_says_with_what_holds_here(tmp_path: Path) -> None:
    container: dict[str, Any] = {
        "name": "proxy",
        "image": "ghcr.io/x/y:1",
        "command": ["--port", "4000", "--num_workers", "8", "--data", "/data/x"],
        "environment": [
            {"name": "DATABASE_HOST", "value": "db"},
            {"name": "HOME", "value": f"{TMP}/own"},
            {"name": "PLAIN", "value": f"{TMP}file"},
        ],
        "mountPoints": [{"containerPath": "/data", "sourceVolume": "data"}],
        "portMappings": [{"containerPort": 4000}],
        "healthCheck": {"command": ["CMD-SHELL", "curl http://localhost:4000/ http://127.0.0.1:40001/"]},
    }

    how = start(container, PROGRAM, place(tmp_path), Services())

    own = ["--port", "4000", "--num_workers", "1", "--data", f"{tmp_path}/data/x", "--host", "127.9.9.9"]
    assert how.command == ["/opt/bin/proxy", *own]
    assert how.check == ["/bin/sh", "-c", "curl http://127.9.9.9:4000/ http://127.0.0.1:40001/"]
    told = {name: how.variables.get(name) for name in ("DATABASE_HOST", "HOME", "PLAIN", "OFFLINE")}
    assert told == {
        "DATABASE_HOST": None,
        "HOME": f"{tmp_path}{TMP}/own",
        "PLAIN": f"{TMP}file",
        "OFFLINE": "1",
    }
    assert how.variables["AWS_SESSION_TOKEN"] == "token"
    assert (tmp_path / "data").is_dir()


@pytest.mark.parametrize(
    ("image", "entry", "known"),
    [
        ("ghcr.io/x/y", None, True),
        ("ghcr.io/x/y:v1@sha256:" + "0" * 64, None, True),
        ("ghcr.io/x/y:v1", ["/usr/local/bin/proxy"], True),
        ("ghcr.io/x/y:v1", ["python"], False),
        ("ghcr.io/x/y:v1", ["docker/start.sh"], True),
        ("ghcr.io/x/y:v1", ["/bin/sh", "-c", 'date && exec "$@"', "sh", "docker/start.sh"], True),
        ("ghcr.io/x/y:v1", ["/bin/sh", "-c", 'date && exec "$@"', "sh", "python", "x.py"], False),
        ("ghcr.io/x/y:v1", ["/bin/sh", "-c", "something else"], False),
        ("ghcr.io/x/y-database:v1", None, False),
        (f"{ECR}:v1", None, True),
        (f"{ECR.replace('dev', 'prod')}:v1", None, False),
    ],
)
def test_a_program_is_known_by_the_exact_repository(
    image: str, entry: list[str] | None, *, known: bool
) -> None:
    container = {"image": image, **({"entryPoint": entry} if entry else {})}

    found = program_of(container, {"ghcr.io/x/y": PROGRAM}, {"dev-litellm": "ghcr.io/x/y"})

    assert found is (PROGRAM if known else None)


def test_programs_are_told_by_a_file(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "new", {"x": PROGRAM}, (tmp_path,))
    gateway.write()

    assert Gateway.read(tmp_path / "new") == gateway


def test_what_runs_is_killed_when_the_sandbox_is_gone(tmp_path: Path) -> None:
    reaper, printed = Reaper(), queue.Queue[str]()
    process = Process([sys.executable, "-c", WAITS], {}, tmp_path, printed.put, reaper)
    assert printed.get(timeout=30) == "up"
    assert process.exit_code() is None

    reaper.close()  # its input ends, as it does with the sandbox

    process._process.wait(30)
    assert process.exit_code() == 137


def test_each_task_has_an_address_that_nobody_else_listens_at() -> None:
    own = addresses.Addresses()
    first, second = own.take([]), own.take([])

    assert first != second
    own.give_back(first)
    assert {own.take([]) for _ in range(253)} >= {first}
    with pytest.raises(OSError, match="no address is left"):
        own.take([])


def test_a_process_has_the_time_that_it_needs_however_fast_the_clock_is() -> None:
    fast, slow = pace.Pace(lambda: 600.0), pace.Pace(lambda: 1.0)

    assert (fast.pause(30), slow.pause(30), fast.pause(0.1)) == (0.25, 30, 0.1)
    assert (fast.patience(600), slow.patience(600), fast.patience(0)) == (pace.PATIENCE, 600, 0)
