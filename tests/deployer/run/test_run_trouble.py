"""Deployments when something goes wrong: failures, others at work, lost answers, signals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deployer.deploy import deploy
from deployer.errors import CloudError, LostSight, MovedOn, NotAllowed, Transient
from deployer.options import Options
from deployer.progress import (
    Notice,
    Stopping,
)
from deployer.states import ChangeSetRequest, StackState
from tests.deployer.fakes import FakeCloud, Fault, chain, host, manifest, spec, template
from tests.deployer.run.runs import BUCKET, FIVE, World, outcomes, with_topic


@pytest.fixture
def world() -> World:
    return World()


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


def test_each_operation_on_a_stack_has_its_own_time_limit(world: World) -> None:
    wanted = manifest(spec("a", timeout_minutes=20))
    world.cloud.faults["dev-a"] = Fault("Topic", "Invalid parameter")
    world.deploy(wanted)
    world.cloud.seconds = {"dev-a": 1000.0}

    assert outcomes(world.deploy(wanted)) == {"a": ("recreate", "done")}


def test_the_time_that_a_stack_waits_for_others_is_not_its_own() -> None:
    world = World(working_out=5.0)
    a, b = chain("a", "b")
    both = manifest(a, replace(b, timeout_minutes=20))
    world.deploy(both)
    world.cloud.seconds = {"dev-a": 2000.0}
    world.cloud.refusals = {"dev-b": "No export named dev-a-New"}
    changed = [with_topic(one, New={"Type": "AWS::SNS::Topic"}) for one in both.stacks]

    assert outcomes(world.deploy(manifest(*changed))) == {"a": ("update", "done"), "b": ("update", "done")}


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
    assert "gatestack did not create it" in result.stacks[0].reason


def test_what_a_failed_deletion_has_left_that_holds_data_is_left_alone(world: World) -> None:
    world.cloud.has("dev-a", "DELETE_FAILED", template({"Data": BUCKET}))

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


class Lagging:
    """A cloud whose statuses are those of twelve seconds ago, while all the rest is new."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self._seen: list[tuple[float, str]] = [(0.0, "CREATE_COMPLETE")]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def stacks(self, names: Any, ids: Any = (), tags: Any = None) -> tuple[StackState, ...]:
        (found,) = self._cloud.stacks(names, ids, tags)
        now = self._cloud.clock.now
        self._seen.append((now, found.status))
        return (replace(found, status=[status for at, status in self._seen if at <= max(0, now - 12)][-1]),)


def test_the_end_of_an_update_is_believed_only_when_its_change_set_says_the_same(world: World) -> None:
    world.cloud.usual = 5
    world.deploy(manifest(spec("a")))
    world.cloud.faults["dev-a"] = Fault("New", "no")
    wanted = manifest(with_topic(spec("a"), New={"Type": "AWS::SNS::Topic"}))

    result = deploy(wanted, Lagging(world.cloud), Options(), host(world.clock, run_id="run2"))

    assert outcomes(result) == {"a": ("update", "failed")}


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

    def stacks(self, names: Any, ids: Any = (), tags: Any = None) -> tuple[StackState, ...]:
        if self._cloud.count("execute"):
            raise self._error
        return self._cloud.stacks(names, ids, tags)


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
    assert "can no longer be read" in result.stacks[0].reason


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
