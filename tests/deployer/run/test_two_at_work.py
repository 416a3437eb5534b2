"""Two runs at once on one environment, and somebody else at work on a stack."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.deploy import deploy, destroy
from deployer.options import Options
from deployer.progress import Event, ResourceEvent, Result, Waiting
from generator.manifest import write
from tests.command import LOGIN, User
from tests.covering import only
from tests.deployer.fakes import OURS, in_a_folder
from tests.sandbox.sandbox_fakes import SLOW, of, thing, world
from tests.sandbox.sandbox_wire import Line, four, line, outcomes


class Turnstile:
    """Lets one of two threads run at a time; each gives the other its turn when it sleeps."""

    def __init__(self, aws: Line) -> None:
        self._aws = aws
        self._turn = threading.Condition()
        self._whose = 0
        self._left = {0, 1}

    def enter(self, me: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._whose == me, timeout=60)

    def sleep(self, me: int, seconds: float) -> None:
        self._aws.sandbox.advance(seconds / 2)
        self._pass_on()
        self.enter(me)

    def leave(self, me: int) -> None:
        self._left.discard(me)
        self._pass_on()

    def _pass_on(self) -> None:
        with self._turn:
            self._whose = next((other for other in sorted(self._left) if other != self._whose), self._whose)
            self._turn.notify_all()


def together(
    aws: Line, runs: list[Callable[[Callable[[float], None]], Result]], head_start: int
) -> list[int]:
    """Return the exit codes of two runs that take turns; the first has some turns for itself."""
    turnstile = Turnstile(aws)
    codes = [-1, -1]

    def go(me: int) -> None:
        turnstile.enter(me)
        alone = head_start if me == 0 else 0

        def sleep(seconds: float) -> None:
            nonlocal alone
            alone -= 1
            if alone >= 0:
                aws.sandbox.advance(seconds)
            else:
                turnstile.sleep(me, seconds)

        try:
            codes[me] = runs[me](sleep).exit_code
        finally:
            turnstile.leave(me)

    threads = [threading.Thread(target=go, args=(me,)) for me in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return codes


def deploying(aws: Line, told: list[Event], size: str = "1") -> Callable[[Callable[[float], None]], Result]:
    def run(sleep: Callable[[float], None]) -> Result:
        here = replace(aws.host(), sleep=sleep, tell=told.append)
        return deploy(four(size), aws.aws, Options(poll_interval=2.0), here)

    return run


@pytest.mark.parametrize("head_start", only({0, 2, 5}, range(6)))
def test_two_fresh_deployments_at_once_both_end_right(head_start: int) -> None:
    with line() as aws:
        assert together(aws, [deploying(aws, []), deploying(aws, [])], head_start) == [0, 0]

        assert {tuple(begun) for begun in aws.operations().values()} <= {("CREATE",), ("DELETE", "CREATE")}
        assert set(aws.stacks().values()) == {"CREATE_COMPLETE"}
        assert aws.change_sets() == []


@pytest.mark.parametrize("head_start", only({0, 1}, range(4)))
def test_two_updates_at_once_both_end_right(head_start: int) -> None:
    with line() as aws:
        aws.deploy(four())
        made = aws.physical()

        assert together(aws, [deploying(aws, [], "2"), deploying(aws, [], "2")], head_start) == [0, 0]

        assert (aws.physical(), aws.change_sets()) == (made, [])
        updates = {name: begun.count("UPDATE") for name, begun in aws.operations().items()}
        assert updates == {"dev-keys": 1, "dev-net": 0, "dev-data": 1, "dev-web": 1}


def test_two_destructions_at_once_both_end_right() -> None:
    def run(sleep: Callable[[float], None]) -> Result:
        return destroy(four(), aws.aws, Options(poll_interval=2.0), replace(aws.host(), sleep=sleep))

    with line() as aws:
        aws.deploy(four())
        assert together(aws, [run, run], 0) == [0, 0]
        assert aws.stacks() == {}


def test_a_stack_that_somebody_else_updates_is_waited_for_with_its_events() -> None:
    with line() as aws:
        aws.deploy(four())
        aws.told.clear()
        tags = [{"Key": key, "Value": value} for key, value in OURS.items()]
        theirs = json.dumps(of({"Theirs": thing(SLOW)}))
        aws.ask("UpdateStack", StackName="dev-web", TemplateBody=theirs, Tags=tags)

        result = aws.deploy(four(), poll_interval=60.0)

        assert outcomes(result)["web"] == ("update", "done")
        assert any(isinstance(event, Waiting) and event.stack == "web" for event in aws.told)
        seen = {event.event.logical_id for event in aws.told if isinstance(event, ResourceEvent)}
        assert "Theirs" in seen
        assert ("dev-web", "A") in aws.physical()


def test_two_commands_at_once_both_end_right(tmp_path: Path) -> None:
    with world() as box:
        aws = Line(box)
        write(in_a_folder(four()), tmp_path / "built")
        clock = threading.Event()

        def go_on() -> None:
            while not clock.wait(0.02):
                box.sandbox.advance(1)

        ticking = threading.Thread(target=go_on)
        ticking.start()
        user = User(
            tmp_path, {"AWS_ENDPOINT_URL": box.sandbox.endpoint, "GATESTACK_POLL_INTERVAL": "0.02", **LOGIN}
        )
        codes: list[int] = []
        commands = [
            threading.Thread(target=lambda: codes.append(user.run("deploy", "built", "--yes").code))
            for _ in "12"
        ]
        for one in commands:
            one.start()
        for one in commands:
            one.join()
        clock.set()
        ticking.join()

        assert codes == [0, 0]
        assert set(aws.stacks().values()) == {"CREATE_COMPLETE"}
        assert aws.change_sets() == []
