"""A rollback that cannot succeed: the output names what it fails at, and the command that leads out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from deployer.causes import stuck
from deployer.day2.drift_state import PropertyDrift, ResourceDrift
from deployer.errors import CloudError, DeployError, NotAllowed
from deployer.observed import Desired, History
from deployer.progress import Event, Notice, Result
from deployer.report import first_cause
from deployer.run.skipped import measure
from deployer.run.work import Work
from generator.manifest import Manifest
from sandbox.errors import ApiError
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.fakes import Clock, FakeCloud, manifest, spec
from tests.sandbox.sandbox_account import client
from tests.sandbox.sandbox_fakes import thing
from tests.sandbox.sandbox_wire import REGION, Line, line, made_of, outcomes

CLUSTER, SERVICE = "local-litellm", "local-litellm-proxy"


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
    """The command in what is said of a stack that failed."""
    said = first_cause(result) or ""
    found = re.search(r"`(gatestack deploy [^`]*)`", said)
    assert found, said
    return found[1]


def stuck_web(aws: Line) -> Result:
    assert aws.deploy(web("1")).exit_code == 0
    remove_by_hand(aws, "Service")
    failed = aws.deploy(web("2"))
    assert (failed.exit_code, failed.stacks[0].status) == (1, "UPDATE_ROLLBACK_FAILED")
    return failed


def test_what_is_gone_is_made_again_by_the_command_that_the_output_names(aws: Line) -> None:
    failed = stuck_web(aws)
    refused = ask(aws, failed.resume)
    assert (refused.exit_code, refused.stacks[0].status) == (4, "UPDATE_ROLLBACK_FAILED")
    assert "fails at Service" in refused.stacks[0].reason
    assert named(refused) == named(failed)

    result = ask(aws, named(refused))

    assert outcomes(result) == {"web": ("update", "done")}
    assert aws.stacks() == {"dev-web": "UPDATE_COMPLETE"}
    assert {one.logical_id: one.properties["Value"] for one in aws.box.provisioner.made.values()} == {
        "Service": "2", "After": "2",
    }  # fmt: skip
    assert outcomes(aws.deploy(web("2"))) == {"web": ("none", "done")}


def test_what_was_skipped_is_told_with_the_command_that_shows_it(aws: Line) -> None:
    ask(aws, named(ask(aws, stuck_web(aws).resume)))

    told = [
        event.text for event in aws.told if isinstance(event, Notice) and "Service is skipped" in event.text
    ]
    assert len(told) == 1
    assert "`gatestack drift dev`" in told[0]
    assert "`gatestack deploy dev --revert-drift`" in told[0]


@pytest.mark.parametrize(
    ("drift", "words", "warning"),
    [
        (ResourceDrift("S", "T", "s", "DELETED"), "S (T) was deleted", True),
        (ResourceDrift("S", "T", "s", "IN_SYNC"), "S (T) is unchanged", False),
        (
            ResourceDrift("S", "T", "s", "MODIFIED", (PropertyDrift("/Size", "1", "2", "NOT_EQUAL"),)),
            "S (T) differs from its template in /Size",
            True,
        ),
        (ResourceDrift("S", "T", "s", "UNKNOWN", reason="no"), "S (T) cannot be checked: no", True),
        (ResourceDrift("S", "T", "s", "UNKNOWN"), "S (T) cannot be checked", True),
        (CloudError("not of this type"), "the state of S is unknown: not of this type", True),
        (NotAllowed("no"), "the state of S is unknown: no", True),
    ],
)
def test_what_was_skipped_is_measured_once_and_told(
    drift: ResourceDrift | DeployError, words: str, *, warning: bool
) -> None:
    cloud, told = FakeCloud(Clock()), list[Event]()
    stack = cloud.has("dev-one", "UPDATE_ROLLBACK_COMPLETE")
    if isinstance(drift, ResourceDrift):
        cloud.drifted["dev-one"] = (drift,)
    else:
        cloud.raises["resource_drift"] = [drift]
    work = Work(spec("one"), Desired("dev-one", {}), "deploy", stack, history=History(skipped=("S",)))

    for _ in range(2):
        measure(work, cloud, told.append)

    assert [(one.text.endswith(words), one.warning) for one in told if isinstance(one, Notice)] == [
        (True, warning)
    ]


def by_hand(sandbox: Sandbox) -> None:
    """Delete the ECS service of `local` behind CloudFormation's back."""
    client(sandbox, "ecs").delete_service(cluster=CLUSTER, service=SERVICE, force=True)


def commands(output: str) -> list[list[str]]:
    """What *output* tells to run."""
    return [shlex.split(one)[1:] for one in re.findall(r"`(gatestack [^`]*)`", output)]


def running(sandbox: Sandbox) -> tuple[str, int]:
    found = client(sandbox, "ecs").describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    return found["status"], found["runningCount"]


def status(sandbox: Sandbox) -> str:
    stacks = client(sandbox, "cloudformation").describe_stacks(StackName="local-litellm-service")["Stacks"]
    return str(stacks[0]["StackStatus"])


def test_a_service_deleted_by_hand_runs_again_after_the_commands_that_the_output_names(
    deployed: User, account: Sandbox
) -> None:
    by_hand(account)
    deployed.edit("local", "service:\n", "service:\n  cpu: 2048\n  memory_mb: 4096\n")

    failed = deployed.run("deploy", "local", "--yes")
    assert failed.code == 1
    assert "UPDATE_ROLLBACK_FAILED" in failed.err
    assert "HandlerErrorCode: NotFound" in failed.err
    assert failed.err.splitlines()[-1].startswith("error: service: Service (AWS::ECS::Service)")
    named = commands(failed.err.splitlines()[-1])
    assert named == [["deploy", "local", "--skip-in-rollback", "Service"]]
    assert running(account)[0] == "INACTIVE"

    done = deployed.run(*named[0], "--yes")
    assert done.code == 0, done.err
    assert "skipped in the rollback: Service (AWS::ECS::Service) was deleted" in done.err
    assert running(account) == ("ACTIVE", 1)
    assert status(account) == "UPDATE_COMPLETE"

    drift, again = [one for one in commands(done.err) if "--skip-in-rollback" not in one]
    seen = deployed.run(*drift)
    assert (drift, seen.code) == (["drift", "local"], 0), seen.out
    last = deployed.run(*again, "--yes")
    assert (again, last.code) == (["deploy", "local", "--revert-drift"], 0)
    assert "local: nothing changes" in last.err


def test_where_no_update_can_make_it_again_none_is_tried_and_the_output_says_what_does(
    deployed: User, account: Sandbox
) -> None:
    by_hand(account)
    account.faults.add({"behaviour": {"lacks": ["DeploymentMode"]}})
    deployed.edit("local", "service:\n", "service:\n  cpu: 4096\n  memory_mb: 8192\n")
    (way_out,) = commands(deployed.run("deploy", "local", "--yes").err.splitlines()[-1])

    refused = deployed.run(*way_out, "--yes")
    assert refused.code == 4, refused.err
    assert "Service was deleted, and without drift-aware change sets" in refused.err
    assert status(account) == "UPDATE_ROLLBACK_COMPLETE"

    for command in commands(refused.err.splitlines()[-1]):
        done = deployed.run(*command, "--yes")
        assert done.code == 0, done.err
    assert running(account) == ("ACTIVE", 1)


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
    from gatestack.commands.deploy import deploy  # noqa: PLC0415 - the command, as the table loads it

    shown = CliRunner().invoke(deploy, ["--help"])

    assert "--skip-in-rollback ID" in shown.output
