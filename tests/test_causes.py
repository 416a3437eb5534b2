"""The first real cause of a failure, and its remedy."""

from datetime import UTC, datetime

import pytest

from deployer.causes import first_cause, operation, remedy
from deployer.cloud import StackEvent
from deployer.progress import Cause


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


def test_with_nothing_but_consequences_the_first_of_them_is_told() -> None:
    cancelled = event("Queue", "CREATE_FAILED", "Resource creation cancelled")

    assert first_cause([cancelled]) == Cause(
        "Queue", "AWS::X::Y", "CREATE_FAILED", "Resource creation cancelled"
    )


def test_without_a_failed_resource_there_is_no_cause() -> None:
    assert first_cause([event("dev-a", "DELETE_FAILED", "why", stack=True)]) is None


def test_events_of_earlier_operations_do_not_count() -> None:
    earlier = [event("dev-a", "CREATE_IN_PROGRESS", stack=True), event("Old", "CREATE_FAILED", "old")]
    newest = [event("dev-a", "UPDATE_IN_PROGRESS", stack=True), event("New", "UPDATE_FAILED", "new")]

    assert operation([*earlier, *newest]) == tuple(newest)
    assert operation(earlier[1:]) == tuple(earlier[1:])


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Export dev-a-Id cannot be deleted as it is in use by dev-b", "stack that imports it"),
        ("No export named dev-a-Id found. Rollback requested by user.", "stack that exports it"),
        ("User: arn:… is not authorized to perform: ecs:CreateCluster", "grant the deploy role"),
        ("dev-log already exists in stack arn:…", "rename the environment"),
        ("The maximum number of VPCs has been reached.", "quota"),
        ("ECS Deployment Circuit Breaker was triggered", "task logs"),
        ("The bucket you tried to delete is not empty", "empty the bucket"),
        ("The vpc 'vpc-1' has dependencies and cannot be deleted.", "still uses it"),
        ("You can't create this secret because it's scheduled for deletion", "restore-secret"),
        ("Cannot find version 15.99 for postgres", "describe-db-engine-versions"),
        ("Certificate ARN 'arn:…' is not valid", "ISSUED"),
        ("Unable to assume the service linked role", "create-service-linked-role"),
        ("Rate exceeded (Service: Ecs)", "same command again"),
    ],
)
def test_known_causes_have_a_remedy(reason: str, words: str) -> None:
    assert words in remedy(reason)


def test_an_unknown_cause_has_none() -> None:
    assert remedy("Something nobody has ever seen") == ""
    assert str(Cause("Db", "AWS::X::Y", "CREATE_FAILED", "odd")) == "Db (AWS::X::Y): odd"
    assert str(Cause("Db", "AWS::X::Y", "CREATE_FAILED", "odd", "wait")) == "Db (AWS::X::Y): odd -> wait"
