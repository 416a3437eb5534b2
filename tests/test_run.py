"""The deployer's loop, against a small CloudFormation on a clock that tests move."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fakes import OURS, Clock, FakeCloud, Fault, chain, host, manifest, spec, template

from deployer.cloud import ChangeSetRequest, StackState
from deployer.deploy import deploy, destroy
from deployer.errors import CloudError, LostSight, MovedOn, NotAllowed, Protected, Refused, Transient
from deployer.options import Options
from deployer.prepare import Preparer
from deployer.progress import (
    Event,
    Notice,
    ResourceEvent,
    Result,
    RunStarted,
    StackFinished,
    StackStarted,
    Stopping,
)
from generator.manifest import Lookup, Manifest, StackSpec, Upload


class World:
    """One account, one clock, any number of runs."""

    def __init__(self, **cloud: Any) -> None:
        self.clock = Clock()
        self.cloud = FakeCloud(self.clock, **cloud)
        self.told: list[Event] = []
        self.runs = 0
        self.signals: list[float] = []
        """When somebody presses Ctrl-C."""

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.cloud, Options(**options), self._host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.cloud, Options(**options), self._host())

    def _host(self) -> Any:
        self.runs += 1
        stop = lambda: sum(self.clock.now >= at for at in self.signals)  # noqa: E731 - one line is enough
        return host(self.clock, self.told, f"run{self.runs}", stop)

    def forget(self) -> None:
        self.cloud.calls.clear()
        self.told.clear()

    def said(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def world() -> World:
    return World()


def outcomes(result: Result) -> dict[str, tuple[str, str]]:
    return {stack.name: (stack.action, stack.outcome) for stack in result.stacks}


def with_topic(one: StackSpec, **resources: Any) -> StackSpec:
    document = json.loads(one.template)
    document["Resources"] |= resources
    return replace(one, template=json.dumps(document))


FIVE = (
    spec("security", template(exports=["dev-security-Key"])),
    spec("network", template(exports=["dev-network-Vpc"])),
    spec("alb", template(exports=["dev-alb-Arn"], imports=["dev-network-Vpc"])),
    spec(
        "database", template(exports=["dev-database-Host"], imports=["dev-network-Vpc", "dev-security-Key"])
    ),
    spec("service", template(imports=["dev-alb-Arn", "dev-database-Host"])),
)


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

    def stacks(self, names: Any, ids: Any = ()) -> tuple[StackState, ...]:
        return tuple(
            replace(one, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            if one.name == "dev-a" and one.status == "UPDATE_COMPLETE" and self._cloud.clock.now < 80
            else one
            for one in self._cloud.stacks(names, ids)
        )


# cost


def test_a_run_that_changes_nothing_on_five_stacks_costs_17_calls(world: World) -> None:
    world.deploy(manifest(*FIVE))
    world.forget()

    result = world.deploy(manifest(*FIVE))

    assert outcomes(result) == dict.fromkeys((one.name for one in FIVE), ("none", "done"))
    assert len(world.cloud.calls) == 17  # exports, one look, and three for every change set


def test_a_new_environment_of_five_stacks_costs_25_calls_where_all_is_instant() -> None:
    world = World(seconds=0)

    assert world.deploy(manifest(*FIVE)).exit_code == 0

    assert world.cloud.count("stacks") == 4  # one before, one a wave
    assert len(world.cloud.calls) == 25


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

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {}}


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


# failures


def test_a_failed_stack_skips_what_needs_it_and_nothing_else(world: World) -> None:
    world.cloud.faults["dev-database"] = Fault("Database", "DB instance class db.x is not available")

    result = world.deploy(manifest(*FIVE))

    assert outcomes(result) == {
        "network": ("create", "done"),
        "security": ("create", "done"),
        "alb": ("create", "done"),
        "database": ("create", "failed"),
        "service": ("skipped", "skipped"),
    }
    assert result.exit_code == 1
    cause = next(one.cause for one in result.stacks if one.name == "database")
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Database", "DB instance class db.x is not available")
    skipped = next(one for one in result.stacks if one.name == "service")
    assert skipped.reason.startswith("database failed: Database (AWS::SNS::Topic): DB instance class")


def test_on_failure_stop_starts_nothing_more(world: World) -> None:
    world.cloud.seconds = {"dev-a": 1, "dev-b": 50}
    world.cloud.faults["dev-a"] = Fault("Topic", "no")
    b, c = chain("b", "c")

    result = world.deploy(manifest(spec("a"), b, c), on_failure="stop")

    assert outcomes(result) == {
        "a": ("create", "failed"), "b": ("create", "done"), "c": ("skipped", "skipped"),
    }  # fmt: skip


def test_a_failed_update_is_a_failure_although_its_status_ends_in_complete(world: World) -> None:
    world.deploy(manifest(spec("a")))
    world.cloud.faults["dev-a"] = Fault("New", "Invalid parameter: Name")

    result = world.deploy(manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"})))

    assert outcomes(result) == {"a": ("update", "failed")}
    assert result.stacks[0].status == "UPDATE_ROLLBACK_COMPLETE"
    assert str(result.stacks[0].cause) == "New (AWS::SNS::Topic): Invalid parameter: Name"


def test_after_a_failed_update_the_next_run_updates_again(world: World) -> None:
    world.deploy(manifest(spec("a")))
    world.cloud.faults["dev-a"] = Fault("New", "Invalid parameter: Name")
    wanted = manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"}))
    world.deploy(wanted)

    assert outcomes(world.deploy(wanted)) == {"a": ("update", "done")}


def test_a_failed_first_creation_is_deleted_and_made_again(world: World) -> None:
    world.cloud.faults["dev-a"] = Fault("Topic", "Invalid parameter")
    wanted = manifest(spec("a"))
    world.deploy(wanted)
    assert world.cloud.status("dev-a") == "ROLLBACK_COMPLETE"

    result = world.deploy(wanted)

    assert outcomes(result) == {"a": ("recreate", "done")}
    assert world.cloud.status("dev-a") == "CREATE_COMPLETE"


def test_a_failed_creation_that_is_not_ours_is_left_alone(world: World) -> None:
    world.cloud.has("dev-a", "ROLLBACK_COMPLETE", tags={"team": "other"})

    result = world.deploy(manifest(spec("a")))

    assert (result.exit_code, world.cloud.count("delete_stack")) == (4, 0)
    assert "gatestack did not make it" in result.stacks[0].reason


def test_a_failed_creation_that_holds_data_is_left_alone(world: World) -> None:
    world.cloud.has("dev-a", "ROLLBACK_FAILED", template({"Data": BUCKET}))

    result = world.deploy(manifest(spec("a")))

    assert (result.exit_code, world.cloud.count("delete_stack")) == (4, 0)
    assert "it holds Data" in result.stacks[0].reason


@pytest.mark.parametrize(
    ("status", "method"),
    [("UPDATE_ROLLBACK_FAILED", "continue_rollback"), ("UPDATE_FAILED", "roll_back")],
)
def test_a_stuck_update_is_brought_to_rest_and_then_updated(world: World, status: str, method: str) -> None:
    world.cloud.has("dev-a", status)

    result = world.deploy(manifest(spec("a")))

    assert outcomes(result) == {"a": ("update", "done")}
    assert world.cloud.count(method) == 1


def test_a_deletion_that_failed_is_repeated_before_creating(world: World) -> None:
    world.cloud.has("dev-a", "DELETE_FAILED")

    assert outcomes(world.deploy(manifest(spec("a")))) == {"a": ("recreate", "done")}


def test_a_stack_under_review_is_used_and_old_change_sets_in_it_are_removed(world: World) -> None:
    world.cloud.working_out = 5
    world.signals = [1.0, 1.0]
    first = world.deploy(manifest(spec("a")))
    assert (first.exit_code, world.cloud.made) == (130, {})
    world.cloud.has("dev-a", "REVIEW_IN_PROGRESS", tags={})
    world.signals = []

    assert outcomes(world.deploy(manifest(spec("a")))) == {"a": ("create", "done")}


def test_old_change_sets_of_ours_are_removed_from_a_stack_under_review_those_of_others_are_not(
    world: World,
) -> None:
    review = world.cloud.has("dev-a", "REVIEW_IN_PROGRESS", tags={})
    for name in ("gatestack-old", "theirs"):
        request = ChangeSetRequest("dev-a", "CREATE", name, name, "{}", None)
        world.cloud.create_change_set(request)
    assert set(world.cloud.change_set_names(review.id)) == {"gatestack-old", "theirs"}
    world.cloud.refusals["dev-a"] = "no"

    assert world.deploy(manifest(spec("a"))).exit_code == 1

    assert set(world.cloud.change_set_names(review.id)) == {"theirs"}
    assert world.cloud.count("delete_stack") == 0


def test_a_leftover_change_set_of_the_same_name_is_taken_up(world: World) -> None:
    world.deploy(manifest(spec("a")))
    world.cloud.working_out = 30
    wanted = manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"}))
    world.cloud.raises["delete_change_set"] = [CloudError("killed before")]
    world.signals = [world.clock.now + 5, world.clock.now + 5]
    world.deploy(wanted)
    (left,) = [key for key, one in world.cloud.made.items() if one.state.execution == "AVAILABLE"]
    world.signals = []

    assert outcomes(world.deploy(wanted)) == {"a": ("update", "done")}
    assert world.cloud.acts("execute")[-1] == left


def test_a_leftover_that_had_failed_is_made_again(world: World) -> None:
    world.deploy(manifest(spec("a")))
    world.cloud.refusals["dev-a"] = "no"
    wanted = manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"}))
    world.cloud.raises["delete_change_set"] = [CloudError("no")]
    failed = world.deploy(wanted)
    assert (failed.exit_code, len(world.cloud.change_set_names(world.cloud.stacks(["dev-a"])[0].id))) == (
        1,
        2,
    )
    assert "could not be removed" in world.said(Notice)[-1].text

    assert outcomes(world.deploy(wanted)) == {"a": ("update", "done")}


# others at work, stale reads, lost answers


def test_a_stack_that_somebody_else_changes_is_waited_for(world: World) -> None:
    world.cloud.has("dev-a", "UPDATE_IN_PROGRESS")
    world.cloud.changes_by_itself("dev-a", "UPDATE_COMPLETE", 60)

    result = world.deploy(manifest(spec("a")))

    assert outcomes(result) == {"a": ("update", "done")}
    assert world.clock.now > 60


def test_looks_that_are_behind_are_not_taken_for_the_end() -> None:
    for stale in range(1, 6):
        world = World()
        world.deploy(manifest(spec("a")))
        world.cloud.stale = stale
        world.cloud.faults["dev-a"] = Fault("New", "no")

        result = world.deploy(manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"})))

        assert outcomes(result) == {"a": ("update", "failed")}, stale


@pytest.mark.parametrize("method", ["create_change_set", "execute"])
def test_an_answer_that_was_lost_leads_to_nothing_done_twice(world: World, method: str) -> None:
    world.cloud.loses[method] = [Transient("connection closed")]

    result = world.deploy(manifest(spec("a")))

    assert outcomes(result) == {"a": ("create", "done")}
    assert [event.status for event in world.cloud.events(world.cloud.stacks(["dev-a"])[0].id)] == [
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]


def test_a_lost_answer_to_a_deletion_is_repeated_with_the_same_token(world: World) -> None:
    world.deploy(manifest(spec("a")))
    world.cloud.loses["delete_stack"] = [Transient("connection closed")]

    assert outcomes(world.destroy(manifest(spec("a")))) == {"a": ("delete", "done")}


def test_looks_that_fail_for_a_while_do_no_harm(world: World) -> None:
    world.cloud.raises["stacks"] = []
    world.deploy(manifest(spec("a")))
    world.cloud.raises["stacks"] = []
    world.cloud.raises["change_set"] = [Transient("Rate exceeded")] * 3
    wanted = manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"}))

    assert outcomes(world.deploy(wanted)) == {"a": ("update", "done")}


def test_an_endpoint_that_stays_silent_is_lost_sight_of(world: World) -> None:
    blind = Blind(world.cloud, Transient("connection refused"))

    result = deploy(manifest(*chain("a", "b")), blind, Options(), host(world.clock))

    assert outcomes(result) == {"a": ("create", "going-on"), "b": ("skipped", "skipped")}
    assert result.exit_code == 5
    assert result.resume == "gatestack deploy dev"


def test_credentials_that_expire_are_lost_sight_not_failure(world: World) -> None:
    blind = Blind(world.cloud, LostSight("the AWS credentials have expired: log in again"))

    result = deploy(manifest(spec("a")), blind, Options(), host(world.clock))

    assert (outcomes(result), result.exit_code) == ({"a": ("create", "going-on")}, 5)
    assert world.deploy(manifest(spec("a"))).exit_code == 0


class Blind:
    """Answers until something was executed, and never again."""

    def __init__(self, cloud: FakeCloud, error: Exception) -> None:
        self._cloud = cloud
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def stacks(self, names: Any, ids: Any = ()) -> tuple[StackState, ...]:
        if self._cloud.count("execute"):
            raise self._error
        return self._cloud.stacks(names, ids)


def test_a_stack_that_went_busy_under_our_hands_is_looked_at_again(world: World) -> None:
    world.cloud.raises["create_change_set"] = [MovedOn("Stack is in UPDATE_IN_PROGRESS state")]

    assert outcomes(world.deploy(manifest(spec("a")))) == {"a": ("create", "done")}


def test_an_update_by_somebody_else_in_between_makes_a_new_change_set(world: World) -> None:
    a, b = chain("a", "b")
    world.deploy(manifest(a, b))
    world.forget()
    world.cloud.changes_by_itself("dev-b", "UPDATE_COMPLETE", 5)
    changed = [with_topic(one, New={"Type": "AWS::SNS::Topic"}) for one in (a, b)]

    result = world.deploy(manifest(*changed))

    assert outcomes(result) == {"a": ("update", "done"), "b": ("update", "done")}
    assert world.cloud.count("create_change_set") == 3


def test_a_change_set_that_cannot_be_read_for_a_while_is_asked_for_again(world: World) -> None:
    world.cloud.raises["change_set"] = [Transient("Rate exceeded")] * 3

    assert outcomes(world.deploy(manifest(spec("a")))) == {"a": ("create", "done")}


def test_a_change_set_that_somebody_removed_is_made_again(world: World) -> None:
    world.cloud.working_out = 60
    vanishing = Vanishing(world.cloud)

    result = deploy(manifest(spec("a")), vanishing, Options(), host(world.clock))

    assert outcomes(result) == {"a": ("create", "done")}
    assert world.cloud.count("create_change_set") == 2


class Vanishing:
    """A cloud where the first change set goes while it is being worked out."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self._gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def change_set(self, change_set_id: str) -> Any:
        if not self._gone:
            self._gone = True
            self._cloud.made.clear()
        return self._cloud.change_set(change_set_id)


def test_a_look_that_is_refused_in_mid_run_is_lost_sight(world: World) -> None:
    blind = Blind(world.cloud, NotAllowed("grant the permission cloudformation:DescribeStacks"))

    result = deploy(manifest(spec("a")), blind, Options(), host(world.clock))

    assert (outcomes(result), result.exit_code) == ({"a": ("create", "going-on")}, 5)
    assert "cannot be seen any more" in result.stacks[0].reason


def test_events_that_may_not_be_read_are_said_once_and_harm_nothing(world: World) -> None:
    world.cloud.raises["events"] = [CloudError("odd"), NotAllowed("grant DescribeStackEvents")]

    assert world.deploy(manifest(spec("a"), spec("b"))).exit_code == 0

    assert [notice.text for notice in world.said(Notice)] == [
        "events cannot be shown: grant DescribeStackEvents"
    ]


def test_a_missing_permission_fails_the_stack_and_names_it(world: World) -> None:
    world.cloud.raises["create_change_set"] = [NotAllowed("grant cloudformation:CreateChangeSet")]

    result = world.deploy(manifest(spec("a")))

    assert (result.exit_code, result.stacks[0].reason) == (1, "grant cloudformation:CreateChangeSet")


def test_a_request_that_aws_never_takes_ends_in_its_words(world: World) -> None:
    world.cloud.raises["create_change_set"] = [Transient("Rate exceeded")] * 1000

    result = world.deploy(manifest(spec("a")))

    assert (result.exit_code, result.stacks[0].reason.split(" -> ")[0]) == (1, "Rate exceeded")
    assert [notice.text for notice in world.said(Notice)] == ["tried again: Rate exceeded"]
    assert 600 < world.clock.now < 700


def test_an_operation_beyond_its_limit_is_still_going_on(world: World) -> None:
    world.cloud.usual = 10_000

    result = world.deploy(manifest(spec("a", timeout_minutes=30), *chain("x")))

    assert outcomes(result)["a"] == ("create", "going-on")
    assert result.exit_code == 5


# signals


def test_one_signal_starts_nothing_new_and_sees_what_runs_to_its_end(world: World) -> None:
    world.cloud.usual = 60
    world.signals = [30]

    result = world.deploy(manifest(*chain("a", "b")))

    assert outcomes(result) == {"a": ("create", "done"), "b": ("create", "interrupted")}
    assert result.exit_code == 130
    assert world.said(Stopping) == [Stopping(("a",))]


def test_a_second_signal_leaves_and_says_what_goes_on(world: World) -> None:
    world.cloud.usual = 600
    world.signals = [30, 40]

    result = world.deploy(manifest(*chain("a", "b")))

    assert outcomes(result) == {"a": ("create", "going-on"), "b": ("create", "interrupted")}
    assert (result.exit_code, world.said(Stopping)[-1]) == (130, Stopping(("a",), leaving=True))
    assert world.clock.now < 60


def test_an_interrupted_run_is_taken_up_by_the_next_one(world: World) -> None:
    world.cloud.usual = 100
    world.signals = [30, 31]
    world.deploy(manifest(*chain("a", "b")))
    world.signals = []

    result = world.deploy(manifest(*chain("a", "b")))

    assert outcomes(result) == {"a": ("none", "done"), "b": ("create", "done")}


def test_prepared_change_sets_of_an_interrupted_run_are_removed(world: World) -> None:
    world.deploy(manifest(*chain("a", "b")))
    world.cloud.working_out = 60
    world.signals = [world.clock.now + 10]
    changed = [with_topic(one, New={"Type": "AWS::SNS::Topic"}) for one in chain("a", "b")]

    result = world.deploy(manifest(*changed))

    assert outcomes(result) == {"a": ("update", "interrupted"), "b": ("skipped", "skipped")}
    assert not any(one.state.execution == "AVAILABLE" for one in world.cloud.made.values())


# what only the account knows

COUNT = {"repository": "dev-litellm", "tag": "v1", "count": "2", "scaled": "true"}
SERVICE = spec("service", lookups=(Lookup("DesiredCount", "desired-count", COUNT),))


def desired(world: World) -> str:
    return world.cloud.stacks(["dev-service"])[0].parameters["DesiredCount"]


def test_without_an_image_no_task_is_started_and_the_next_deployment_starts_them(world: World) -> None:
    world.deploy(manifest(SERVICE))
    notice = world.said(Notice)[0]
    assert (desired(world), notice.warning) == ("0", True)
    assert "dev-litellm:v1 is not in ECR yet" in notice.text
    assert "gatestack deploy dev" in notice.text

    world.cloud.images = {"dev-litellm:v1"}
    assert outcomes(world.deploy(manifest(SERVICE))) == {"service": ("update", "done")}
    assert desired(world) == "2"
    assert outcomes(world.deploy(manifest(SERVICE))) == {"service": ("none", "done")}


def test_scaling_owns_the_count_of_a_service_that_runs(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    world.deploy(manifest(SERVICE))

    world.deploy(manifest(with_topic(SERVICE, New={"Type": "AWS::SNS::Topic"})))

    assert desired(world) == ""


def test_an_image_that_is_missing_stops_the_update_of_running_tasks(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    world.deploy(manifest(SERVICE))
    world.forget()
    newer = replace(SERVICE, lookups=(Lookup("DesiredCount", "desired-count", COUNT | {"tag": "v2"}),))

    result = world.deploy(manifest(newer))

    assert outcomes(result) == {"service": ("update", "failed")}
    assert "docker push" in result.stacks[0].reason
    assert world.cloud.count("create_change_set") == 0


def test_the_live_engine_version_is_never_gone_below(world: World) -> None:
    facts = {"engine": "postgres", "version": "16.4", "identifier": "dev-litellm"}
    database = spec("database", lookups=(Lookup("EngineVersion", "engine-version", facts),))
    world.deploy(manifest(database))
    assert world.cloud.stacks(["dev-database"])[0].parameters == {"EngineVersion": "16.4"}

    world.cloud.live_version = "16.8"
    world.deploy(manifest(database))

    assert world.cloud.stacks(["dev-database"])[0].parameters == {"EngineVersion": "16.8"}


def service_with_file(tag: str) -> Manifest:
    security = spec("security", template(exports=["dev-security-Bucket"]))
    service = spec(
        "service",
        template(imports=["dev-security-Bucket"]),
        lookups=(Lookup("DesiredCount", "desired-count", COUNT | {"tag": tag}),),
        uploads=(Upload("config.yaml", "dev-security-Bucket", f"litellm/{tag}.yaml"),),
    )
    return manifest(security, service, files={"config.yaml": "model_list: []"})


def test_files_are_in_s3_before_the_stack_that_needs_them_changes(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}

    world.deploy(service_with_file("v1"))

    assert world.cloud.objects == {("value of dev-security-Bucket", "litellm/v1.yaml"): "model_list: []"}
    methods = [method for method, _ in world.cloud.calls]
    assert methods.index("put_object") < len(methods) - 1 - methods[::-1].index("execute")


def test_without_s3_a_service_without_tasks_is_deployed_all_the_same(world: World) -> None:
    world.cloud.objects = None

    result = world.deploy(service_with_file("v1"))

    assert result.exit_code == 0
    assert "could not be put into S3 (this endpoint has no S3)" in world.said(Notice)[-1].text


def test_without_s3_a_service_with_tasks_is_not_started(world: World) -> None:
    world.cloud.objects = None
    world.cloud.images = {"dev-litellm:v1"}

    result = world.deploy(service_with_file("v1"))

    assert outcomes(result)["service"] == ("create", "failed")
    assert "cannot be put into S3" in result.stacks[1].reason


def test_a_bucket_of_another_run_is_found_by_its_export_and_what_is_there_is_not_put_again(
    world: World,
) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    wanted = service_with_file("v1")
    world.deploy(replace(wanted, stacks=wanted.stacks[:1]))
    bucket = "value of dev-security-Bucket"
    world.cloud.objects = {(bucket, "litellm/v1.yaml"): "model_list: []"}

    assert world.deploy(wanted, only=frozenset({"service"})).exit_code == 0

    assert world.cloud.count("put_object") == 0


def test_a_file_for_a_bucket_that_nobody_exports_stops_the_service(world: World) -> None:
    world.cloud.images = {"dev-litellm:v1"}
    lost = replace(SERVICE, uploads=(Upload("config.yaml", "Nobody", "key"),))

    result = world.deploy(manifest(lost, files={"config.yaml": ""}))

    assert "no stack exports Nobody" in result.stacks[0].reason


def test_a_big_template_goes_through_s3(world: World) -> None:
    big = template({f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(2000)})

    result = world.deploy(manifest(spec("a", big)))

    assert result.exit_code == 0
    assert world.cloud.objects is not None
    assert [bucket for bucket, _ in world.cloud.objects] == ["artifacts-111122223333"]


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


# destroy


def test_stacks_go_in_reverse_order(world: World) -> None:
    world.deploy(manifest(*FIVE))
    world.forget()

    result = world.destroy(manifest(*FIVE))

    assert outcomes(result) == dict.fromkeys((one.name for one in FIVE), ("delete", "done"))
    order = [what.split("/")[1] for what in world.cloud.acts("delete_stack")]
    assert order[0] == "dev-service"
    assert set(order[1:3]) == {"dev-alb", "dev-database"}
    assert (result.exit_code, result.outputs) == (0, ())


def test_destroying_nothing_is_no_failure(world: World) -> None:
    result = world.destroy(manifest(spec("a")))

    assert (outcomes(result), result.exit_code) == ({"a": ("none", "done")}, 0)


def test_a_production_environment_goes_only_by_force(world: World) -> None:
    with pytest.raises(Protected, match="needs --force"):
        world.destroy(manifest(spec("a"), production=True))
    assert world.cloud.calls == []


def test_termination_protection_is_switched_off_only_by_force(world: World) -> None:
    wanted = manifest(spec("a", termination_protection=True))
    world.deploy(wanted)

    refused = world.destroy(wanted)
    assert (refused.exit_code, world.cloud.status("dev-a")) == (4, "CREATE_COMPLETE")

    assert world.destroy(wanted, force=True).exit_code == 0


def test_what_the_template_keeps_is_listed_and_other_buckets_are_emptied(world: World) -> None:
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    snapshot = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"}
    wanted = manifest(spec("a", template({"Logs": BUCKET, "Kept": kept, "Database": snapshot})))
    world.deploy(wanted)

    result = world.destroy(wanted)

    assert result.stacks[0].kept == ("Kept", "Database")
    assert world.cloud.acts("empty_bucket") == ["Logs-id"]


def test_a_bucket_that_cannot_be_emptied_is_said(world: World) -> None:
    world.cloud.objects = None
    wanted = manifest(spec("a", template({"Logs": BUCKET})))
    world.deploy(wanted)

    assert world.destroy(wanted).exit_code == 0
    assert world.said(Notice)[-1].text == "the bucket Logs-id could not be emptied: this endpoint has no S3"


def test_what_was_never_created_is_removed_without_looking_into_it(world: World) -> None:
    world.cloud.has("dev-a", "REVIEW_IN_PROGRESS", tags={})

    assert outcomes(world.destroy(manifest(spec("a")))) == {"a": ("delete", "done")}
    assert world.cloud.count("template") == 0


def test_a_deletion_that_fails_is_tried_once_more_then_told_with_its_cause(world: World) -> None:
    wanted = manifest(spec("a"))
    world.deploy(wanted)
    world.cloud.faults["dev-a"] = Fault("Vpc", "has dependencies and cannot be deleted")
    assert world.destroy(wanted).exit_code == 0

    world.deploy(wanted)
    stuck = Stuck(world.cloud)
    result = destroy(wanted, stuck, Options(), host(world.clock, run_id="run9"))

    assert outcomes(result) == {"a": ("delete", "failed")}
    assert result.stacks[0].cause is not None
    assert result.stacks[0].cause.remedy == "delete what still uses it, then run it again"


class Stuck:
    """A cloud where dev-a never goes."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def delete_stack(self, stack_id: str, token: str) -> None:
        self._cloud.faults["dev-a"] = Fault("Vpc", "has dependencies and cannot be deleted")
        self._cloud.delete_stack(stack_id, token)


def test_a_stack_of_somebody_else_is_not_deleted(world: World) -> None:
    world.cloud.has("dev-a", "CREATE_COMPLETE", tags=OURS | {"Environment": "prod"})

    result = world.destroy(manifest(spec("a")))

    assert (result.exit_code, world.cloud.count("delete_stack")) == (4, 0)


def test_a_producer_of_stacks_that_stay_is_not_destroyed(world: World) -> None:
    world.deploy(manifest(*chain("a", "b")))

    with pytest.raises(Refused, match="b imports from a: destroy b as well"):
        world.destroy(manifest(*chain("a", "b")), only=frozenset({"a"}))


def test_a_stack_that_fails_to_go_keeps_what_it_imports_from(world: World) -> None:
    a, b = chain("a", "b")
    world.deploy(manifest(a, b))
    world.cloud.raises["delete_stack"] = [CloudError("no")]

    result = world.destroy(manifest(a, b))

    assert outcomes(result) == {"b": ("delete", "failed"), "a": ("skipped", "skipped")}


# what is told


def test_each_event_is_told_once_and_only_of_this_operation(world: World) -> None:
    wanted = manifest(spec("a"))
    world.deploy(wanted)
    world.forget()

    world.deploy(manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"})))

    told = [event.event.status for event in world.said(ResourceEvent)]
    assert told == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
