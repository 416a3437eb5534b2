"""The background process: started once, found again, ended; and its folder, which is nobody else's."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.local import LocalError, Status, ask, start, status, stop
from tests.sandbox.sandbox_account import client, hanging


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


# the folder


def test_the_folder_and_its_description_are_the_users_alone(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)
    old = os.umask(0)
    try:
        started = start(folder)
    finally:
        os.umask(old)

    assert started.key
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    names = ("sandbox.json", "sandbox.lock", "sandbox.log", "sandbox.pid")
    assert modes == dict.fromkeys(names, "0o600")
    pid = int((folder / "sandbox.pid").read_text())
    seen = (folder / "sandbox.log").read_text() + Path(f"/proc/{pid}/cmdline").read_text()
    assert started.key.secret_access_key not in seen + Path(f"/proc/{pid}/environ").read_text()


def test_every_start_makes_another_key(folder: Path) -> None:
    first = start(folder)
    stop(folder)

    assert start(folder).key != first.key


def linked(folder: Path) -> None:
    folder.with_name("elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.with_name("elsewhere"))


def open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def of_the_group(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o770)


def a_file(folder: Path) -> None:
    folder.write_text("")


def of_somebody_else(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    try:
        os.chown(folder, 65_534, -1)
    except PermissionError:  # nobody but root can give a folder away, and nobody else is shown it here
        folder.chmod(0o777)


@pytest.mark.parametrize("made", [linked, open_to_all, of_the_group, a_file, of_somebody_else])
def test_a_folder_that_somebody_else_may_have_made_is_refused(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    folder = tmp_path / "sandbox"
    made(folder)

    for use in (start, status, stop):
        with pytest.raises(LocalError, match=r"link|belongs to another user|others may write"):
            use(folder)
    assert not (folder / "sandbox.json").exists()


def test_a_folder_is_used_once_it_is_closed_as_the_message_says(folder: Path) -> None:
    open_to_all(folder)
    with pytest.raises(LocalError, match="chmod 700") as caught:
        start(folder)
    command = str(caught.value).split("`")[1].split()

    subprocess.run(command, check=True)

    assert start(folder).running


def readable(description: Path) -> None:
    description.chmod(0o644)


def replaced_by_a_link(description: Path) -> None:
    description.rename(description.with_name("other"))
    description.symlink_to("other")


def replaced_by_a_pipe(description: Path) -> None:
    description.unlink()
    os.mkfifo(description, 0o600)


@pytest.mark.parametrize("planted", [readable, replaced_by_a_link, replaced_by_a_pipe])
def test_a_description_that_somebody_else_may_have_written_is_not_read(
    folder: Path, planted: Callable[[Path], None]
) -> None:
    start(folder)
    planted(folder / "sandbox.json")

    with pytest.raises(LocalError, match=r"sandbox\.json is not a file that only you can read"):
        status(folder)


# one that cannot be used


def pid_of(folder: Path) -> int:
    return int((folder / "sandbox.pid").read_text())


def test_a_killed_one_is_none(folder: Path) -> None:
    first = start(folder)
    os.kill(pid_of(folder), signal.SIGKILL)
    os.waitpid(pid_of(folder), 0)

    assert status(folder) == Status(running=False)
    assert start(folder) != first


def test_a_stopped_one_is_told_at_once_and_no_second_one_is_started(folder: Path) -> None:
    first = start(folder)
    os.kill(pid_of(folder), signal.SIGSTOP)
    began = time.monotonic()
    for use in (start, status):
        with pytest.raises(LocalError, match="does not answer") as caught:
            use(folder)
    assert time.monotonic() - began < 15

    going_on = str(caught.value).split("`")[1].split()
    subprocess.run(going_on, check=True)

    assert start(folder) == status(folder) == first
    os.kill(pid_of(folder), signal.SIGSTOP)
    assert stop(folder) is True
    assert status(folder) == Status(running=False)


def test_one_of_another_version_is_told_and_can_be_ended_or_replaced(folder: Path) -> None:
    old = start(folder)
    path = folder / "sandbox.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "0.0.1"}))

    for use in (start, status):
        with pytest.raises(LocalError, match=r"is of version 0\.0\.1.*`gatestack local start` replaces it"):
            use(folder)
    assert start(folder, replacing=True).endpoint != old.endpoint
    assert start(folder, replacing=True) == status(folder)
    assert stop(folder) is True
    assert start(folder).running


def test_one_whose_description_is_gone_is_not_doubled(folder: Path) -> None:
    start(folder)
    (folder / "sandbox.json").unlink()

    with pytest.raises(LocalError, match="has no description any more"):
        start(folder)
    assert stop(folder) is True


def test_another_program_at_its_port_is_not_taken_for_it(folder: Path) -> None:
    start(folder)
    path = folder / "sandbox.json"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = json.loads(path.read_text()) | {"port": listening.getsockname()[1]}
        path.write_text(json.dumps(there))
        with pytest.raises(LocalError, match="does not answer"):
            status(folder)


def test_its_process_has_neither_the_users_login_nor_their_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-users-own")
    monkeypatch.setenv("AWS_PROFILE", "theirs")
    start(folder)

    environment = Path(f"/proc/{pid_of(folder)}/environ").read_text()

    assert "the-users-own" not in environment
    assert "AWS_PROFILE" not in environment
