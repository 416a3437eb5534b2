"""What ECS does to listener rules as it shifts traffic: no drift, never set back, kept by every update."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.day2.drift_state import PropertyDrift, ResourceDrift
from deployer.day2.shifted import GROUP, RULE, is_shifted, maybe
from deployer.errors import DeployError
from deployer.expected import SERVICE, seconds
from deployer.history.durations import Touched
from deployer.lookups import live_group
from deployer.run.live_groups import LiveGroups
from deployer.states import Resource
from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.fakes import Clock, FakeCloud, spec
from tests.stacks.functions.rotations import client_of

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup"
FIRST, OTHER, FOREIGN = (f"{ARN}/{name}/0123456789abcdef" for name in ("first", "other", "foreign"))
MISSING = "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:v1"
FACTS = {"listener_rule": "Rule", "group": "First", "other": "Other"}


def groups(*arns: str) -> list[Resource]:
    return [Resource(f"Group{number}", arn, GROUP, "CREATE_COMPLETE") for number, arn in enumerate(arns)]


def drifted(path: str, actual: str, *, type_: str = RULE) -> ResourceDrift:
    one = PropertyDrift(path, FIRST, actual, "NOT_EQUAL")
    return ResourceDrift("Rule", type_, "arn:rule", "MODIFIED", (one,))


@pytest.mark.parametrize(
    ("found", "there", "own"),
    [
        (drifted("/Actions/0/TargetGroupArn", OTHER), groups(FIRST, OTHER), True),
        (drifted("/Actions/0/ForwardConfig", f'{{"TargetGroupArn":"{OTHER}"}}'), groups(FIRST, OTHER), True),
        (drifted("/Actions/0/TargetGroupArn", FOREIGN), groups(FIRST, OTHER), False),
        (drifted("/Actions/0/TargetGroupArn", OTHER), groups(OTHER), False),
        (drifted("/Actions/0/Type", "fixed-response"), groups(FIRST, OTHER), False),
        (drifted("/Actions/0", f'{{"Type":"redirect","Old":"{OTHER}"}}'), groups(FIRST, OTHER), False),
        (drifted("/Conditions/0/Values/0", OTHER), groups(FIRST, OTHER), False),
        (drifted("/Actions/0/TargetGroupArn", OTHER, type_="AWS::Other"), groups(FIRST, OTHER), False),
    ],
)
def test_only_a_rule_that_leads_to_the_stacks_own_two_groups_is_ecs_s(
    found: ResourceDrift, there: list[Resource], *, own: bool
) -> None:
    assert is_shifted(found, there) is own
    assert maybe([found]) or not own


@pytest.mark.parametrize(
    ("weights", "previous", "value"),
    [
        (None, None, "First"),
        (None, "Other", "Other"),
        ({"First": 0, "Other": 100}, "First", "Other"),
        ({"First": 1, "Other": 0}, "Other", "First"),
        ({"First": 0, "Other": 0}, "Other", "Other"),
    ],
)
def test_a_rule_is_left_where_it_leads(
    weights: dict[str, int] | None, previous: str | None, value: str
) -> None:
    assert live_group(FACTS, "dev", weights=weights, previous=previous).text == value


def test_a_rule_is_not_changed_while_traffic_shifts() -> None:
    with pytest.raises(DeployError, match="ECS is shifting traffic between First and Other"):
        live_group(FACTS, "dev", weights={"First": 80, "Other": 20}, previous="First")


@pytest.mark.parametrize("template", ["Resources: {}", "[]", "{}", '{"Metadata": {"gatestack": {}}}'])
def test_a_stack_with_a_template_of_somebody_elses_is_left_in_peace(template: str) -> None:
    cloud = FakeCloud(Clock())
    stack = cloud.has("dev-a", "CREATE_COMPLETE", template, parameters={"Theirs": "x"})

    LiveGroups(cloud, "dev").check_leaving(spec("a"), stack)


# On the sandbox


class Traffic:
    """Where the environment's rules lead, and who answers there."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.elb = client_of(sandbox, "elbv2")
        self.cloudformation = client_of(sandbox, "cloudformation")

    def physical(self, name: str) -> str:
        found = self.cloudformation.describe_stack_resource(
            StackName="local-litellm-alb", LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def targets(self, name: str) -> int:
        found = self.elb.describe_target_health(TargetGroupArn=self.physical(name))
        return len(found["TargetHealthDescriptions"])

    def led_to(self, rule: str = "Rule100") -> list[str]:
        """The groups that get requests."""
        (action,) = self.elb.describe_rules(RuleArns=[self.physical(rule)])["Rules"][0]["Actions"]
        named: list[dict[str, Any]] = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        names = ("TargetGroup", "AlternateTargetGroup")
        by_arn = {self.physical(name): name for name in names}
        return [by_arn[one["TargetGroupArn"]] for one in named if one.get("Weight", 1) > 0]

    def lead(self, **weights: int) -> None:
        named = [{"TargetGroupArn": self.physical(name), "Weight": one} for name, one in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": named}}
        self.elb.modify_rule(RuleArn=self.physical("Rule100"), Actions=[action])


def test_ecs_rewrites_the_rule_and_no_command_leads_clients_to_an_empty_group(
    user: User, sandbox: Sandbox
) -> None:
    before = "  nat_gateways: 1\n\nservice:\n"
    user.edit("local", before, f"{before}  deployment_strategy: blue_green\n")
    assert user.run("deploy", "local", "--yes").code == 0
    traffic = Traffic(sandbox)
    assert (traffic.led_to(), traffic.targets("TargetGroup")) == (["TargetGroup"], 1)

    assert user.run("rollout", "local").code == 0
    sandbox.finish()

    def answered() -> tuple[Any, ...]:
        groups = ("TargetGroup", "AlternateTargetGroup")
        return traffic.led_to(), traffic.led_to("TestRule100"), *(traffic.targets(name) for name in groups)

    shifted = (["AlternateTargetGroup"], ["AlternateTargetGroup"], 0, 1)
    assert answered() == shifted
    drift = user.run("drift", "local")
    assert drift.code == 0
    assert "Rule100 leads where ECS has shifted its traffic" in drift.out

    again = user.run("deploy", "local", "--yes")
    assert (again.code, "nothing to change" in again.err) == (0, True), again.err
    for change in (["--revert-drift"], []):
        if not change:
            user.edit("local", "system: litellm\n", "system: litellm\ntags:\n  CostCenter: four\n")
        done = user.run("deploy", "local", "--yes", "--only", "alb", *change)
        assert done.code == 0, done.err
        assert answered() == shifted

    traffic.lead(TargetGroup=20, AlternateTargetGroup=80)
    user.edit("local", "CostCenter: four", "CostCenter: five")
    refused = user.run("deploy", "local", "--yes", "--only", "alb")
    assert (refused.code, "ECS is shifting traffic between" in refused.err) == (1, True), refused.err
    traffic.lead(TargetGroup=0, AlternateTargetGroup=100)

    assert user.run("plan", "local", "--only", "alb", "--save", "five.plan").code == 0
    traffic.lead(TargetGroup=100, AlternateTargetGroup=0)
    refused = user.run("deploy", "local", "--plan", "five.plan")
    assert (refused.code, "ECS has routed the clients to TargetGroup" in refused.err) == (1, True), (
        refused.err
    )
    traffic.lead(TargetGroup=0, AlternateTargetGroup=100)


@pytest.mark.deep
def test_going_back_to_rolling_waits_until_the_first_group_has_the_tasks(
    user: User, sandbox: Sandbox
) -> None:
    before = "  nat_gateways: 1\n\nservice:\n"
    user.edit("local", before, f"{before}  deployment_strategy: canary\n")
    assert user.run("deploy", "local", "--yes").code == 0
    assert user.run("rollout", "local").code == 0
    sandbox.finish()
    traffic = Traffic(sandbox)
    assert traffic.led_to() == ["AlternateTargetGroup"]

    user.edit("local", "deployment_strategy: canary", "deployment_strategy: rolling")
    refused = user.run("deploy", "local", "--yes")
    assert refused.code == 1
    assert "Rule100 routes the clients to AlternateTargetGroup" in refused.err
    assert (traffic.led_to(), traffic.targets("AlternateTargetGroup")) == (["AlternateTargetGroup"], 1)

    assert user.run("rollout", "local").code == 0
    sandbox.finish()
    done = user.run("deploy", "local", "--yes")
    assert done.code == 0, done.err
    (action,) = traffic.elb.describe_rules(RuleArns=[traffic.physical("Rule100")])["Rules"][0]["Actions"]
    led_to = [one["TargetGroupArn"] for one in action["ForwardConfig"]["TargetGroups"] if one["Weight"]]
    assert (led_to, traffic.targets("TargetGroup")) == ([traffic.physical("TargetGroup")], 1)


# Deployments that never become stable


def test_without_a_circuit_breaker_ecs_never_gives_up_and_cloudformation_does_after_three_hours(
    sandbox: Sandbox,
) -> None:
    cloudformation = client_of(sandbox, "cloudformation")
    task = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"ContainerDefinitions": [{"Name": "one", "Image": MISSING, "Memory": 128}]},
    }
    service = {"Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Task"}, "DesiredCount": 1}
    for name, breaker in (("with", True), ("without", False)):
        how = {"DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": breaker, "Rollback": True}}}
        resources = {
            "Cluster": {"Type": "AWS::ECS::Cluster"},
            "Task": task,
            "Service": {"Type": SERVICE, "Properties": service | how},
        }
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    sandbox.advance(600)

    def status(name: str) -> str:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    assert (status("with"), status("without")) == ("ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS")
    sandbox.advance(3 * 60 * 60)
    assert status("without").startswith("ROLLBACK")


@pytest.mark.parametrize(
    ("own", "minutes"),
    [
        ({}, 0),
        ({"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 15}, 15),
        ({"CanaryConfiguration": {"CanaryPercent": 5, "CanaryBakeTimeInMinutes": 7}}, 7),
        (
            {"LinearConfiguration": {"StepPercent": 30, "StepBakeTimeInMinutes": 5}, "BakeTimeInMinutes": 1},
            16,
        ),
    ],
)
def test_what_is_expected_counts_the_minutes_that_a_deployment_waits_by_plan(
    own: dict[str, Any], minutes: int
) -> None:
    template = json.dumps(
        {"Resources": {"S": {"Type": SERVICE, "Properties": {"DeploymentConfiguration": own}}}}
    )

    service, topic = Touched("S", SERVICE, "update"), Touched("T", "AWS::SNS::Topic", "update")
    assert seconds([service], template) == seconds([service]) + 60 * minutes
    assert seconds([topic], template) == seconds([topic])
