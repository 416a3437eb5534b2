"""How new tasks take over: what each strategy makes of service, load balancer, alarms and way in."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from sandbox.server import Sandbox
from stacks import alb, network, service
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.wiring import Stack
from tests.command import User
from tests.covering import parameter
from tests.linted import check
from tests.stacks.finders import exports, properties, resource, resources
from tests.stacks.functions.rotations import client_of

SHIFTING = ("blue_green", "canary", "linear")
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def settings(strategy: str = "rolling", **sections: Any) -> Settings:
    more = sections.pop("service", {})
    file = {"system": "litellm", "environment": "dev"} | sections
    text = yaml.safe_dump(file | {"service": {"deployment_strategy": strategy} | more})
    return parse_settings(text, Path("dev.yaml"))


def imported(stack: str, output: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"dev-litellm-{stack}-{output}"}


def configuration(configured: Settings) -> dict[str, Any]:
    found: dict[str, Any] = properties(service.build(configured), "Service")["DeploymentConfiguration"]
    return found


def at_first(target: dict[str, Any]) -> str:
    """The group that a rule leads to before ECS has shifted anything: the last branch of a condition."""
    found: str = target["Fn::If"][-1]["Ref"] if "Fn::If" in target else target["Ref"]
    return found


def rules(stack: Stack) -> dict[str, tuple[str, int, list[str], str]]:
    """The rules by logical id: listener, priority, paths, target group."""
    return {
        title: (
            rule["Properties"]["ListenerArn"]["Ref"],
            rule["Properties"]["Priority"],
            rule["Properties"]["Conditions"][0]["PathPatternConfig"]["Values"],
            at_first(rule["Properties"]["Actions"][0]["TargetGroupArn"]),
        )
        for title, rule in resources(stack, "AWS::ElasticLoadBalancingV2::ListenerRule").items()
    }


# The service


def test_rolling_has_the_circuit_breaker_and_nothing_of_the_other_strategies() -> None:
    stack = service.build(settings())

    assert configuration(settings()) == {
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
    }
    assert "AdvancedConfiguration" not in properties(stack, "Service")["LoadBalancers"][0]
    assert "TrafficRole" not in resources(stack, "AWS::IAM::Role")


@pytest.mark.parametrize(
    ("strategy", "own"),
    [
        ("blue_green", {"Strategy": "BLUE_GREEN"}),
        (
            "canary",
            {
                "Strategy": "CANARY",
                "CanaryConfiguration": {"CanaryPercent": 25, "CanaryBakeTimeInMinutes": 4},
            },
        ),
        (
            "linear",
            {"Strategy": "LINEAR", "LinearConfiguration": {"StepPercent": 25, "StepBakeTimeInMinutes": 4}},
        ),
    ],
)
def test_a_strategy_says_how_traffic_shifts_beside_the_circuit_breaker(
    strategy: str, own: dict[str, Any]
) -> None:
    configured = settings(strategy, service={"shift_percent": 25, "shift_minutes": 4, "bake_minutes": 7})

    found = configuration(configured)
    assert found.pop("Alarms")["Rollback"] is True
    assert found == configuration(settings()) | {"BakeTimeInMinutes": 7} | own


@pytest.mark.parametrize("strategy", SHIFTING)
def test_ecs_is_given_both_groups_both_rules_and_a_role_to_shift_traffic_with(strategy: str) -> None:
    stack = service.build(settings(strategy))
    role = properties(stack, "TrafficRole")

    assert properties(stack, "Service")["LoadBalancers"] == [
        {
            "ContainerName": "litellm-proxy",
            "ContainerPort": 4000,
            "TargetGroupArn": imported("alb", "TargetGroupArn"),
            "AdvancedConfiguration": {
                "AlternateTargetGroupArn": imported("alb", "AlternateTargetGroupArn"),
                "ProductionListenerRule": imported("alb", "ProductionRuleArn"),
                "TestListenerRule": imported("alb", "TestRuleArn"),
                "RoleArn": {"Fn::GetAtt": ["TrafficRole", "Arn"]},
            },
        }
    ]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "ecs.amazonaws.com"}
    assert role["ManagedPolicyArns"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"}
    ]


# Alarms and dashboard


@pytest.mark.parametrize(
    ("strategy", "alarms", "names"),
    [
        ("rolling", {}, ["UnhealthyHosts", "ServerErrors"]),
        ("canary", {}, ["UnhealthyHosts", "UnhealthyAlternateHosts", "ServerErrors"]),
        (
            "canary",
            {"server_errors": 0, "server_error_percent": 5},
            ["UnhealthyHosts", "UnhealthyAlternateHosts", "ServerErrorRate"],
        ),
    ],
)
def test_the_alarms_that_there_are_roll_a_deployment_back_where_asked_for(
    strategy: str, alarms: dict[str, int], names: list[str]
) -> None:
    asked = settings(strategy, service={"deployment_alarms": True}, observability={"alarms": alarms})

    assert configuration(asked)["Alarms"] == {
        "AlarmNames": [{"Ref": name} for name in names],
        "Enable": True,
        "Rollback": True,
    }
    assert set(names) <= resources(service.build(asked), "AWS::CloudWatch::Alarm").keys()
    assert "Alarms" not in configuration(settings(strategy, service={"deployment_alarms": False}))
    assert ("Alarms" in configuration(settings(strategy))) == (strategy != "rolling")


def test_alarms_see_both_target_groups_where_tasks_change_between_them() -> None:
    stack = service.build(settings("blue_green"))
    balancer = {"Name": "LoadBalancer", "Value": imported("alb", "AlbFullName")}

    for alarm, group in (("UnhealthyHosts", ""), ("UnhealthyAlternateHosts", "Alternate")):
        assert properties(stack, alarm)["Dimensions"] == [
            balancer,
            {"Name": "TargetGroup", "Value": imported("alb", f"{group}TargetGroupFullName")},
        ]
    _, *parts = properties(stack, "ServerErrors")["Metrics"]
    assert [part["MetricStat"]["Metric"]["Dimensions"] for part in parts] == [[balancer], [balancer]]


def test_the_dashboard_shows_the_answers_of_both_groups_and_the_health_of_each() -> None:
    stack = service.build(settings("linear", observability={"dashboard": True}))
    text, values = properties(stack, "Dashboard")["DashboardBody"]["Fn::Sub"]
    first, second = (f"${{{name}}}" for name, value in values.items() if "TargetGroup" in str(value))
    metrics = [one for widget in json.loads(text)["widgets"] for one in widget["properties"]["metrics"]]
    groups: dict[str, set[str]] = {}
    for metric in metrics:
        named = [value for key, value in pairwise(metric) if key == "TargetGroup"]
        groups.setdefault(metric[1], set()).update(named)

    assert groups["RequestCount"] == set()
    assert groups["HealthyHostCount"] == {first, second}


# The load balancer and the way in


@pytest.mark.parametrize(
    ("certificate", "listener"), [(None, "HttpListener"), (CERTIFICATE, "HttpsListener")]
)
@pytest.mark.parametrize("strategy", SHIFTING)
def test_one_production_rule_and_one_test_rule_lead_to_one_group_each(
    strategy: str, certificate: str | None, listener: str
) -> None:
    stack = alb.build(settings(strategy, alb={"certificate_arn": certificate}))
    clients, test = properties(stack, listener), properties(stack, "TestListener")
    spoken = ("Protocol", "SslPolicy", "Certificates")

    assert rules(stack) == {
        "Rule100": (listener, 100, ["/*"], "TargetGroup"),
        "TestRule100": ("TestListener", 100, ["/*"], "AlternateTargetGroup"),
    }
    assert test["Port"] == 8443
    assert [test.get(key) for key in spoken] == [clients.get(key) for key in spoken]


def test_a_change_of_strategy_leaves_the_production_rule_and_the_first_group_alone() -> None:
    before, after = alb.build(settings()), alb.build(settings("blue_green"))

    assert rules(before)["Rule100"] == rules(after)["Rule100"]
    assert resource(before, "TargetGroup") == resource(after, "TargetGroup")


def test_both_groups_are_checked_alike() -> None:
    stack = alb.build(settings("canary"))
    first, second = (properties(stack, f"{which}TargetGroup") for which in ("", "Alternate"))

    assert first | {"Tags": ()} == second | {"Tags": ()}


def test_what_ecs_shifts_is_exported_only_where_it_does() -> None:
    made = exports(alb.build(settings("blue_green")))
    own = {name: value for name, value in made.items() if name not in exports(alb.build(settings()))}

    assert own == {
        "dev-litellm-alb-AlternateTargetGroupArn": {"Ref": "AlternateTargetGroup"},
        "dev-litellm-alb-AlternateTargetGroupFullName": {
            "Fn::GetAtt": ["AlternateTargetGroup", "TargetGroupFullName"]
        },
        "dev-litellm-alb-ProductionRuleArn": {"Ref": "Rule100"},
        "dev-litellm-alb-TestRuleArn": {"Ref": "TestRule100"},
        "dev-litellm-alb-TestListenerArn": {"Ref": "TestListener"},
    }


@pytest.mark.parametrize(
    ("strategy", "configured", "testers"),
    [
        ("rolling", {"test_cidrs": ["192.0.2.0/24"]}, []),
        ("canary", {}, [(8443, "10.0.0.0/16")]),
        ("canary", {"test_port": 8080, "test_cidrs": ["192.0.2.0/24"]}, [(8080, "192.0.2.0/24")]),
    ],
)
def test_the_test_listener_is_open_to_the_vpc_or_to_those_who_are_named(
    strategy: str, configured: dict[str, Any], testers: list[tuple[int, str]]
) -> None:
    stack = network.build(settings(strategy, alb=configured))
    inbound = properties(stack, "AlbSecurityGroup")["SecurityGroupIngress"]

    assert [(rule["FromPort"], rule["CidrIp"]) for rule in inbound] == [(80, "0.0.0.0/0"), *testers]


# Settings


@pytest.mark.parametrize(
    ("strategy", "sections", "message"),
    [
        (
            "linear",
            {"service": {"shift_percent": 2, "shift_minutes": 0}},
            "service.shift_percent: 2 percent is too little; linear steps are 3 or more",
        ),
        (
            "canary",
            {"service": {"requests_per_target": 500}},
            (
                "service.requests_per_target: counts in one target group, and canary changes between two; "
                "write 0, or use rolling"
            ),
        ),
        (
            "linear",
            {"observability": {"alarms": {"healthy_tasks": 1}}},
            (
                "observability.alarms.healthy_tasks: counts in one target group, "
                "and linear changes between two; write 0, or use rolling"
            ),
        ),
        (
            "blue_green",
            {"alb": {"test_port": 443}},
            "alb.test_port: 443 is a listener's of the clients; choose another, like 8443",
        ),
        (
            "linear",
            {"service": {"shift_percent": 30, "shift_minutes": 15}},
            (
                "service.bake_minutes: a linear deployment waits 60 minutes, and gatestack only 60 "
                "(deployment.timeout_minutes.service); shorten the one or lengthen the other"
            ),
        ),
    ],
)
def test_keys_that_do_not_fit_a_strategy_are_refused_and_do_not_matter_to_rolling(
    strategy: str, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(EnvironmentFileError) as refused:
        settings(strategy, **sections)

    assert [str(problem) for problem in refused.value.problems] == [message]
    settings("rolling", **sections)


@pytest.mark.parametrize(
    ("strategy", "percent", "minutes"),
    [("blue_green", 20, 59), ("canary", 20, 54), ("linear", 20, 39), ("linear", 30, 44), ("linear", 51, 54)],
)
def test_a_strategy_may_wait_until_just_before_the_deployers_patience_ends(
    strategy: str, percent: int, minutes: int
) -> None:
    settings(strategy, service={"shift_percent": percent, "bake_minutes": minutes})
    with pytest.raises(EnvironmentFileError):
        settings(strategy, service={"shift_percent": percent, "bake_minutes": minutes + 1})


def test_a_strategy_that_nothing_rolls_back_or_nobody_tests_is_advised_against() -> None:
    safe = {"alb": {"test_cidrs": ["192.0.2.0/24"]}}
    silent = settings("canary", service={"deployment_alarms": False})
    told = [line for line in advice(silent) if line not in advice(settings())]

    assert [line.split(":")[0] for line in told] == ["service.deployment_alarms", "alb.test_cidrs"]
    assert set(advice(settings("canary", **safe))) <= set(advice(settings()))


@pytest.mark.parametrize(
    ("strategy", "https"),
    [
        parameter(strategy, https, quick=strategy == "blue_green" and https)
        for strategy in SHIFTING
        for https in (False, True)
    ],
)
def test_every_strategy_passes_the_gate(strategy: str, https: bool) -> None:  # noqa: FBT001 - a parameter
    certificate = {"certificate_arn": CERTIFICATE if https else None}
    configured = settings(
        strategy,
        alb=certificate,
        service={"deployment_alarms": True},
        observability={"dashboard": True},
    )

    assert [str(finding) for finding in check(render(configured))] == []


# On the sandbox


@pytest.mark.deep
def test_strategies_are_deployed_changed_into_each_other_and_taken_down(user: User, sandbox: Sandbox) -> None:
    ecs = client_of(sandbox, "ecs")
    place = {"cluster": "local-litellm", "services": ["local-litellm-proxy"]}
    before = "  nat_gateways: 1\n\nservice:\n"
    user.edit("local", before, f"{before}  deployment_strategy: none\n")
    for old, new in pairwise(("none", "linear", "rolling", "blue_green", "canary")):
        user.edit("local", f"deployment_strategy: {old}", f"deployment_strategy: {new}")
        done = user.run("deploy", "local", "--yes")
        assert done.code == 0, done.err
        (live,) = ecs.describe_services(**place)["services"]
        assert live["deploymentConfiguration"].get("strategy", "ROLLING") == new.upper()

    assert "ok       targets                1 healthy" in user.run("verify", "local").out
    assert user.run("rollout", "local").code == 0
    gone = user.run("destroy", "local", "--yes")
    assert gone.code == 0, gone.err
