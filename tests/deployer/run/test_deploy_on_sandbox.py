"""The deployer against the sandbox's CloudFormation with its clock and its faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from deployer.aws.account import Aws, connect
from deployer.changes.preview import plan
from deployer.deploy import deploy, destroy
from deployer.options import Host, Options
from deployer.progress import Event, ResourceEvent, Result
from generator.manifest import Manifest
from sandbox.faults import CallFault, ResourceFault
from tests.command import LOGIN
from tests.covering import only
from tests.deployer.fakes import manifest, spec
from tests.sandbox.sandbox_fakes import SLOW, THING, of, thing
from tests.sandbox.sandbox_fakes import World as Box
from tests.sandbox.sandbox_fakes import world as box
from tests.sandbox.sandbox_wire import REGION, Line, imported, made_of, outcomes

CALLS_OF_A_NO_OP = 20
CALLS_OF_A_NEW_ENVIRONMENT = 30


class World:
    """A sandbox, the deployer's view of it, and any number of runs."""

    def __init__(self, sandbox: Box) -> None:
        self.box = sandbox
        self.line = Line(sandbox)
        self.aws: Aws = self.line.aws
        self.told: list[Event] = []
        self.runs = 0
        self.signals: list[float] = []

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.aws, Options(**{"poll_interval": 60.0} | options), self.host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.aws, Options(**{"poll_interval": 60.0} | options), self.host())

    def host(self) -> Host:
        self.runs += 1
        began = self.box.sandbox.clock.now()

        def stop() -> int:
            return sum(self.box.sandbox.clock.now() - began >= at for at in self.signals)

        return Host(
            self.told.append, self.box.sandbox.clock.now, self.box.sandbox.advance, f"r{self.runs}", stop
        )

    def statuses(self) -> dict[str, str]:
        stacks = self.box.client.describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in stacks}

    def change_sets(self, stack: str) -> list[str]:
        summaries = self.box.client.list_change_sets(StackName=stack)["Summaries"]
        return [one["ChangeSetName"] for one in summaries if one["ExecutionStatus"] == "AVAILABLE"]

    def calls(self) -> Counter[str]:
        found = Counter(call.action for call in self.box.sandbox.calls)
        self.box.sandbox.calls.clear()
        return found

    def connect(self) -> None:
        """Ask over the network from now on; pauses between attempts stay virtual."""
        self.aws = connect(REGION, endpoint=self.box.sandbox.endpoint, budget=self.line.budget)

    def fault(self, **what: Any) -> None:
        self.box.sandbox.faults.resources.append(ResourceFault(**what))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with box() as made:
        yield World(made)


def five(**service: Any) -> Manifest:
    arn = {"Fn::GetAtt": "One.Arn"}
    return manifest(
        made_of("security", {"One": thing(Name="key")}, {"Arn": arn}),
        made_of("network", {"One": thing(Name="vpc")}, {"Arn": arn}),
        made_of("alb", {"One": thing(Name="alb", Value=imported("dev-network-Arn"))}, {"Arn": arn}),
        made_of(
            "database",
            {"One": thing(SLOW, Name="db", Value=imported("dev-network-Arn")), "Key": thing(
                Name="login", Value=imported("dev-security-Arn"))},
            {"Arn": arn},
        ),
        made_of(
            "service",
            {"One": thing(Name="service", Value=imported("dev-alb-Arn"), **service), "Db": thing(
                Name="reader", Value=imported("dev-database-Arn"))},
        ),
    )  # fmt: skip


def all_are(action: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(("security", "network", "alb", "database", "service"), (action, "done"))


def test_an_environment_is_made_kept_changed_and_taken_away(world: World) -> None:
    world.connect()
    assert outcomes(world.deploy(five())) == all_are("create")
    assert set(world.statuses().values()) == {"CREATE_COMPLETE"}

    assert outcomes(world.deploy(five())) == all_are("none")

    changed = world.deploy(five(Size="2"))
    assert outcomes(changed) == all_are("none") | {"service": ("update", "done")}
    assert changed.stacks[-1].status == "UPDATE_COMPLETE"

    assert outcomes(world.destroy(five())) == all_are("delete")
    assert (world.statuses(), world.box.provisioner.made) == ({}, {})


def test_a_no_op_and_a_new_environment_cost_few_calls(world: World) -> None:
    world.deploy(five())
    world.calls()
    world.deploy(five(), poll_interval=10)

    found = world.calls()
    assert found["DescribeStacks"] == 1
    assert sum(found.values()) <= CALLS_OF_A_NO_OP


def test_a_new_environment_costs_little_where_all_is_quick(world: World) -> None:
    quick = manifest(*(replace(one, template=one.template.replace(SLOW, THING)) for one in five().stacks))

    assert world.deploy(quick, poll_interval=60).exit_code == 0

    assert sum(world.calls().values()) <= CALLS_OF_A_NEW_ENVIRONMENT


def test_events_come_once_each_and_in_order(world: World) -> None:
    world.deploy(five())

    told = [event.event for event in world.told if isinstance(event, ResourceEvent)]
    assert len({(event.stack_id, event.id) for event in told}) == len(told)
    of_alb = [(event.logical_id, event.status) for event in told if event.stack_name == "dev-alb"]
    assert of_alb[0] == ("dev-alb", "CREATE_IN_PROGRESS")
    assert of_alb[-1] == ("dev-alb", "CREATE_COMPLETE")
    assert ("One", "CREATE_COMPLETE") in of_alb


def test_a_failed_creation_is_told_with_its_cause_and_made_again(world: World) -> None:
    world.fault(operation="create", logical_id="One", stack="dev-alb", reason="Scheme is invalid")

    failed = world.deploy(five())

    assert outcomes(failed) == all_are("create") | {
        "alb": ("create", "failed"), "service": ("skipped", "skipped")
    }  # fmt: skip
    alb = next(stack for stack in failed.stacks if stack.name == "alb")
    assert alb.status == "ROLLBACK_COMPLETE"
    assert alb.cause is not None
    assert (alb.cause.logical_id, alb.cause.type) == ("One", THING)
    assert "Scheme is invalid" in alb.cause.reason
    assert failed.exit_code == 1

    again = world.deploy(five())
    assert outcomes(again) == all_are("none") | {"alb": ("recreate", "done"), "service": ("create", "done")}


def test_a_failed_update_is_rolled_back_told_and_tried_again(world: World) -> None:
    world.deploy(five())
    world.fault(operation="update", logical_id="One", stack="dev-service", reason="circuit breaker triggered")

    failed = world.deploy(five(Size="2"))

    service = failed.stacks[-1]
    assert (service.action, service.outcome, service.status) == (
        "update", "failed", "UPDATE_ROLLBACK_COMPLETE",
    )  # fmt: skip
    assert service.cause is not None
    assert "task logs" in service.cause.remedy
    assert outcomes(world.deploy(five(Size="2")))["service"] == ("update", "done")


def test_a_rollback_that_fails_is_continued_by_the_next_run(world: World) -> None:
    world.deploy(five())
    for _ in range(2):  # the update, then its rollback
        world.fault(operation="update", logical_id="One", stack="dev-service", reason="no")
    failed = world.deploy(five(Size="2"))
    assert failed.stacks[-1].status == "UPDATE_ROLLBACK_FAILED"

    assert outcomes(world.deploy(five(Size="2")))["service"] == ("update", "done")


@pytest.mark.parametrize("at", only({1, 13, 620}, [1, 5, 13, 30, 620]))
def test_a_run_that_is_left_at_any_moment_is_taken_up_by_the_next(world: World, at: int) -> None:
    world.signals = [at, at]
    left = world.deploy(five(), poll_interval=2.0 if at < 30 else 20.0)
    assert left.exit_code == 130
    world.signals = []

    again = world.deploy(five())

    assert again.exit_code == 0
    assert set(world.statuses().values()) == {"CREATE_COMPLETE"}
    assert [world.change_sets(name) for name in world.statuses()] == [[]] * 5


def test_an_interrupted_run_leaves_no_change_set_and_no_empty_stack(world: World) -> None:
    world.signals = [1, 1]

    assert world.deploy(five(), poll_interval=None).exit_code == 130

    assert world.statuses() == {}


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        *product(["error", "drop-after"], ["CreateChangeSet", "ExecuteChangeSet", "DescribeStacks"]),
        ("throttle", "DescribeStacks"),
        ("drop-before", "ExecuteChangeSet"),
    ],
)
def test_a_call_that_goes_wrong_is_repeated_and_nothing_is_done_twice(
    world: World, kind: Any, action: str
) -> None:
    world.connect()
    world.box.sandbox.faults.calls.append(CallFault(kind, action, times=1))

    assert outcomes(world.deploy(manifest(made_of("a", {"One": thing(Name="a")})))) == {
        "a": ("create", "done")
    }

    statuses = [status for name, status, _ in world.box.story("dev-a") if name == "dev-a"]
    assert statuses == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_reads_that_lag_behind_are_lived_with(world: World) -> None:
    world.box.sandbox.faults.behaviour.stale_reads = 8.0
    world.box.sandbox.faults.behaviour.hidden_change_sets = 3.0
    a = made_of("a", {"One": thing(Name="a")})

    assert outcomes(world.deploy(manifest(a), poll_interval=2.0)) == {"a": ("create", "done")}
    for size, outcome in (("2", "done"), ("3", "failed"), ("4", "done")):
        if outcome == "failed":
            world.fault(operation="update", logical_id="One", reason="no")
        bigger = made_of("a", {"One": thing(Name="a", Size=size)})
        assert outcomes(world.deploy(manifest(bigger), poll_interval=2.0)) == {"a": ("update", outcome)}


def test_credentials_that_expire_lose_sight_and_the_same_command_goes_on(world: World) -> None:
    world.signals = []
    expire = CallFault("expired", "DescribeStacks")

    def tell(event: Event) -> None:
        if isinstance(event, ResourceEvent) and expire not in world.box.sandbox.faults.calls:
            world.box.sandbox.faults.calls.append(expire)

    blind = deploy(five(), world.aws, Options(poll_interval=20.0), replace(world.host(), tell=tell))
    assert blind.exit_code == 5
    assert {stack.outcome for stack in blind.stacks} == {"done", "going-on", "skipped"}

    world.box.sandbox.faults.clear()
    assert world.deploy(five()).exit_code == 0


def test_two_runs_at_once_do_not_break_each_other(world: World) -> None:
    other = World(world.box)
    other.runs = 50
    seconds: list[int] = []

    def sleep(pause: float) -> None:
        world.box.sandbox.advance(pause)
        if not seconds and "dev-network" in world.statuses():
            seconds.append(other.deploy(five()).exit_code)

    first = deploy(five(), world.aws, Options(poll_interval=20.0), replace(world.host(), sleep=sleep))

    assert (seconds, first.exit_code) == ([0], 0)
    assert set(world.statuses().values()) == {"CREATE_COMPLETE"}


def test_termination_protection_and_force(world: World) -> None:
    wanted = manifest(made_of("a", {"One": thing(Name="a")}, termination_protection=True), production=True)
    world.deploy(wanted)
    assert world.box.stack("dev-a")["EnableTerminationProtection"] is True

    assert outcomes(world.destroy(wanted, force=True)) == {"a": ("delete", "done")}


def test_a_deletion_that_fails_is_repeated_once(world: World) -> None:
    wanted = manifest(made_of("a", {"One": thing(Name="a")}))
    world.deploy(wanted)
    world.fault(operation="delete", logical_id="One", reason="it has dependencies")

    assert outcomes(world.destroy(wanted)) == {"a": ("delete", "done")}


@pytest.mark.parametrize("behaviour", ["stay", "fail"])
def test_an_export_in_use_elsewhere_keeps_its_stack_and_says_by_whom(world: World, behaviour: Any) -> None:
    wanted = manifest(made_of("a", {"One": thing(Name="a")}, {"Arn": {"Fn::GetAtt": "One.Arn"}}))
    world.deploy(wanted)
    world.box.deploy("theirs", of({"One": thing(Name="t", Value=imported("dev-a-Arn"))}))
    world.box.sandbox.faults.behaviour.exporter_deletion = behaviour

    result = world.destroy(wanted)

    assert outcomes(result) == {"a": ("delete", "failed")}
    cause = str(result.stacks[0].cause)
    assert "in use by theirs -> deploy or destroy the stack that imports it first" in cause


def test_a_plan_says_what_deploy_does_and_leaves_nothing_behind(world: World) -> None:
    fresh = plan(five(), world.aws, Options(poll_interval=5.0), world.host())
    assert [(one.action, one.exact) for one in fresh.stacks] == [("create", True)] * 5
    assert world.statuses() == {}

    world.deploy(five())
    found = plan(five(Size="2"), world.aws, Options(poll_interval=5.0), world.host())

    assert {one.name: one.action for one in found.stacks if one.action != "none"} == {"service": "update"}
    (change,) = found.stacks[-1].changes
    assert (change.action, change.logical_id, change.replacement) == ("Modify", "One", "False")
    assert [world.change_sets(name) for name in world.statuses()] == [[]] * 5


def test_where_imports_must_exist_a_plan_says_what_it_can(world: World) -> None:
    world.box.sandbox.faults.behaviour.missing_import = "fail"

    found = plan(five(), world.aws, Options(poll_interval=5.0), world.host())

    assert {one.name: (one.action, one.exact, one.problems) for one in found.stacks} == {
        "security": ("create", True, ()),
        "network": ("create", True, ()),
        "alb": ("create", False, ()),
        "database": ("create", False, ()),
        "service": ("create", False, ()),
    }
    assert world.statuses() == {}
    assert outcomes(world.deploy(five())) == all_are("create")


def test_a_template_with_an_error_is_refused_with_awss_words(world: World) -> None:
    broken = spec("a", json.dumps(of({"One": {"Type": "AWS::Test::Nothing"}})))

    result = world.deploy(manifest(broken))

    assert result.exit_code == 1
    assert "AWS::Test::Nothing" in result.stacks[0].reason
    assert world.statuses() == {}
