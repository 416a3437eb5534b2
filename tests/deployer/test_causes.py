"""The first real cause of a failure, and its remedy."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deployer.causes import first_cause, operation, readable, service_of, with_detail
from deployer.progress import Cause
from deployer.remedies import REMEDIES, Remedy, remedy
from deployer.states import StackEvent


def event(logical_id: str, status: str, reason: str = "", *, stack: bool = False) -> StackEvent:
    number = f"{logical_id}-{status}-{reason}"
    physical = "stack-id" if stack else f"{logical_id}-id"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return StackEvent(number, "stack-id", "dev-a", now, logical_id, physical, "AWS::X::Y", status, reason)


def test_the_cause_is_the_first_failure_that_is_no_consequence() -> None:
    events = [
        event("dev-a", "CREATE_IN_PROGRESS", stack=True),
        event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
        event("Database", "CREATE_FAILED", "No subnets in two zones"),
        event("Other", "CREATE_FAILED", "Something later"),
        event("dev-a", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create", stack=True),
    ]

    assert first_cause(events) == Cause("Database", "AWS::X::Y", "CREATE_FAILED", "No subnets in two zones")


def test_a_consequence_or_a_summary_is_never_the_cause() -> None:
    summary = "The following resource(s) failed to create: [Queue]. Rollback requested by user."
    events = [
        event("dev-a", "CREATE_IN_PROGRESS", "User Initiated", stack=True),
        event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
        event("Topic", "UPDATE_FAILED", "Resource update cancelled"),
        event("dev-a", "ROLLBACK_IN_PROGRESS", summary, stack=True),
        event("dev-a", "DELETE_FAILED", "The following resource(s) failed to delete: [Queue]. ", stack=True),
    ]

    assert first_cause(events) is None


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_FAILED"])
def test_what_is_wrong_with_a_stack_as_a_whole_is_the_cause_where_no_resource_failed(status: str) -> None:
    reason = "Export dev-a-Id cannot be updated as it is in use by dev-b"
    events = [event("Queue", "UPDATE_FAILED", "cancelled"), event("dev-a", status, reason, stack=True)]

    cause = first_cause(events)

    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("dev-a", reason)
    assert cause.remedy == "deploy or destroy the stack that imports it first"


def test_a_deletion_that_was_refused_is_told_although_an_update_failed_before() -> None:
    reason = "Delete canceled. Cannot delete export dev-a-Id as it is in use by dev-b."
    events = [
        event("dev-a", "UPDATE_IN_PROGRESS", stack=True),
        event("Queue", "UPDATE_FAILED", "long ago"),
        event("dev-a", "UPDATE_ROLLBACK_COMPLETE", reason, stack=True),
    ]

    cause = first_cause(events)

    assert cause is not None
    assert cause.reason == reason


def test_a_failure_without_words_is_better_than_nothing() -> None:
    assert first_cause([event("Queue", "CREATE_FAILED")]) == Cause(
        "Queue", "AWS::X::Y", "CREATE_FAILED", "AWS gives no reason"
    )


def test_why_a_rollback_failed_is_told_beside_why_it_was_needed() -> None:
    events = [
        event("dev-a", "UPDATE_IN_PROGRESS", stack=True),
        event("Queue", "UPDATE_FAILED", "too long"),
        event("dev-a", "UPDATE_ROLLBACK_IN_PROGRESS", stack=True),
        event("Topic", "UPDATE_FAILED", "is gone"),
        event("dev-a", "UPDATE_ROLLBACK_FAILED", stack=True),
    ]

    cause = first_cause(events)

    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Queue", "too long; its rollback failed at Topic: is gone")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            'Resource handler returned message: "Bad (400)" (RequestToken: 1, HandlerErrorCode: Invalid)',
            "Bad (400) (Invalid)",
        ),
        ('Resource handler returned message: "no" (RequestToken: 1b2c)', "no"),
        ("Something else", "Something else"),
    ],
)
def test_what_a_resource_handler_says_is_made_readable(reason: str, words: str) -> None:
    assert readable(reason) == words


def test_what_a_service_says_is_added_with_the_more_exact_remedy() -> None:
    cause = Cause("Service", "AWS::ECS::Service", "CREATE_FAILED", "circuit breaker", "look")

    assert with_detail(cause, ()) == cause
    found = with_detail(cause, ("a task stopped: OutOfMemoryError: killed",))
    assert found.reason == "circuit breaker; a task stopped: OutOfMemoryError: killed"
    assert "more memory" in found.remedy


def test_the_service_that_is_still_worked_on_is_the_one_to_ask() -> None:
    done = replace(event("A", "CREATE_COMPLETE"), type="AWS::ECS::Service")
    busy = replace(event("B", "CREATE_IN_PROGRESS"), type="AWS::ECS::Service")

    assert service_of([done, busy]) == busy
    assert service_of([done]) == done
    assert service_of([event("C", "CREATE_IN_PROGRESS")]) is None


def test_events_of_earlier_operations_do_not_count() -> None:
    earlier = [event("dev-a", "CREATE_IN_PROGRESS", stack=True), event("Old", "CREATE_FAILED", "old")]
    newest = [event("dev-a", "UPDATE_IN_PROGRESS", stack=True), event("New", "UPDATE_FAILED", "new")]

    assert operation([*earlier, *newest]) == tuple(newest)
    assert operation(earlier[1:]) == tuple(earlier[1:])


@pytest.mark.parametrize("known", REMEDIES, ids=lambda known: known.pattern[:20])
def test_every_known_cause_is_recognised_by_its_own_row(known: Remedy) -> None:
    assert remedy(known.example, known.types[0] if known.types else "") == known.remedy
    assert known.source


def test_an_unknown_cause_has_none() -> None:
    assert remedy("Something nobody has ever seen") == ""
    assert str(Cause("Db", "AWS::X::Y", "CREATE_FAILED", "odd")) == "Db (AWS::X::Y): odd"
    assert str(Cause("Db", "AWS::X::Y", "CREATE_FAILED", "odd", "wait")) == "Db (AWS::X::Y): odd -> wait"
