"""Whole deployments on a small cloud: order, cost, updates, what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deployer.deploy import deploy
from deployer.errors import Refused
from deployer.options import Options
from deployer.progress import (
    ResourceEvent,
    RunStarted,
    StackFinished,
    StackStarted,
)
from deployer.states import StackState
from generator.manifest import StackSpec
from tests.deployer.fakes import FakeCloud, chain, host, manifest, spec, template
from tests.deployer.run.runs import BUCKET, FIVE, World, outcomes, with_topic


@pytest.fixture
def world() -> World:
    return World()


# order and time


def test_a_new_environment_is_created_stack_by_stack_as_soon_as_its_needs_are_met(world: World) -> None:
    world.cloud.seconds = {"dev-network": 100, "dev-security": 10, "dev-alb": 10, "dev-database": 300}

    result = world.deploy(manifest(*FIVE))

    assert outcomes(result) == dict.fromkeys((one.name for one in FIVE), ("create", "done"))
    assert result.exit_code == 0
    started = [event.stack for event in world.said(StackStarted)]
    assert started == ["security", "network", "alb", "database", "service"]
    assert world.clock.now < 100 + 300 + 10 + 3 * 6  # the longest path, and a look's delay at each end


def test_what_the_stacks_are_and_export_at_the_end_is_in_the_result(world: World) -> None:
    result = world.deploy(manifest(*chain("a", "b")))

    assert [(one.stack, one.export, one.value) for one in result.outputs] == [
        ("a", "dev-a-Id", "value of dev-a-Id"),
        ("b", "dev-b-Id", "value of dev-b-Id"),
    ]
    assert [one.status for one in result.stacks] == ["CREATE_COMPLETE", "CREATE_COMPLETE"]


def test_a_run_announces_its_waves_before_anything_is_touched(world: World) -> None:
    world.deploy(manifest(*FIVE))

    first = world.told[0]
    assert isinstance(first, RunStarted)
    assert first.waves == (("security", "network"), ("alb", "database"), ("service",))
    assert first.resources == {"network": 1, "security": 1, "alb": 2, "database": 3, "service": 3}


def test_dependants_start_while_their_producer_is_still_cleaning_up(world: World) -> None:
    a, b = chain("a", "b")
    world.deploy(manifest(a, b))
    world.forget()
    changed = [with_topic(one, New={"Type": "AWS::SNS::Topic"}) for one in (a, b)]
    cleaning = Cleaning(world.cloud)

    result = deploy(manifest(*changed), cleaning, Options(), host(world.clock, world.told, "run2"))

    assert result.exit_code == 0
    assert [event.stack for event in world.said(StackStarted)] == ["a", "b"]
    finished = [event.result.name for event in world.said(StackFinished)]
    assert finished == ["b", "a"]


class Cleaning:
    """Shows the update of dev-a as done, but cleaning up for a minute more."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def stacks(self, names: Any, ids: Any = (), tags: Any = None) -> tuple[StackState, ...]:
        return tuple(
            replace(one, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            if one.name == "dev-a" and one.status == "UPDATE_COMPLETE" and self._cloud.clock.now < 80
            else one
            for one in self._cloud.stacks(names, ids, tags)
        )


# cost


def test_a_run_that_changes_nothing_on_five_stacks_costs_17_calls(world: World) -> None:
    world.deploy(manifest(*FIVE))
    world.forget()

    result = world.deploy(manifest(*FIVE))

    assert outcomes(result) == dict.fromkeys((one.name for one in FIVE), ("none", "done"))
    assert len(world.cloud.calls) == 17  # exports, one look, and three for every change set


def test_a_new_environment_of_five_stacks_costs_30_calls_where_all_is_instant() -> None:
    world = World(seconds=0)

    assert world.deploy(manifest(*FIVE)).exit_code == 0

    assert world.cloud.count("stacks") == 4  # one before, one a wave
    assert len(world.cloud.calls) == 30  # before each of five executions one that compares the template


def test_a_look_costs_the_same_however_many_stacks_are_in_flight() -> None:
    few, many = World(seconds=60), World(seconds=60)

    few.deploy(manifest(spec("s0")))
    many.deploy(manifest(*(spec(f"s{number}") for number in range(12))))

    assert many.cloud.count("stacks") <= few.cloud.count("stacks") + 1


def test_looks_become_rarer_the_longer_nothing_happens() -> None:
    world = World(seconds=1000)

    world.deploy(manifest(spec("a")))

    assert world.clock.sleeps[1] == 0.2
    assert max(world.clock.sleeps) == 5.0
    assert world.cloud.count("stacks") < 230


def test_a_given_interval_is_kept_to(world: World) -> None:
    world.deploy(manifest(spec("a")), poll_interval=3.0)

    assert set(world.clock.sleeps) == {3.0}


def test_events_are_not_read_when_nobody_looks_at_them(world: World) -> None:
    world.deploy(manifest(spec("a")), show_events=False)

    assert world.cloud.count("events") == 0


# updates


def test_only_what_changed_is_updated(world: World) -> None:
    a, b = chain("a", "b")
    world.deploy(manifest(a, b))

    result = world.deploy(manifest(a, with_topic(b, New={"Type": "AWS::SNS::Topic"})))

    assert outcomes(result) == {"a": ("none", "done"), "b": ("update", "done")}


def test_change_sets_of_all_existing_stacks_are_worked_out_side_by_side() -> None:
    world = World(working_out=30)
    world.deploy(manifest(*chain("a", "b", "c")))
    before = world.clock.now

    world.deploy(manifest(*chain("a", "b", "c")))

    assert world.clock.now - before < 40


def test_a_change_of_outputs_alone_is_executed(world: World) -> None:
    (a,) = chain("a")
    world.deploy(manifest(a))
    document = json.loads(a.template)
    document["Outputs"]["More"] = {"Value": "more"}

    result = world.deploy(manifest(replace(a, template=json.dumps(document))))

    assert outcomes(result) == {"a": ("update", "done")}
    assert [one.key for one in result.outputs] == ["Output0", "More"]


def test_an_update_prepared_too_early_is_made_again_when_what_it_needs_is_there(world: World) -> None:
    (b,) = (spec("b"),)
    world.deploy(manifest(b))
    world.cloud.refusals["dev-b"] = "No export named dev-a-Id found"
    a, needy = chain("a", "b")

    result = world.deploy(manifest(a, needy))

    assert outcomes(result) == {"a": ("create", "done"), "b": ("update", "done")}


def test_a_change_set_that_aws_refuses_is_told_with_its_reasons_and_removed(world: World) -> None:
    world.cloud.refusals["dev-a"] = "Properties validation failed"

    result = world.deploy(manifest(spec("a")))

    assert result.stacks[0].reason == (
        "the change set was refused: Properties validation failed; Topic: the property Nmae does not exist"
    )
    assert (result.exit_code, world.cloud.made, world.cloud.status("dev-a")) == (1, {}, "DELETE_IN_PROGRESS")


# stateful resources


def with_bucket(**properties: str) -> StackSpec:
    return spec("b", template({"Data": {"Type": "AWS::S3::Bucket", "Properties": properties}}))


@pytest.mark.parametrize(
    "after", [with_bucket(Replace="True"), with_bucket(Replace="Conditional"), spec("b")]
)
def test_losing_data_is_refused_before_anything_is_touched(world: World, after: StackSpec) -> None:
    a, before = spec("a"), with_bucket()
    world.deploy(manifest(a, before))
    world.forget()

    result = world.deploy(manifest(with_topic(a, New={"Type": "AWS::SNS::Topic"}), after))

    assert result.exit_code == 4
    assert outcomes(result) == {"a": ("skipped", "skipped"), "b": ("update", "protected")}
    assert "--allow-replace Data" in result.stacks[1].reason
    assert world.cloud.count("execute") == 0
    assert not any(one.state.execution == "AVAILABLE" for one in world.cloud.made.values())


def test_every_stack_that_loses_data_is_named_by_one_refusal_and_one_command_allows_it(world: World) -> None:
    def bucket(name: str, *needs: str) -> StackSpec:
        text = template({f"Of{name}": BUCKET}, exports=[f"dev-{name}-Id"], imports=needs)
        return spec(name, text)

    def emptied(name: str, *needs: str) -> StackSpec:
        return spec(name, template(exports=[f"dev-{name}-Id"], imports=needs))

    world.deploy(manifest(bucket("a"), bucket("b", "dev-a-Id"), spec("c")))
    world.cloud.working_out = 30.0
    world.forget()
    wanted = manifest(emptied("a"), emptied("b", "dev-a-Id"), with_topic(spec("c"), New=BUCKET))

    refused = world.deploy(wanted)

    assert {one.name: (one.outcome, one.allow) for one in refused.stacks} == {
        "a": ("protected", "--allow-replace Ofa"),
        "b": ("protected", "--allow-replace Ofb"),
        "c": ("skipped", ""),
    }
    assert [one.result.name for one in world.said(StackFinished)].count("b") == 1
    assert world.cloud.count("execute") == 0
    assert not any(one.state.execution == "AVAILABLE" for one in world.cloud.made.values())
    assert world.deploy(wanted, allow_replace=frozenset({"Ofa", "Ofb"})).exit_code == 0


def test_losing_data_is_carried_out_when_it_is_allowed_by_name(world: World) -> None:
    world.deploy(manifest(with_bucket()))

    result = world.deploy(manifest(spec("b")), allow_replace=frozenset({"Data"}))

    assert outcomes(result) == {"b": ("update", "done")}


def test_a_production_stack_is_protected_once_it_is_there(world: World) -> None:
    wanted = manifest(spec("a", termination_protection=True))

    world.deploy(wanted)
    world.deploy(wanted)

    assert world.cloud.count("protect") == 1
    assert world.cloud.stacks(["dev-a"])[0].protected


# refused before anything is touched


def test_the_credentials_of_another_account_are_refused(world: World) -> None:
    with pytest.raises(Refused, match="account 111122223333, dev is for account 999999999999"):
        world.deploy(manifest(spec("a"), account="999999999999"))
    assert world.cloud.calls == [("account", "")]


def test_without_an_account_in_the_settings_nobody_asks_for_it(world: World) -> None:
    world.deploy(manifest(spec("a")))

    assert world.cloud.count("account") == 0


def test_a_stack_that_is_none_of_the_environment_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="nettwork: no such stack; there are a"):
        world.deploy(manifest(spec("a")), only=frozenset({"nettwork"}))


def test_a_template_above_1_mb_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="CloudFormation takes 1000000"):
        world.deploy(manifest(spec("a", template({"T": {"Type": "X", "Metadata": "x" * 1_000_000}}))))


def test_one_stack_alone_can_be_deployed_when_what_it_imports_is_there(world: World) -> None:
    world.deploy(manifest(*chain("a", "b")))
    changed = [with_topic(one, New={"Type": "AWS::SNS::Topic"}) for one in chain("a", "b")]

    result = world.deploy(manifest(*changed), only=frozenset({"b"}))

    assert outcomes(result) == {"b": ("update", "done")}


# what is told


def test_each_event_is_told_once_and_only_of_this_operation(world: World) -> None:
    wanted = manifest(spec("a"))
    world.deploy(wanted)
    world.forget()

    world.deploy(manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"})))

    told = [event.event.status for event in world.said(ResourceEvent)]
    assert told == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
