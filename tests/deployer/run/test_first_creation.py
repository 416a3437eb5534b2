"""A first creation that fails after something protected was made: it is unlocked, and made again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deployer.run.first_creation import never_whole
from deployer.states import StackEvent
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from tests.command import User
from tests.stacks.functions.rotations import client_of

SECTIONS = {
    "alb": "  deletion_protection: true\n  access_logs: true\n",
    "database": "  deletion_protection: true\n",
}


def events(*statuses: str) -> list[StackEvent]:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return [StackEvent(str(n), "id", "dev-a", now, "dev-a", "id", "", one) for n, one in enumerate(statuses)]


@pytest.mark.parametrize(
    ("status", "happened", "never"),
    [
        ("ROLLBACK_FAILED", [], True),
        ("ROLLBACK_COMPLETE", [], True),
        ("CREATE_FAILED", [], True),
        (
            "DELETE_FAILED",
            ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "ROLLBACK_FAILED", "DELETE_FAILED"],
            True,
        ),
        ("DELETE_FAILED", ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_FAILED"], False),
        ("DELETE_FAILED", ["REVIEW_IN_PROGRESS", "IMPORT_COMPLETE", "DELETE_FAILED"], False),
        ("DELETE_FAILED", ["REVIEW_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE", "DELETE_FAILED"], False),
        ("DELETE_FAILED", ["DELETE_IN_PROGRESS", "DELETE_FAILED"], False),
        ("DELETE_FAILED", [], False),
        ("UPDATE_ROLLBACK_COMPLETE", ["CREATE_IN_PROGRESS"], False),
    ],
)
def test_only_what_is_proven_never_was_whole(status: str, happened: list[str], *, never: bool) -> None:
    assert never_whole(status, lambda: events(*happened)) is never


@pytest.mark.parametrize(
    ("stack", "failing", "again"),
    [
        pytest.param("alb", "HttpListener", "deploy", marks=pytest.mark.deep),
        ("database", "AdministratorAttachment", "deploy"),
        pytest.param("alb", "HttpListener", "destroy", marks=pytest.mark.deep),
    ],
)
def test_what_a_failed_creation_has_protected_is_unlocked_and_the_stack_made_again(
    user: User, sandbox: Sandbox, stack: str, failing: str, again: str
) -> None:
    user.edit("local", "\nservice:\n", f"\n{stack}:\n{SECTIONS[stack]}\nservice:\n")
    only = [word for name in ("security", "network", stack) for word in ("--only", name)]
    sandbox.faults.resources.append(ResourceFault("create", logical_id=failing, reason="Invalid parameter"))
    failed = user.run("deploy", "local", "--yes", *only)
    assert failed.code == 1
    cloudformation = client_of(sandbox, "cloudformation")

    def status() -> str:
        return str(
            cloudformation.describe_stacks(StackName=f"local-litellm-{stack}")["Stacks"][0]["StackStatus"]
        )

    assert status() == "ROLLBACK_FAILED"

    done = user.run(again, "local", "--yes", *only)

    assert done.code == 0, done.err
    assert "deletion protection of" in done.err
    if again == "deploy":
        assert status() == "CREATE_COMPLETE"


@pytest.mark.deep
def test_what_a_failed_production_keeps_is_taken_up_as_the_stack_is_made_again(
    user: User, sandbox: Sandbox
) -> None:
    user.edit("local", "tier: dev\n", "tier: production\nalb:\n  internal: true\n")
    fault = ResourceFault("create", logical_id="AdministratorAttachment", reason="Invalid parameter")
    sandbox.faults.resources.append(fault)
    failed = user.run("deploy", "local", "--yes")
    assert failed.code == 1, failed.err

    done = user.run("deploy", "local", "--yes")

    assert done.code == 0, done.err
    assert "DatabaseLog (AWS::Logs::LogGroup" in done.err
    assert "the final snapshot of" in done.err
