"""A run that is killed after any of its API calls, and the next one with the same command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from generator.manifest import write
from sandbox.clock import Clock
from sandbox.faults import ResourceFault
from sandbox.server import Call
from tests.command import LOGIN
from tests.covering import only
from tests.deployer.fakes import in_a_folder
from tests.places import ROOT
from tests.sandbox.sandbox_fakes import world
from tests.sandbox.sandbox_wire import Killed, Line, line, moments, three

Act = Callable[[Line], Any]


LOOKS = {"poll_interval": 5.0, "show_events": False}
"""Few calls, so that there are few moments to try."""


def nothing(aws: Line) -> None:
    """Before a fresh deployment."""


def deployed(aws: Line) -> None:
    aws.deploy(three(), **LOOKS)


def failed_creation(aws: Line) -> None:
    aws.sandbox.faults.resources.append(
        ResourceFault("create", logical_id="One", stack="dev-data", reason="no")
    )
    aws.deploy(three(), **LOOKS)


def stuck_rollback(aws: Line) -> None:
    aws.deploy(three(), **LOOKS)
    for _ in range(2):  # the update, then its rollback
        aws.sandbox.faults.resources.append(
            ResourceFault("update", logical_id="One", stack="dev-data", reason="no")
        )
    aws.deploy(three("2"), **LOOKS)
    assert aws.stacks()["dev-data"] == "UPDATE_ROLLBACK_FAILED"


def deploy_to(size: str) -> Act:
    return lambda aws: aws.deploy(three(size), **LOOKS)


def destroy(aws: Line) -> Any:
    return aws.destroy(three(), **LOOKS)


LIVES: dict[str, tuple[Act, Act]] = {
    "a fresh deployment": (nothing, deploy_to("1")),
    "an update": (deployed, deploy_to("2")),
    "nothing to change": (deployed, deploy_to("1")),
    "a creation after a failed one": (failed_creation, deploy_to("1")),
    "an update after a stuck rollback": (stuck_rollback, deploy_to("2")),
    "a destruction": (deployed, destroy),
}
"""What came before, and the command that is killed and given again."""
QUICK = {"a fresh deployment", "an update after a stuck rollback", "a destruction"}
"""Those of `make test`: what is killed creates, updates, deletes."""


def undisturbed(before: Act, command: Act) -> tuple[list[Call], tuple[Any, ...], dict[str, list[str]]]:
    """Return the calls that the command makes, and what is there after it."""
    with line() as aws:
        before(aws)
        aws.sandbox.calls.clear()
        assert command(aws).exit_code == 0
        return list(aws.sandbox.calls), without_ids(aws), aws.operations()


def without_ids(aws: Line) -> tuple[Any, ...]:
    stacks, physical, change_sets = aws.state()
    return stacks, sorted(physical), change_sets


def kill_and_repeat(before: Act, command: Act, after: int, pause: float) -> Line:
    """Return the world in which *command* was killed after so many calls, and given again."""
    with line(seed=after) as aws:
        before(aws)
        aws.wire.count, aws.wire.kill_after = 0, after
        with suppress(Killed):
            command(aws)
        aws.wire.kill_after = None
        made = aws.physical()
        aws.sandbox.advance(pause)
        assert command(aws).exit_code == 0, f"after {after} calls"
        now = aws.physical()
        same = {key: now[key] for key, was in made.items() if was and key in now}
        assert same == {key: made[key] for key in same}, f"replaced after {after} calls"
        return aws


def every(calls: Sequence[Call]) -> Iterable[int]:
    return range(1, len(calls) + 1)


def kinds(calls: Sequence[Call]) -> Iterable[int]:
    """Return the first of the `moments` at each action, and the last of all."""
    found = moments(calls)
    first = {calls[number - 1].action: number for number in reversed(found)}
    return sorted({*first.values(), found[-1]})


@pytest.mark.parametrize("life", only(QUICK, LIVES))
@pytest.mark.parametrize("choice", [kinds, pytest.param(every, marks=pytest.mark.deep)])
def test_killed_after_any_call_the_same_command_ends_where_an_undisturbed_run_does(
    life: str, choice: Callable[[Sequence[Call]], Iterable[int]]
) -> None:
    before, command = LIVES[life]
    calls, state, operations = undisturbed(before, command)
    assert len(calls) > 9
    for after in choice(calls):
        aws = kill_and_repeat(before, command, after, pause=[0.0, 7.0, 1000.0][after % 3])
        assert (without_ids(aws), aws.change_sets()) == (state, []), f"{life}: after {calls[after - 1]}"
        assert aws.operations() == operations, f"{life}: after {calls[after - 1]}"


# the same for the command, with a real SIGKILL


class Killing(list[Call]):
    """The sandbox's list of calls: each moves the clock by a second, and one of them kills a process."""

    def __init__(self, after: int, clock: Clock) -> None:
        super().__init__()
        self._after = after
        self._clock = clock
        self.process: subprocess.Popen[str] | None = None

    def append(self, call: Call) -> None:
        super().append(call)
        self._clock.advance(1.0)
        if len(self) == self._after and self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(in_a_folder(three()), tmp_path / "built")
    return tmp_path


def command(folder: Path, endpoint: str, *arguments: str) -> subprocess.Popen[str]:
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **LOGIN}
    return subprocess.Popen(
        [sys.executable, "-m", "gatestack", "--poll-interval", "0.01", *arguments],
        cwd=folder,
        env=variables | {"AWS_ENDPOINT_URL": endpoint},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("after", only({9}, [3, 9, 14]))
def test_a_process_that_is_killed_is_taken_up_by_the_next_one(folder: Path, after: int) -> None:
    with world() as box:
        aws = Line(box)
        box.sandbox.calls = killing = Killing(after, box.sandbox.clock)
        killing.process = command(folder, box.sandbox.endpoint, "deploy", "built", "--yes")
        killing.process.communicate(timeout=60)
        assert killing.process.returncode == -signal.SIGKILL

        assert aws.deploy(in_a_folder(three()), **LOOKS).exit_code == 0

        assert set(aws.stacks().values()) == {"CREATE_COMPLETE"}
        assert {tuple(begun) for begun in aws.operations().values()} == {("CREATE",)}
        assert aws.change_sets() == []
