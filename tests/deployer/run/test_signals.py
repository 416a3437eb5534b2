"""Ctrl-C, and a pipeline that is cancelled: the command as a process of its own, in mid-deployment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatestack.signals import host
from generator.manifest import write
from sandbox.server import Call
from tests.command import LOGIN
from tests.covering import only
from tests.deployer.fakes import in_a_folder
from tests.places import ROOT
from tests.sandbox.sandbox_fakes import world
from tests.sandbox.sandbox_wire import Line, four

SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}
"""Each comes once, or twice, in `make test`."""


class Moments(list[Call]):
    """The sandbox's list of calls: it does something when a call of some kind has come so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.then: dict[tuple[str, int], Callable[[], None]] = {}

    def append(self, call: Call) -> None:
        super().append(call)
        count = sum(one.action == call.action for one in self)
        self.then.pop((call.action, count), lambda: None)()


class Command:
    """`gatestack` under way, without a terminal; what it says is read line by line."""

    def __init__(self, folder: Path, endpoint: str, *arguments: str, **more: str) -> None:
        variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **LOGIN}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gatestack", "--poll-interval", "0.02", *arguments],
            cwd=folder,
            env=variables | {"AWS_ENDPOINT_URL": endpoint} | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._last_resort = threading.Timer(60, self.process.kill)
        self._last_resort.start()

    def until(self, *words: str) -> str:
        """Read until every one of *words* was said; returns the line of the last."""
        missing = set(words)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            missing -= {word for word in missing if word in line}
            if not missing:
                return line
        raise AssertionError(f"{missing} not in {''.join(self.said)}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end; returns exit code and everything that was said."""
        _, rest = self.process.communicate(timeout=60)
        self._last_resort.cancel()
        return self.process.returncode, "".join(self.said) + rest


class Desk:
    """A sandbox whose clock stands still, and commands that work on it."""

    def __init__(self, aws: Line, folder: Path, **variables: str) -> None:
        self.aws = aws
        self.folder = folder
        self.variables = variables
        self.calls = aws.sandbox.calls = Moments()
        write(in_a_folder(four()), folder / "built")

    @contextmanager
    def command(self, *arguments: str) -> Iterator[Command]:
        made = Command(self.folder, self.aws.sandbox.endpoint, *arguments, **self.variables)
        try:
            yield made
        finally:
            made.process.kill()
            made.end()

    def deploy(self) -> int:
        """Deploy to the end, on a clock that goes on; returns the exit code."""
        return self.aws.deploy(in_a_folder(four())).exit_code


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with world() as box:
        yield Desk(Line(box), tmp_path)


def in_mid_deployment(desk: Desk, run: Command) -> None:
    """Let the first stacks be started, and stop the clock there."""
    desk.calls.then["DescribeChangeSet", 4] = lambda: desk.aws.sandbox.advance(5)
    run.until("keys      CREATE_IN_PROGRESS", "net       CREATE_IN_PROGRESS")


@pytest.mark.parametrize("name", only({"SIGTERM"}, SIGNALS))
def test_one_signal_starts_nothing_more_and_sees_what_runs_to_its_end(desk: Desk, name: str) -> None:
    with desk.command("deploy", "built", "--yes") as run:
        in_mid_deployment(desk, run)
        run.send(SIGNALS[name])
        said = run.until("starting nothing more")
        assert "AWS continues with keys, net" in said
        desk.aws.sandbox.finish()
        code, text = run.end()

    assert (code, desk.aws.stacks()) == (
        130, {"dev-litellm-keys": "CREATE_COMPLETE", "dev-litellm-net": "CREATE_COMPLETE"},
    ), text  # fmt: skip
    assert desk.aws.change_sets() == []
    assert "  gatestack deploy built  # resume" in text
    assert desk.deploy() == 0
    assert {tuple(begun) for begun in desk.aws.operations().values()} == {("CREATE",)}


@pytest.mark.parametrize("name", only({"SIGINT"}, SIGNALS))
def test_two_signals_leave_and_say_what_goes_on(desk: Desk, name: str) -> None:
    with desk.command("deploy", "built", "--yes") as run:
        in_mid_deployment(desk, run)
        run.send(SIGNALS[name])
        run.until("starting nothing more")
        run.send(SIGNALS[name])
        assert "AWS continues with: keys, net" in run.until("exiting")
        code, text = run.end()

    assert (code, desk.aws.stacks(), desk.aws.change_sets()) == (
        130, {"dev-litellm-keys": "CREATE_IN_PROGRESS", "dev-litellm-net": "CREATE_IN_PROGRESS"}, [],
    ), text  # fmt: skip
    assert desk.deploy() == 0
    assert {tuple(begun) for begun in desk.aws.operations().values()} == {("CREATE",)}


def test_a_signal_before_anything_was_executed_leaves_nothing_at_all(desk: Desk) -> None:
    with desk.command("deploy", "built", "--yes") as run:
        run.until("keys      prepare", "net       prepare")
        run.send(signal.SIGINT)
        code, text = run.end()

    assert (code, desk.aws.stacks()) == (130, {}), text
    assert set(map(tuple, desk.aws.operations().values())) == {("DELETE",)}  # of stacks under review


def test_a_destruction_can_be_interrupted_and_taken_up(desk: Desk) -> None:
    desk.aws.deploy(in_a_folder(four()))
    with desk.command("destroy", "built", "--yes") as run:
        run.until("web       DELETE_IN_PROGRESS")
        run.send(signal.SIGTERM)
        run.until("AWS continues with web")
        desk.aws.sandbox.finish()
        code, text = run.end()

    assert (code, sorted(desk.aws.stacks())) == (
        130,
        ["dev-litellm-data", "dev-litellm-keys", "dev-litellm-net"],
    ), text
    assert desk.aws.destroy(in_a_folder(four())).exit_code == 0
    assert desk.aws.stacks() == {}


def test_a_signal_ends_a_sleep_also_when_it_came_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with host(lambda _: None) as here:
        os.kill(os.getpid(), signal.SIGTERM)
        began = here.clock()
        here.sleep(30)
        assert (here.stop(), here.clock() - began < 10) == (1, True)
        here.sleep(0.0)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_third_signal_ends_the_process_wherever_it_is() -> None:
    with host(lambda _: None) as here:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        here.sleep(30)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
