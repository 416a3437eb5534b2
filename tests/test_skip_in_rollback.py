"""A rollback that cannot succeed: the output names what it fails at, and the command that leads out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sandbox_fakes import thing
from sandbox_wire import REGION, Line, line, made_of, outcomes

from deployer.causes import stuck
from deployer.progress import Notice, Result
from generator.manifest import Manifest
from sandbox.errors import ApiError
from sandbox.faults import ResourceFault
from tests.fakes import manifest


@pytest.fixture
def aws() -> Iterator[Line]:
    with line() as made:
        yield made


def web(size: str) -> Manifest:
    """A service, and what waits for it."""
    service, after = thing(Value=size), {**thing(Value=size), "DependsOn": "Service"}
    return manifest(made_of("web", {"Service": service, "After": after}), region=REGION)


def remove_by_hand(aws: Line, *names: str) -> None:
    """Take resources away behind CloudFormation's back: no update of them can succeed any more."""
    made = aws.box.provisioner.made
    for name in names:
        for physical_id in [key for key, one in made.items() if one.logical_id == name]:
            del made[physical_id]
        aws.sandbox.faults.resources.append(
            ResourceFault("update", logical_id=name, reason=f"{name} not found", times=None)
        )


def ask(aws: Line, command: str) -> Result:
    """Run a `gatestack deploy` that some output has named."""
    program, verb, env, *flags = shlex.split(command)
    assert (program, verb, env) == ("gatestack", "deploy", "dev")
    names = [flags[index + 1] for index, flag in enumerate(flags) if flag == "--skip-in-rollback"]
    assert len(flags) == 2 * len(names)
    return aws.deploy(web("2"), skip_in_rollback=frozenset(names))


def named(result: Result) -> str:
    """The command in the words of a stack that failed."""
    found = re.search(r"`(gatestack deploy [^`]*)`", result.stacks[0].reason)
    assert found, result.stacks[0].reason
    return found[1]


def stuck_web(aws: Line) -> Result:
    assert aws.deploy(web("1")).exit_code == 0
    remove_by_hand(aws, "Service")
    failed = aws.deploy(web("2"))
    assert (failed.exit_code, failed.stacks[0].status) == (1, "UPDATE_ROLLBACK_FAILED")
    return failed


def test_a_service_deleted_by_hand_is_made_again_by_two_commands_that_the_output_names(aws: Line) -> None:
    refused = ask(aws, stuck_web(aws).resume)
    assert (refused.exit_code, refused.stacks[0].status) == (4, "UPDATE_ROLLBACK_FAILED")
    assert "fails at Service" in refused.stacks[0].reason

    result = ask(aws, named(refused))

    assert outcomes(result) == {"web": ("update", "done")}
    assert aws.stacks() == {"dev-web": "UPDATE_COMPLETE"}
    assert {one.logical_id: one.properties["Value"] for one in aws.box.provisioner.made.values()} == {
        "Service": "2", "After": "2",
    }  # fmt: skip
    assert outcomes(aws.deploy(web("2"))) == {"web": ("none", "done")}


def test_what_was_skipped_is_told_with_the_command_that_shows_it(aws: Line) -> None:
    ask(aws, named(ask(aws, stuck_web(aws).resume)))

    told = [event.text for event in aws.told if isinstance(event, Notice) and "Service is left" in event.text]
    assert len(told) == 1
    assert "`gatestack drift dev`" in told[0]
    assert "`gatestack deploy dev --revert-drift`" in told[0]


def test_nothing_is_skipped_that_was_not_named_or_did_not_fail(aws: Line) -> None:
    stuck_web(aws)
    aws.calls()

    for names in ((), ("After",), ("Elsewhere",)):
        refused = aws.deploy(web("2"), skip_in_rollback=frozenset(names))

        assert (refused.exit_code, refused.stacks[0].status) == (4, "UPDATE_ROLLBACK_FAILED")
        assert named(refused) == "gatestack deploy dev --skip-in-rollback Service"
    assert aws.calls()["ContinueUpdateRollback"] == 6


def test_a_rollback_that_works_by_now_needs_no_skipping_although_it_is_allowed(aws: Line) -> None:
    assert aws.deploy(web("1")).exit_code == 0
    for operation in ("update", "update"):
        aws.sandbox.faults.resources.append(ResourceFault(operation, logical_id="Service", reason="no"))  # type: ignore[arg-type]
    assert aws.deploy(web("2")).stacks[0].status == "UPDATE_ROLLBACK_FAILED"

    assert outcomes(aws.deploy(web("2"))) == {"web": ("update", "done")}


def test_the_sandbox_skips_only_what_a_rollback_failed_at(aws: Line) -> None:
    stuck_web(aws)

    for name in ("After", "Elsewhere"):
        with pytest.raises(ApiError, match="Resources to skip"):
            aws.ask("ContinueUpdateRollback", StackName="dev-web", ResourcesToSkip=[name])
    aws.ask("ContinueUpdateRollback", StackName="dev-web", ResourcesToSkip=["Service"])
    aws.sandbox.finish()

    assert aws.stacks() == {"dev-web": "UPDATE_ROLLBACK_COMPLETE"}
    statuses = {
        one["LogicalResourceId"]: one["ResourceStatus"]
        for one in aws.ask("ListStackResources", StackName="dev-web")["StackResourceSummaries"]
    }
    assert statuses["Service"] == "UPDATE_COMPLETE"
    assert [one.logical_id for one in aws.box.provisioner.made.values()] == ["After"]


def test_what_was_cancelled_by_another_failure_is_not_named(aws: Line) -> None:
    stuck_web(aws)
    (stack_id,) = aws.ids().values()

    assert stuck(aws.aws.events(stack_id)) == ("Service",)


def test_the_command_takes_the_option_that_the_output_names() -> None:
    from gatestack.change import deploy  # noqa: PLC0415 - the command, as the table loads it

    shown = CliRunner().invoke(deploy, ["--help"])

    assert "--skip-in-rollback ID" in shown.output
