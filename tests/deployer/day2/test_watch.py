"""`watch` and `events --follow`: attached to what somebody else does, seen to its end, without many calls."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deployer.day2.attach import watch
from deployer.day2.follow import follow
from deployer.day2.watch_report import event_line
from deployer.errors import CloudError, LostSight, NotAllowed, Transient
from deployer.options import Host
from deployer.progress import (
    Event,
    Notice,
    ResourceEvent,
    Result,
    RunStarted,
    StackFinished,
    StackStarted,
    Step,
    Stopping,
)
from deployer.report import first_cause, result_json
from deployer.run.polling_interval import LONGEST
from deployer.states import StackEvent
from gatestack.ending.facts import ending
from gatestack.ending.text import text
from sandbox.clock import RealClock
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.deployer.fakes import Clock, FakeCloud, host
from tests.places import ROOT
from tests.sandbox.sandbox_fakes import SLOW, of, thing
from tests.sandbox.sandbox_fakes import World as Box
from tests.sandbox.sandbox_fakes import world as box
from tests.sandbox.sandbox_wire import Line

NAMES = {"one": "dev-one", "two": "dev-two"}


class World:
    """Somebody who deploys at a sandbox, and somebody who watches."""

    def __init__(self, sandbox: Box) -> None:
        self.box = sandbox
        self.aws = Line(sandbox).aws
        self.told: list[Event] = []
        self.plans: list[tuple[float, Callable[[], None]]] = []
        """What others do, and when, in seconds from now on."""
        self.began = sandbox.sandbox.clock.now()
        self.signals: list[float] = []

    @property
    def now(self) -> float:
        return self.box.sandbox.clock.now() - self.began

    def sleep(self, seconds: float) -> None:
        self.box.sandbox.advance(seconds)
        due = [act for at, act in self.plans if at <= self.now]
        self.plans = [(at, act) for at, act in self.plans if at > self.now]
        for act in due:
            act()

    def host(self) -> Host:
        return Host(
            self.told.append,
            lambda: self.now,
            self.sleep,
            "r",
            lambda: sum(self.now >= at for at in self.signals),
        )

    def begin(self, stack: str, template: Any, kind: str = "CREATE") -> None:
        """Have somebody else execute a change set."""
        self.box.prepare(stack, template, kind=kind)
        self.box.client.execute_change_set(StackName=stack, ChangeSetName="cs")

    def watch(self, **more: Any) -> Result:
        return watch("dev", NAMES, self.aws, self.host(), **more)

    def calls(self, action: str) -> int:
        return sum(call.action == action for call in self.box.sandbox.calls)

    def events(self) -> list[tuple[str, str, str]]:
        told = [event for event in self.told if isinstance(event, ResourceEvent)]
        return [(one.stack, one.event.logical_id, one.event.status) for one in told]


@pytest.fixture
def world() -> Iterator[World]:
    with box() as made:
        yield World(made)


def ends(result: Result) -> dict[str, tuple[str, str, str]]:
    return {stack.name: (stack.action, stack.outcome, stack.status) for stack in result.stacks}


ONE = of({"A": thing(Name="a"), "B": thing(SLOW, Name="b")})


def test_where_nothing_goes_on_it_says_so_at_once(world: World) -> None:
    world.box.deploy("dev-one", ONE)
    world.box.sandbox.calls.clear()

    result = world.watch()

    assert (result.exit_code, text(ending(result))) == (0, "dev: nothing is in progress")
    assert (len(world.box.sandbox.calls), world.told) == (1, [])
    assert ends(result) == {"one": ("none", "done", "CREATE_COMPLETE"), "two": ("none", "done", "")}


def test_a_creation_that_somebody_else_began_is_shown_from_its_start_to_its_end(world: World) -> None:
    world.begin("dev-one", ONE)
    world.box.sandbox.advance(60)

    result = world.watch(poll_interval=30.0)

    assert ends(result)["one"] == ("create", "done", "CREATE_COMPLETE")
    assert result.exit_code == 0
    started = [event for event in world.told if isinstance(event, (RunStarted, StackStarted))]
    assert started == [
        RunStarted("dev", "watch", (("one", "two"),), NAMES, {}),
        StackStarted("one", "create", 2),
    ]
    seen = world.events()
    assert seen[0] == ("one", "dev-one", "CREATE_IN_PROGRESS")
    assert seen[-1] == ("one", "dev-one", "CREATE_COMPLETE")
    assert ("one", "A", "CREATE_COMPLETE") in seen
    assert len(set(seen)) >= len(seen) - 2  # in progress is said twice of a resource, with its id
    assert [event.result.name for event in world.told if isinstance(event, StackFinished)] == ["one"]
    assert re.fullmatch(r"dev: 1 stack succeeded in [\d.]+ s", text(ending(result)))


def test_several_stacks_cost_one_look_a_tick(world: World) -> None:
    world.begin("dev-one", ONE)
    world.begin("dev-two", of({"C": thing(SLOW, Name="c")}))
    world.box.sandbox.calls.clear()
    ticks: list[float] = []
    here = world.host()

    def sleep(seconds: float) -> None:
        ticks.append(seconds)
        here.sleep(seconds)

    counted = Host(here.tell, here.clock, sleep, "r", here.stop)

    result = watch("dev", NAMES, world.aws, counted, poll_interval=20.0)

    assert {stack.outcome for stack in result.stacks} == {"done"}
    assert world.calls("DescribeStacks") == len(ticks) + 1
    assert world.calls("DescribeStackEvents") <= 2 * (len(ticks) + 1)


def test_what_is_begun_meanwhile_is_watched_too(world: World) -> None:
    world.begin("dev-one", of({"A": thing(Name="a")}))
    world.plans = [(12.0, lambda: world.begin("dev-two", of({"C": thing(Name="c")})))]

    result = world.watch()

    assert ends(result) == {
        "one": ("create", "done", "CREATE_COMPLETE"),
        "two": ("create", "done", "CREATE_COMPLETE"),
    }
    assert ("two", "C", "CREATE_COMPLETE") in world.events()


def test_an_operation_that_fails_is_a_failure_with_its_first_cause(world: World) -> None:
    world.box.sandbox.faults.resources.append(
        ResourceFault(operation="create", logical_id="A", reason="A already exists")
    )
    world.begin("dev-one", ONE)

    result = world.watch(poll_interval=30.0)

    assert result.exit_code == 1
    assert ends(result)["one"] == ("create", "failed", "ROLLBACK_COMPLETE")
    cause = result.stacks[0].cause
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("A", "A already exists")
    assert str(first_cause(result)).startswith("one: A (AWS::Test::Thing): A already exists")
    assert ending(result).steps == (Step("once the cause is fixed, resume", "gatestack deploy dev"),)


def test_an_update_and_a_deletion_are_seen_to_their_ends(world: World) -> None:
    world.box.deploy("dev-one", ONE)
    world.box.deploy("dev-two", of({"C": thing(SLOW, Name="c")}))
    world.box.sandbox.advance(100)
    world.begin("dev-one", of({"A": thing(Name="a", Size="2"), "B": thing(SLOW, Name="b")}), "UPDATE")
    world.box.client.delete_stack(StackName="dev-two")

    result = world.watch(poll_interval=30.0)

    assert ends(result) == {
        "one": ("update", "done", "UPDATE_COMPLETE"),
        "two": ("delete", "done", "DELETE_COMPLETE"),
    }
    assert StackStarted("one", "update", 1) in world.told
    before = [event for event in world.events() if event[0] == "one" and event[2].startswith("CREATE")]
    assert before == []  # what was over when it attached is not told


def test_interrupted_it_says_what_aws_goes_on_with(world: World) -> None:
    world.begin("dev-one", ONE)
    world.signals = [30.0]

    result = world.watch()

    assert (result.exit_code, ends(result)["one"][1]) == (130, "going-on")
    assert world.told[-1] == Stopping(("one",), leaving=True)
    assert ending(result).steps == (Step("attach to what AWS does", "gatestack watch dev"),)
    world.box.sandbox.finish()
    assert world.box.stack("dev-one")["StackStatus"] == "CREATE_COMPLETE"


def test_the_result_is_told_for_machines_like_a_deployments(world: World) -> None:
    world.begin("dev-one", of({"A": thing(Name="a")}, Outputs={"Id": {"Value": "x"}}))

    found = json.loads(result_json(world.watch()))

    assert found["outputs"] == {"one": {"Id": "x"}}
    assert [(one["name"], one["action"], one["status"]) for one in found["stacks"]] == [
        ("one", "create", "CREATE_COMPLETE"),
        ("two", "none", None),
    ]


# decided without a wire


class Faked:
    """A fake cloud in which one stack changes by itself."""

    def __init__(self, *, seconds: float = 30.0, status: str = "UPDATE_COMPLETE") -> None:
        self.clock = Clock()
        self.cloud = FakeCloud(self.clock)
        self.state = self.cloud.has("dev-one", "UPDATE_IN_PROGRESS")
        self.cloud.changes_by_itself("dev-one", status, seconds)
        self.told: list[Event] = []

    def watch(self, **more: Any) -> Result:
        return watch("dev", {"one": "dev-one"}, self.cloud, host(self.clock, self.told), **more)


def test_refused_looks_are_endured_and_the_end_is_still_seen() -> None:
    world = Faked()
    clock = world.clock

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now < 5:
            world.cloud.raises["stacks"] = [Transient("slow down")]

    result = watch("dev", {"one": "dev-one"}, world.cloud, Host(world.told.append, clock, sleep, "r"))

    assert ends(result) == {"one": ("update", "done", "UPDATE_COMPLETE")}


@pytest.mark.parametrize(
    "error", [LostSight("the AWS credentials have expired"), CloudError("no"), Transient("slow down")]
)
def test_losing_sight_is_an_outcome_of_its_own(error: Exception) -> None:
    world = Faked(seconds=100_000.0)
    clock = world.clock

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        world.cloud.raises["stacks"] = [error] * 500

    result = watch("dev", {"one": "dev-one"}, world.cloud, Host(world.told.append, clock, sleep, "r"))

    assert (result.exit_code, result.stacks[0].outcome) == (5, "going-on")
    assert str(error) in result.stacks[0].reason
    assert result.resume == "gatestack watch dev"
    assert clock.now < 700


def test_without_the_permission_for_events_the_end_is_seen_all_the_same() -> None:
    world = Faked()
    world.cloud.raises["events"] = [NotAllowed("grant DescribeStackEvents")]

    assert world.watch().exit_code == 0

    notices = [event.text for event in world.told if isinstance(event, Notice)]
    assert notices == ["events cannot be shown: grant DescribeStackEvents"]


def test_the_end_is_believed_only_after_a_quiet_moment() -> None:
    world = Faked(seconds=30.0)

    world.watch()

    assert 30 + 2 * LONGEST <= world.clock.now <= 30 + 4 * LONGEST


def test_a_stack_that_was_quick_between_two_looks_counts() -> None:
    world = Faked(seconds=30.0)
    other = world.cloud.has("dev-two", "CREATE_COMPLETE")
    world.cloud.changes_by_itself("dev-two", "UPDATE_ROLLBACK_COMPLETE", 10.0)

    result = watch(
        "dev", NAMES, world.cloud, host(world.clock, world.told), poll_interval=5.0, show_events=False
    )

    assert ends(result)["two"] == ("update", "failed", "UPDATE_ROLLBACK_COMPLETE")
    assert (other.name, result.exit_code) == ("dev-two", 1)


def test_quiet_it_reads_no_events_but_for_a_cause() -> None:
    world = Faked(status="UPDATE_ROLLBACK_COMPLETE")

    result = world.watch(show_events=False)

    assert (result.exit_code, world.cloud.count("events")) == (1, 1)


# events --follow


class Followed:
    """Follows until a number of looks is over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: list[tuple[str, StackEvent]] = []

    def show(self, rows: Sequence[tuple[str, StackEvent]]) -> None:
        self.rows += rows

    def run(self, until: float) -> list[tuple[str, str, str]]:
        self.world.signals = [until]
        follow(NAMES, self.world.aws, self.world.host(), self.show, poll_interval=5.0)
        return [(stack, event.logical_id, event.status) for stack, event in self.rows]


def test_following_tells_what_is_new_each_event_once_oldest_first(world: World) -> None:
    world.box.deploy("dev-one", of({"A": thing(Name="a")}))
    world.began = world.box.sandbox.clock.now()
    change = of({"A": thing(Name="a", Size="2")})
    world.plans = [(20.0, lambda: world.begin("dev-one", change, "UPDATE"))]
    followed = Followed(world)

    told = followed.run(until=60.0)

    assert told == [
        ("one", "dev-one", "UPDATE_IN_PROGRESS"),
        ("one", "A", "UPDATE_IN_PROGRESS"),
        ("one", "A", "UPDATE_COMPLETE"),
        ("one", "dev-one", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("one", "dev-one", "UPDATE_COMPLETE"),
    ]
    assert len({event.id for _, event in followed.rows}) == 5
    assert json.loads(event_line(*followed.rows[0]))["status"] == "UPDATE_IN_PROGRESS"


def test_following_begins_with_what_goes_on_and_goes_on_after_its_end(world: World) -> None:
    world.begin("dev-one", of({"A": thing(Name="a")}))
    world.plans = [(40.0, lambda: world.begin("dev-two", of({"C": thing(Name="c")})))]

    told = Followed(world).run(until=80.0)

    assert told[0] == ("one", "dev-one", "CREATE_IN_PROGRESS")
    assert told[-1] == ("two", "dev-two", "CREATE_COMPLETE")
    assert told.count(("two", "C", "CREATE_COMPLETE")) == 1


def test_following_quiet_stacks_reads_no_events_again(world: World) -> None:
    world.box.deploy("dev-one", of({"A": thing(Name="a")}))
    world.began = world.box.sandbox.clock.now()
    world.box.sandbox.calls.clear()

    assert Followed(world).run(until=100.0) == []

    assert world.calls("DescribeStackEvents") == 1
    assert world.calls("DescribeStacks") == 20


def test_a_deletion_is_followed_to_its_end_and_not_asked_for_after(world: World) -> None:
    world.box.deploy("dev-one", of({"A": thing(Name="a")}))
    world.began = world.box.sandbox.clock.now()
    world.plans = [(10.0, lambda: world.box.client.delete_stack(StackName="dev-one"))]

    told = Followed(world).run(until=200.0)

    assert told[-1] == ("one", "dev-one", "DELETE_COMPLETE")
    assert world.calls("DescribeStacks") <= 43


def test_following_gives_up_when_nobody_answers_for_long() -> None:
    world = Faked()
    world.cloud.raises["stacks"] = [Transient("slow down")] * 500

    with pytest.raises(LostSight, match="no answer from AWS"):
        follow({"one": "dev-one"}, world.cloud, host(world.clock), lambda _: None, poll_interval=5.0)


# the commands


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    Services().reset()  # moto keeps one account a process
    with Sandbox(clock=RealClock(600.0), key=KEY) as running:
        yield running


@pytest.fixture
def user(tmp_path: Path, sandbox: Sandbox) -> User:
    return User.at(tmp_path, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.05", **LOGIN)


def deploying(user: User) -> threading.Thread:
    """Have a colleague deploy the network."""
    thread = threading.Thread(target=user.run, args=("deploy", "dev", "--yes", "--only", "network"))
    thread.start()
    return thread


def wait_for_work(sandbox: Sandbox) -> None:
    """Return as soon as the colleague has set something going."""
    executed = threading.Event()
    while not any(call.action == "ExecuteChangeSet" for call in sandbox.calls):
        executed.wait(0.02)


def attached(user: User, *arguments: str) -> subprocess.Popen[str]:
    """Run a command that goes on."""
    variables = {"PATH": "/usr/bin", "HOME": str(user.folder), "PYTHONPATH": str(ROOT)} | user.variables
    return subprocess.Popen(
        [sys.executable, "-m", "gatestack", *arguments],
        cwd=user.folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


HANGING = {"resources": [{"operation": "create", "logical_id": "Vpc", "seconds": 360_000}]}


def test_watch_attaches_to_a_colleagues_deployment(user: User, sandbox: Sandbox) -> None:
    sandbox.faults.add(HANGING)
    idle = user.run("watch", "dev")
    assert (idle.code, idle.err) == (0, "dev: nothing is in progress\n")
    colleague = deploying(user)
    wait_for_work(sandbox)

    process = attached(user, "watch", "dev", "--format", "json")
    assert process.stderr
    first = process.stderr.readline()
    sandbox.finish()
    out, err = process.communicate(timeout=60)
    sandbox.finish()
    colleague.join()

    assert "CREATE_IN_PROGRESS" in first
    assert process.returncode == 0, err
    network = next(one for one in json.loads(out)["stacks"] if one["name"] == "network")
    assert (network["action"], network["status"]) == ("create", "CREATE_COMPLETE")
    assert "Vpc (AWS::EC2::VPC)" in err


def test_ctrl_c_ends_following_and_aws_goes_on(user: User, sandbox: Sandbox) -> None:
    sandbox.faults.add(HANGING)
    colleague = deploying(user)
    wait_for_work(sandbox)
    process = attached(user, "events", "dev", "--follow", "--stack", "network")
    assert process.stdout
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    sandbox.finish()
    colleague.join()

    assert "CREATE_IN_PROGRESS" in first
    assert (process.returncode, err) == (130, "")
