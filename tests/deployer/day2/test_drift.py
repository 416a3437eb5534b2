"""Drift of an environment: detected side by side, told without secrets, set back where the endpoint can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from deployer.aws.drift import resource_drifts
from deployer.changes.preview import plan
from deployer.day2.drift import CHECKABLE, detect, notes
from deployer.day2.drift_state import Drift, PropertyDrift, ResourceDrift, StackDrift
from deployer.day2.watch_report import drift_json, drift_text
from deployer.deploy import deploy
from deployer.errors import CloudError, LostSight, Transient
from deployer.options import Host, Options
from deployer.progress import Event, Notice, Result
from deployer.run.change_sets import NOT_REVERTED, Preparer, alarm_arn
from deployer.states import ChangeSetRequest
from deployer.statuses import STATUSES
from generator.manifest import Manifest
from generator.render import render
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from stacks.environment import parse_settings
from tests.command import CREDENTIALS, User
from tests.deployer.fakes import Clock, FakeCloud, host, manifest, spec
from tests.sandbox.sandbox_fakes import THING, of, thing
from tests.sandbox.sandbox_fakes import World as Box
from tests.sandbox.sandbox_fakes import world as box
from tests.sandbox.sandbox_wire import Line

NAMES = {"one": "dev-one", "two": "dev-two"}
TWO = manifest(
    spec("one", json.dumps(of({"A": thing(Name="a", Size="90")}))),
    spec("two", json.dumps(of({"B": thing(Name="b", Password="sesame")}))),
)


class World:
    """The deployer on a sandbox whose clock stands still."""

    def __init__(self, sandbox: Box) -> None:
        self.box = sandbox
        self.aws = Line(sandbox).aws
        self.told: list[Event] = []
        self.runs = 0

    def host(self) -> Host:
        self.runs += 1
        sandbox = self.box.sandbox
        return Host(self.told.append, sandbox.clock.now, sandbox.advance, f"r{self.runs}", lambda: 0)

    def deploy(self, wanted: Manifest = TWO, **options: Any) -> Result:
        return deploy(wanted, self.aws, Options(poll_interval=5.0, **options), self.host())

    def drift(self) -> Drift:
        return detect("dev", NAMES, self.aws, self.host(), poll_interval=5.0)

    def by_hand(self, name: str, **properties: Any) -> None:
        made = self.box.provisioner.made
        made[name] = replace(made[name], properties={**made[name].properties, **properties})

    def calls(self, action: str) -> int:
        return sum(call.action == action for call in self.box.sandbox.calls)

    def lacks(self, *names: str) -> None:
        self.box.sandbox.faults.add({"behaviour": {"lacks": list(names)}})

    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice) and event.warning]


@pytest.fixture
def world() -> Iterator[World]:
    with box() as made:
        yield World(made)


def verdicts(found: Drift) -> dict[str, str]:
    return {stack.name: stack.verdict for stack in found.stacks}


# detection


def test_what_was_just_deployed_is_in_sync(world: World) -> None:
    world.deploy()

    found = world.drift()

    assert (verdicts(found), found.exit_code) == ({"one": "in sync", "two": "in sync"}, 0)


def test_a_change_by_hand_is_told_property_by_property_and_a_secret_is_not(world: World) -> None:
    world.deploy()
    world.by_hand("a", Size="120")
    world.by_hand("b", Password="open")

    found = world.drift()

    assert found.exit_code == 3
    assert drift_text(found).splitlines() == [
        "dev-one: drifted",
        f"  ~ A ({THING})",
        "    /Size: 90 -> 120",
        "dev-two: drifted",
        f"  ~ B ({THING})",
        "    /Password: (hidden) -> (hidden, another value)",
        "dev: 2 of 2 stacks drifted, 2 resources",
    ]
    assert json.loads(drift_json(found))["stacks"][0]["resources"][0] == {
        "logical_id": "A",
        "type": THING,
        "physical_id": "a",
        "status": "MODIFIED",
        "reason": "",
        "properties": [{"path": "/Size", "expected": "90", "actual": "120", "kind": "NOT_EQUAL"}],
    }


def test_a_deleted_resource_is_drift(world: World) -> None:
    world.deploy()
    del world.box.provisioner.made["a"]

    found = world.drift()

    assert found.exit_code == 3
    assert drift_text(found).splitlines()[1] == f"  - A ({THING})  was DELETED"


def test_all_stacks_are_detected_side_by_side_in_one_look(world: World) -> None:
    world.deploy()
    world.box.sandbox.calls.clear()
    began = world.box.sandbox.clock.now()

    world.drift()

    assert world.box.sandbox.clock.now() - began <= 10
    assert (world.calls("DescribeStacks"), world.calls("DetectStackDrift")) == (1, 2)


def test_what_is_not_there_and_what_is_busy_is_said_and_never_called_in_sync(world: World) -> None:
    world.deploy(manifest(TWO.stacks[0]))
    assert verdicts(world.drift()) == {"one": "in sync", "two": "not there"}
    assert world.drift().exit_code == 0

    changed = json.dumps(of({"A": thing(Name="a", Size="91")}))
    world.box.prepare("dev-one", changed, kind="UPDATE")
    world.box.client.execute_change_set(StackName="dev-one", ChangeSetName="cs")
    found = world.drift()

    busy = "it is in UPDATE_IN_PROGRESS, where AWS detects no drift: check again when it has finished"
    assert (verdicts(found)["one"], found.exit_code) == ("busy", 1)
    assert drift_text(found).splitlines() == [
        f"dev-one: not checked: {busy}",
        "dev-two: not there",
        "dev: unknown for one",
    ]


def test_a_detection_that_fails_is_a_failure_and_tells_what_it_found(world: World) -> None:
    world.deploy()
    world.by_hand("a", Size="120")
    world.box.sandbox.faults.resources.append(
        ResourceFault(operation="detect", logical_id="B", reason="Access denied")
    )

    found = world.drift()

    assert (verdicts(found), found.exit_code) == ({"one": "drifted", "two": "failed"}, 1)
    assert drift_text(found).splitlines()[3:5] == [
        "dev-two: not all checked: Failed to detect drift on resource [B]",
        f"  ? B ({THING})  could not be checked: Access denied",
    ]


def test_an_endpoint_without_drift_detection_says_so(world: World) -> None:
    world.deploy()
    world.lacks("DetectStackDrift")

    found = world.drift()

    assert found.exit_code == 1
    assert [stack.reason for stack in found.stacks] == ["this endpoint has no drift detection"] * 2


def test_every_page_is_read(world: World) -> None:
    many = {f"T{number:03}": thing(Name=f"t{number}", Size="1") for number in range(150)}
    world.deploy(manifest(spec("one", json.dumps(of(many)))))
    for number in range(150):
        world.by_hand(f"t{number}", Size="2")

    assert len(world.drift().stacks[0].resources) == 150


@pytest.mark.parametrize("secret", ["sk-1234567890abcdef", "postgresql://me:pw@host/db", "-----BEGIN RSA"])
def test_a_value_that_is_a_secret_by_its_looks_is_hidden_wherever_it_stands(secret: str) -> None:
    answer = {
        "LogicalResourceId": "A",
        "ResourceType": THING,
        "StackResourceDriftStatus": "MODIFIED",
        "PropertyDifferences": [
            {
                "PropertyPath": "/Description",
                "ExpectedValue": "null",
                "ActualValue": secret,
                "DifferenceType": "ADD",
            }
        ],
    }

    found = resource_drifts(lambda *_, **__: iter([{"StackResourceDrifts": [answer]}]), "id")

    assert found[0].properties == (PropertyDrift("/Description", "null", "(hidden)", "ADD"),)


# detection, decided without a wire


class Faked:
    """A fake cloud with one stack."""

    def __init__(self, status: str = "CREATE_COMPLETE") -> None:
        self.clock = Clock()
        self.cloud = FakeCloud(self.clock)
        self.state = self.cloud.has("dev-one", status)

    def drift(self, stop: Any = None) -> Drift:
        here = host(self.clock, stop=stop)
        return detect("dev", {"one": "dev-one"}, self.cloud, here, poll_interval=None)


def test_a_throttled_question_is_asked_again() -> None:
    world = Faked()
    world.cloud.raises["detect_drift"] = [Transient("slow down")] * 3
    world.cloud.raises["drift_detection"] = [Transient("slow down")]

    assert verdicts(world.drift()) == {"one": "in sync"}


def test_an_endpoint_that_never_answers_is_given_up() -> None:
    world = Faked()
    world.cloud.raises["detect_drift"] = [Transient("slow down")] * 1000

    found = world.drift()

    assert (found.stacks[0].verdict, found.stacks[0].reason) == ("failed", "slow down")
    assert world.clock.now < 1200


def test_a_detection_without_an_end_is_given_up() -> None:
    world = Faked()
    world.cloud.usual = 100_000.0

    assert world.drift().stacks[0].reason == "drift detection did not finish within 15 minutes"


def test_a_login_that_is_over_is_lost_sight() -> None:
    world = Faked()
    world.cloud.raises["drift_detection"] = [LostSight("log in again")]

    with pytest.raises(LostSight):
        world.drift()


def test_a_refusal_fails_that_stack() -> None:
    world = Faked()
    world.cloud.raises["detect_drift"] = [CloudError("not allowed")]

    assert (world.drift().stacks[0].reason, world.drift().exit_code) == ("not allowed", 0)


def test_an_interrupted_detection_ends_at_once() -> None:
    world = Faked()

    found = world.drift(stop=lambda: int(world.clock.now > 1))

    assert (found.interrupted, found.exit_code, found.stacks[0].verdict) == (True, 130, "failed")


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_status_is_checked_or_said(status: str) -> None:
    verdict = Faked(status).drift().stacks[0].verdict if status != "DELETE_COMPLETE" else "not there"
    not_there = status in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
    assert verdict == ("in sync" if status in CHECKABLE else "not there" if not_there else "busy")


def test_what_a_plan_says_of_drift() -> None:
    two = (ResourceDrift("A", THING, "a", "MODIFIED"), ResourceDrift("B", THING, "b", "DELETED"))
    found = Drift(
        "dev",
        (
            StackDrift("one", "dev-one", "drifted", two),
            StackDrift("two", "dev-two", "failed", reason="denied"),
            StackDrift("three", "dev-three", "in sync"),
            StackDrift("four", "dev-four", "not there"),
        ),
    )
    assert notes(found) == (
        "dev-one: 2 resources have drifted: A (MODIFIED), B (DELETED); deploy --revert-drift reverts them",
        "dev-two: drift is not known: denied",
    )


# set back


def test_deploy_alone_leaves_drift_and_revert_drift_sets_it_back(world: World) -> None:
    world.deploy()
    world.by_hand("a", Size="120")
    assert {stack.action for stack in world.deploy().stacks} == {"none"}

    result = world.deploy(revert_drift=True)

    assert {stack.name: stack.action for stack in result.stacks} == {"one": "update", "two": "none"}
    assert result.exit_code == 0
    assert world.box.provisioner.made["a"].properties["Size"] == "90"
    assert verdicts(world.drift()) == {"one": "in sync", "two": "in sync"}
    assert {stack.action for stack in world.deploy(revert_drift=True).stacks} == {"none"}
    assert world.warnings() == []


def test_a_deleted_resource_is_made_again(world: World) -> None:
    world.deploy()
    del world.box.provisioner.made["b"]

    assert world.deploy(revert_drift=True).exit_code == 0

    assert "b" in world.box.provisioner.made


def test_a_plan_shows_what_setting_back_would_change(world: World) -> None:
    world.deploy()
    world.by_hand("a", Size="120")

    found = plan(TWO, world.aws, Options(poll_interval=5.0, revert_drift=True), world.host())

    changes = [(change.action, change.logical_id) for change in found.stacks[0].changes]
    assert changes == [("Modify", "A")]
    details = found.stacks[0].changes[0].details
    assert ("120", "90") in [(detail.before, detail.after) for detail in details]
    assert found.notices == ()


@pytest.mark.parametrize("size", ["90", "95"])
def test_where_the_endpoint_cannot_set_back_it_deploys_without_and_says_so(world: World, size: str) -> None:
    world.deploy()
    world.lacks("DeploymentMode")
    wanted = manifest(spec("one", json.dumps(of({"A": thing(Name="a", Size=size)}))), TWO.stacks[1])

    result = world.deploy(wanted, revert_drift=True)

    assert result.exit_code == 0
    assert world.box.provisioner.made["a"].properties["Size"] == size
    assert world.warnings() == [NOT_REVERTED] * 2
    assert plan(wanted, world.aws, Options(poll_interval=5.0, revert_drift=True), world.host()).notices == (
        NOT_REVERTED,
    )


# alarms that roll back

OWN = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:own"


def alarmed(*alarms: str, minutes: int = 0, size: str = "90") -> Manifest:
    text = json.dumps(of({"A": thing(Name="a", Size=size)}))
    return manifest(spec("one", text, rollback_alarms=alarms, rollback_minutes=minutes))


def test_alarms_watch_updates_and_go_when_the_file_no_longer_names_them(world: World) -> None:
    def shown() -> Any:
        return world.box.stack("dev-one")["RollbackConfiguration"]

    world.deploy(alarmed(OWN, minutes=5))
    assert shown() == {}  # what is made only now may be what makes the alarms

    world.deploy(alarmed(OWN, minutes=5, size="91"))
    assert [one["Arn"] for one in shown()["RollbackTriggers"]] == [OWN]
    assert shown()["MonitoringTimeInMinutes"] == 5
    assert world.deploy(alarmed(OWN, minutes=5, size="91")).stacks[0].action == "none"

    world.deploy(alarmed(size="91"))
    assert shown() == {}


def test_an_alarm_is_found_by_its_name_in_the_account_and_changes_what_the_change_set_is_called() -> None:
    cloud = FakeCloud(Clock())
    state = cloud.has("dev-one", "UPDATE_COMPLETE")

    def request(*alarms: str) -> ChangeSetRequest:
        wanted = alarmed(*alarms)
        return Preparer(wanted, cloud, lambda _: None, "r").request(wanted.stacks[0], state, "UPDATE", 0)

    found = request(OWN, "errors")
    assert found.rollback_alarms == (OWN, "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors")
    assert len({found.name, request(OWN).name, request().name}) == 3


def test_an_alarms_arn_is_of_its_partition() -> None:
    assert alarm_arn("aws-eusc", "eusc-de-east-1", "1", "x y") == (
        "arn:aws-eusc:cloudwatch:eusc-de-east-1:1:alarm:x y"
    )


def test_the_file_names_alarms_and_patience_and_only_stacks_that_serve_requests_are_watched() -> None:
    text = """
system: litellm
environment: dev
observability: {rollback_alarms: [dev-errors], rollback_monitoring_minutes: 10}
deployment: {timeout_minutes: {database: 90}}
"""
    found = {stack.name: stack for stack in render(parse_settings(text, Path("dev.yaml"))).stacks}

    watched = {name: (one.rollback_alarms, one.rollback_minutes) for name, one in found.items()}
    assert watched == {
        "security": ((), 0),
        "network": ((), 0),
        "alb": (("dev-errors",), 10),
        "database": ((), 0),
        "service": (("dev-errors",), 10),
    }
    assert (found["database"].timeout_minutes, found["service"].timeout_minutes) == (90, 60)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rollback_alarms: [a, b, c, d, e, f]", "the list has 6 alarms; CloudFormation takes 5"),
        ("rollback_alarms: ['x:y']", "'x:y' is not an alarm's name or ARN"),
        ("rollback_monitoring_minutes: 181", "181 is out of range; 0 to 180 minutes"),
    ],
)
def test_alarms_that_cloudformation_would_refuse_are_refused(line: str, problem: str) -> None:
    text = f"system: litellm\nenvironment: dev\nobservability:\n  {line}\n"
    with pytest.raises(ValueError, match=r"observability\.rollback") as caught:
        parse_settings(text, Path("dev.yaml"))
    assert problem in str(caught.value)


# the command, on real resources


def service(sandbox: Sandbox, name: Any) -> Any:
    return boto3.client(
        name,
        region_name="us-east-1",
        endpoint_url=sandbox.endpoint,
        **CREDENTIALS,
    )


def test_an_environment_drifts_and_is_set_back(user: User, sandbox: Sandbox) -> None:
    some = ("--only", "security", "--only", "network")
    assert user.run("deploy", "dev", "--yes", "--quiet", *some).code == 0
    ec2, secrets = service(sandbox, "ec2"), service(sandbox, "secretsmanager")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    alb = next(one["GroupId"] for one in groups if "alb" in one["GroupName"].lower())
    opened = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=alb, IpPermissions=opened)
    secrets.update_secret(SecretId="dev-litellm/master-key", Description="somebody was here")

    found = user.run("drift", "dev", "--format", "json")

    assert found.code == 3
    drifted = {
        stack["name"]: [
            (one["status"], [(each["path"], each["kind"]) for each in one["properties"]])
            for one in stack["resources"]
        ]
        for stack in json.loads(found.out)["stacks"]
    }
    assert drifted == {
        "security": [("MODIFIED", [("/Description", "NOT_EQUAL")])],
        "network": [("MODIFIED", [("/SecurityGroupIngress/1", "ADD")])],
        "alb": [],
        "database": [],
        "service": [],
    }
    planned = user.run("plan", "dev", "--drift", "--only", "network")
    note = "note: dev-litellm-network: 1 resource has drifted: AlbSecurityGroup (MODIFIED)"
    assert note in planned.out

    back = user.run("deploy", "dev", "--yes", "--revert-drift", "--quiet", *some)
    assert back.code == 0, back.err
    again = user.run("drift", "dev")
    assert (again.code, again.out.splitlines()[-1]) == (0, "dev: in sync"), again.out


def test_the_command_says_what_an_endpoint_cannot(user: User, sandbox: Sandbox) -> None:
    service(sandbox, "cloudformation").create_stack(
        StackName="dev-litellm-security",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    )
    sandbox.finish()
    sandbox.faults.add({"behaviour": {"lacks": ["DetectStackDrift"]}})

    done = user.run("drift", "dev", "--stack", "security")

    assert (done.code, done.err) == (1, "error: security: this endpoint has no drift detection\n")
    unknown = user.run("drift", "dev", "--stack", "nowork")
    assert unknown.code == 2
    assert "no stack nowork; dev has security, network, alb, database, service" in unknown.err


def test_what_gatestack_itself_has_set_is_no_drift_and_what_somebody_sets_after_it_is(
    user: User, sandbox: Sandbox
) -> None:
    assert user.run("deploy", "dev", "--yes", "--quiet", "--only", "security").code == 0
    ssm, name = service(sandbox, "ssm"), "/dev-litellm/log-level"
    assert user.run("config", "set", "dev", "log-level", "WARNING").code == 0

    found = user.run("drift", "dev")

    assert found.code == 0, found.out
    assert f"dev-litellm-security: in sync: {name} set by `gatestack config set`" in found.out

    ssm.put_parameter(Name=name, Value="DEBUG", Type="String", Overwrite=True)
    by_hand = user.run("drift", "dev")
    assert (by_hand.code, "/Value: INFO -> DEBUG" in by_hand.out) == (3, True), by_hand.out

    assert user.run("config", "set", "dev", "log-level", "ERROR").code == 0
    ssm.put_parameter(Name="/dev-litellm/max-tasks", Value="9", Type="String", Overwrite=True)
    both = user.run("drift", "dev")
    assert (both.code, name in both.out.splitlines()[0], "MaxTasksParameter" in both.out) == (3, True, True)
    assert "LogLevelParameter" not in both.out
