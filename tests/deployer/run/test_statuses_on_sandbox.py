"""Every stack status that the sandbox can be brought to, and what `deploy` and `destroy` make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deployer.statuses import STATUSES
from generator.manifest import Manifest
from sandbox.faults import ResourceFault
from tests.covering import only
from tests.deployer.fakes import OURS, manifest
from tests.sandbox.sandbox_fakes import SLOW, of, thing
from tests.sandbox.sandbox_wire import REGION, Line, line, made_of, outcomes

TAGS = [{"Key": key, "Value": value} for key, value in OURS.items()]
Set = Callable[[Line], None]
POLL = 70.0
"""Seconds between two polls; a slow resource takes ten minutes."""


def wanted(size: str = "2", **more: Any) -> Manifest:
    return manifest(made_of("a", {"One": thing(SLOW, Value=size), **more}), region=REGION)


def fault(aws: Line, operation: Any) -> None:
    aws.sandbox.faults.resources.append(
        ResourceFault(operation, logical_id="One", reason="it does not want to")
    )


def act(aws: Line, action: str, *, value: str = "1", name: str = "One", **more: Any) -> None:
    template = json.dumps(of({name: thing(SLOW, Value=value)}))
    aws.ask(action, StackName="dev-a", Tags=TAGS, TemplateBody=template, **more)


def created(aws: Line) -> None:
    act(aws, "CreateStack")
    aws.sandbox.finish()


def failed_creation(aws: Line, **more: Any) -> None:
    fault(aws, "create")
    act(aws, "CreateStack", **more)


def failed_update(aws: Line, times: int = 1, **more: Any) -> None:
    created(aws)
    for _ in range(times):
        fault(aws, "update")
    act(aws, "UpdateStack", value="x", **more)


def until(aws: Line, status: str) -> None:
    """Go on, a second at a time, to where the stack has *status*."""
    for _ in range(2000):
        if aws.stacks().get("dev-a") == status:
            return
        aws.sandbox.advance(1)
    raise AssertionError(f"never {status}")


def replaced(aws: Line) -> None:
    created(aws)
    act(aws, "UpdateStack", name="Other")


def replacement_failed(aws: Line) -> None:
    created(aws)
    fault(aws, "update")
    both = {"One": thing(SLOW, Value="x"), "Two": thing()}
    aws.ask("UpdateStack", StackName="dev-a", TemplateBody=json.dumps(of(both)), Tags=TAGS)


def rollback_failed(aws: Line) -> None:
    aws.sandbox.faults.resources.append(ResourceFault("delete", logical_id="Two", reason="it sticks"))
    fault(aws, "create")
    both = {"One": thing(SLOW), "Two": thing()}
    aws.ask("CreateStack", StackName="dev-a", TemplateBody=json.dumps(of(both)), Tags=TAGS)


def deleting(aws: Line, *, fails: bool = False) -> None:
    created(aws)
    if fails:
        fault(aws, "delete")
    aws.ask("DeleteStack", StackName="dev-a")


def reviewed(aws: Line) -> None:
    body = json.dumps(of({"One": thing()}))
    aws.ask(
        "CreateChangeSet",
        StackName="dev-a",
        ChangeSetName="gatestack-old",
        ChangeSetType="CREATE",
        TemplateBody=body,
    )


WAYS: dict[str, Set] = {
    "CREATE_IN_PROGRESS": lambda aws: act(aws, "CreateStack"),
    "CREATE_COMPLETE": created,
    "CREATE_FAILED": lambda aws: failed_creation(aws, DisableRollback=True),
    "ROLLBACK_IN_PROGRESS": failed_creation,
    "ROLLBACK_COMPLETE": failed_creation,
    "ROLLBACK_FAILED": rollback_failed,
    "DELETE_IN_PROGRESS": deleting,
    "DELETE_FAILED": lambda aws: deleting(aws, fails=True),
    "UPDATE_IN_PROGRESS": lambda aws: failed_update(aws, 0),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": replaced,
    "UPDATE_COMPLETE": lambda aws: failed_update(aws, 0),
    "UPDATE_FAILED": lambda aws: failed_update(aws, DisableRollback=True),
    "UPDATE_ROLLBACK_IN_PROGRESS": failed_update,
    "UPDATE_ROLLBACK_FAILED": lambda aws: failed_update(aws, 2),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": replacement_failed,
    "UPDATE_ROLLBACK_COMPLETE": failed_update,
    "REVIEW_IN_PROGRESS": reviewed,
}
"""Status -> how the sandbox is brought to it."""
NOT_IN_THE_SANDBOX = {status for status in STATUSES if status.startswith("IMPORT_")} | {"DELETE_COMPLETE"}
"""It imports no resources; a deleted stack cannot be found by its name, as in AWS."""

AGAIN = {"CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
NEW = {"REVIEW_IN_PROGRESS"}
GONE_BY_THEN = {"DELETE_IN_PROGRESS"}


DESTROYED = {
    "CREATE_COMPLETE",
    "CREATE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
}
DEPLOYED = WAYS.keys() - DESTROYED | {"CREATE_IN_PROGRESS"}
"""Of every status, `make test` tries at least one; what each is decided to need is in test_decide.py."""


def test_every_status_of_the_table_is_tried() -> None:
    assert WAYS.keys() | NOT_IN_THE_SANDBOX == STATUSES.keys()
    assert WAYS.keys() == DEPLOYED | DESTROYED


@pytest.mark.parametrize("status", only(DEPLOYED, WAYS))
def test_deploy_brings_a_stack_to_what_is_wanted_from_any_status(status: str) -> None:
    with line() as aws:
        WAYS[status](aws)
        until(aws, status)

        result = aws.deploy(wanted(), poll_interval=POLL)

        (stack,) = result.stacks
        verb = "recreate" if status in AGAIN | GONE_BY_THEN else "create" if status in NEW else "update"
        if status == "CREATE_IN_PROGRESS":
            verb = "update"
        assert (stack.outcome, aws.stacks()) == ("done", {"dev-a": stack.status}), stack
        assert stack.action in {verb, "create"} if verb == "recreate" else stack.action == verb
        assert [one.properties["Value"] for one in aws.box.provisioner.made.values()] == ["2"]
        assert outcomes(aws.deploy(wanted(), poll_interval=POLL)) == {"a": ("none", "done")}


@pytest.mark.parametrize("status", only(DESTROYED, WAYS))
def test_destroy_takes_a_stack_away_from_any_status(status: str) -> None:
    with line() as aws:
        WAYS[status](aws)
        until(aws, status)

        result = aws.destroy(wanted(), poll_interval=POLL)

        assert outcomes(result) == {"a": ("delete", "done")}, result.stacks
        assert (aws.stacks(), aws.box.provisioner.made) == ({}, {})


@pytest.mark.parametrize(
    "status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"]
)
def test_what_is_not_ours_is_neither_deleted_nor_rolled_back(status: str) -> None:
    with line() as aws:
        WAYS[status](aws)
        until(aws, status)
        before = aws.operations()

        strangers = manifest(made_of("a", {"One": thing(SLOW)}), region=REGION)
        result = aws.deploy(replace(strangers, system="other"), poll_interval=POLL)

        assert (result.exit_code, aws.operations()) == (4, before)
        assert "gatestack did not create it" in result.stacks[0].reason


NOT_EMPTY = "The bucket you tried to delete is not empty"


def test_a_deletion_that_keeps_failing_is_explained() -> None:
    with line() as aws:
        created(aws)
        aws.sandbox.faults.resources.append(
            ResourceFault("delete", logical_id="One", reason=NOT_EMPTY, times=None)
        )

        (stack,) = aws.destroy(wanted(), poll_interval=POLL).stacks

        assert (stack.outcome, stack.status) == ("failed", "DELETE_FAILED")
        assert (
            str(stack.cause)
            == f"One (AWS::Test::Slow): {NOT_EMPTY} -> empty the bucket, then run the same command again"
        )
        assert aws.operations() == {"dev-a": ["CREATE", "DELETE", "DELETE"]}
