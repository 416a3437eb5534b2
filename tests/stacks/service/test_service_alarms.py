"""Alarms and dashboard as options: thresholds, percentiles, metric math, stopped tasks; and a deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from sandbox.server import Sandbox
from stacks import database, network, security, service
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.command import User
from tests.linted import check
from tests.sandbox.sandbox_account import client
from tests.stacks.finders import only, properties, resources

ALL: dict[str, Any] = {
    "cpu_percent": 80,
    "memory_percent": 80,
    "server_errors": 20,
    "server_error_percent": 1,
    "client_error_percent": 20,
    "client_error_requests": 50,
    "latency_milliseconds": 500,
    "latency_percentile": 95,
    "healthy_tasks": 2,
    "stopped_tasks": True,
    "database_cpu_percent": 70,
    "cache_evictions": 5,
}
"""Every alarm on, and no limit at its default."""
TARGETS = [
    {"Name": "LoadBalancer", "Value": {"Fn::ImportValue": "dev-litellm-alb-AlbFullName"}},
    {"Name": "TargetGroup", "Value": {"Fn::ImportValue": "dev-litellm-alb-TargetGroupFullName"}},
]
SHIFTING = {"desired_count": 2, "min_tasks": 2, "deployment_strategy": "blue_green"}
TOPIC = {"Fn::ImportValue": "dev-litellm-security-AlarmTopicArn"}


def settings(alarms: dict[str, Any], **sections: Any) -> Settings:
    file = {
        "system": "litellm",
        "environment": "dev",
        "alb": {"internal": True},
        "service": {"desired_count": 2, "min_tasks": 2},
        "observability": {"alarms": alarms, "dashboard": True},
    }
    return parse_settings(yaml.safe_dump(file | sections), Path("dev.yaml"))


def alarm(name: str, **alarms: Any) -> dict[str, Any]:
    return properties(service.build(settings(alarms)), name)


def limit(found: dict[str, Any]) -> tuple[Any, ...]:
    keys = ("ComparisonOperator", "Threshold", "EvaluationPeriods", "TreatMissingData")
    return tuple(found[key] for key in keys)


# Which alarms there are


def test_unless_asked_for_there_are_the_four_of_s1_and_that_of_the_rotation() -> None:
    stack = service.build(settings({}))

    assert resources(stack, "AWS::CloudWatch::Alarm").keys() == {
        "HighCpu",
        "HighMemory",
        "UnhealthyHosts",
        "ServerErrors",
        "MasterKeyRotationErrors",
    }
    assert resources(stack, "AWS::Events::Rule") == {}


def test_every_alarm_tells_the_topic_what_is_wrong_and_what_to_do() -> None:
    configured = settings(ALL)
    alarms = [
        entry["Properties"]
        for stack in (service.build(configured), database.build(configured))
        for entry in resources(stack, "AWS::CloudWatch::Alarm").values()
    ]

    assert len({found["AlarmName"] for found in alarms}) == len(alarms) == 13
    assert all(found["AlarmActions"] == [TOPIC] for found in alarms)
    assert all(20 < len(found["AlarmDescription"]) <= 1024 for found in alarms)
    assert all(":" in found["AlarmDescription"] or ";" in found["AlarmDescription"] for found in alarms)


def test_a_count_of_errors_can_be_left_out_for_a_rate() -> None:
    alarms = resources(service.build(settings(ALL | {"server_errors": 0})), "AWS::CloudWatch::Alarm")

    assert {"ServerErrors", "ServerErrorRate"} & alarms.keys() == {"ServerErrorRate"}


# What each looks at


@pytest.mark.parametrize(
    ("name", "key", "unit"), [("HighCpu", "cpu_percent", "CPU"), ("HighMemory", "memory_percent", "memory")]
)
def test_the_load_of_tasks_is_too_high_from_the_configured_percent(name: str, key: str, unit: str) -> None:
    found = alarm(name, **{key: 77})

    assert limit(found) == ("GreaterThanThreshold", 77, 3, "missing")
    assert f"{unit} is over 77 %" in found["AlarmDescription"]


def test_the_load_of_the_database_is_too_high_from_the_configured_percent() -> None:
    found = properties(database.build(settings({"database_cpu_percent": 70})), "HighCpu")

    assert limit(found) == ("GreaterThanThreshold", 70, 3, "missing")
    assert "over 70 %" in found["AlarmDescription"]


def test_the_number_of_errors_is_configured() -> None:
    found = alarm("ServerErrors", server_errors=20)

    assert limit(found) == ("GreaterThanThreshold", 20, 2, "notBreaching")
    assert "More than 20 answers" in found["AlarmDescription"]


def parts_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics of a formula by their names in it."""
    _, *parts = found["Metrics"]
    for part in parts:
        assert (part["MetricStat"]["Stat"], part["MetricStat"]["Period"]) == ("Sum", 300)
        assert part["ReturnData"] is False
    return {part["Id"]: part["MetricStat"]["Metric"] for part in parts}


def computed(found: dict[str, Any], **values: float) -> float:
    """What CloudWatch computes of a formula: metrics that nobody reported are left out of *values*."""
    expression = found["Metrics"][0]["Expression"]
    there = {name: values.get(name) for name in parts_of(found)}
    known = {"FILL": lambda value, other: other if value is None else value, **there}
    return float(eval(_chosen(expression), {"__builtins__": {}}, known))  # noqa: S307 - our own formula


def _chosen(expression: str, name: str = "IF") -> str:
    """Write each choice as Python does: only one of its two values need be defined."""
    start = expression.find(f"{name}(")
    if start < 0:
        return expression
    depth, cuts, end = 0, [], len(expression)
    for index in range(start + len(name), len(expression)):
        depth += {"(": 1, ")": -1}.get(expression[index], 0)
        if depth == 1 and expression[index] == ",":
            cuts.append(index)
        if depth == 0:
            end = index
            break
    first, second = cuts
    condition = expression[start + len(name) + 1 : first]
    yes, no = expression[first + 1 : second], expression[second + 1 : end]
    inner = f"({_chosen(yes)} if {condition} else {_chosen(no)})"
    return expression[:start] + inner + expression[end + 1 :]


def test_the_load_balancers_own_errors_count_too() -> None:
    for name in ("ServerErrors", "ServerErrorRate"):
        found = alarm(name, server_errors=20, server_error_percent=1)
        metrics = parts_of(found)

        assert not {"MetricName", "Statistic", "Period", "Dimensions"} & found.keys()
        assert metrics["target"] == {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Dimensions": TARGETS,
        }
        assert metrics["balancer"] == {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_ELB_5XX_Count",
            "Dimensions": TARGETS[:1],
        }


@pytest.mark.parametrize(
    ("values", "count", "rate"),
    [
        ({}, 0, 0),
        ({"requests": 100}, 0, 0),
        ({"requests": 100, "target": 3}, 3, 3),
        ({"requests": 100, "balancer": 4}, 4, 4),
        ({"requests": 100, "target": 3, "balancer": 4}, 7, 7),
        ({"balancer": 50}, 50, 100),
        ({"requests": 10, "balancer": 50}, 50, 100),
        ({"requests": 10, "target": 10}, 10, 100),
    ],
)
def test_an_outage_without_any_task_rings_and_no_rate_is_over_100_percent(
    values: dict[str, float], count: float, rate: float
) -> None:
    """Of 503s without a target no request is counted (Elastic Load Balancing's metrics, RequestCount)."""
    assert computed(alarm("ServerErrors", server_errors=20), **values) == count
    assert computed(alarm("ServerErrorRate", server_error_percent=1), **values) == rate


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ({"requests": 1000, "refused": 250}, 25),
        ({"requests": 50, "refused": 50}, 100),
        ({"requests": 49, "refused": 49}, 0),
        ({"requests": 1000}, 0),
        ({"refused": 3}, 0),
        ({}, 0),
    ],
)
def test_a_task_that_refuses_every_key_rings_and_two_scanners_at_night_do_not(
    values: dict[str, float], rate: float
) -> None:
    found = alarm("ClientErrorRate", client_error_percent=20, client_error_requests=50)

    assert limit(found) == ("GreaterThanThreshold", 20, 3, "notBreaching")
    assert parts_of(found)["refused"]["MetricName"] == "HTTPCode_Target_4XX_Count"
    assert computed(found, **values) == rate


@pytest.mark.parametrize("system", ["litellm", "llm-proxy", "llm-testing", "litellm-benchmark"])
def test_production_of_every_system_is_told_of_refused_requests(system: str) -> None:
    file = {
        "system": system,
        "environment": "prod",
        "tier": "production",
        "alb": {"internal": True},
        "observability": {"alarms": {"server_errors": 10}},
    }
    stack = service.build(parse_settings(yaml.safe_dump(file), Path("prod.yaml")))

    assert parts_of(properties(stack, "ServerErrors"))["balancer"]["MetricName"] == "HTTPCode_ELB_5XX_Count"
    assert properties(stack, "ClientErrorRate")["Threshold"] == 20


def test_each_alarm_names_its_row_on_the_page_for_the_night() -> None:
    stacks = [
        service.build(settings(ALL)),
        network.build(settings(ALL)),
        database.build(settings(ALL, cache={"enabled": True, "nodes": 2})),
    ]
    found = {
        f"{stack.name}-{name}": one["Properties"]["AlarmDescription"]
        for stack in stacks
        for name, one in resources(stack, "AWS::CloudWatch::Alarm").items()
    }

    assert len(found) > 15
    for name, description in found.items():
        assert description.endswith(f" (gatestack docs operations, {name.rstrip('0123456789')})")


@pytest.mark.parametrize(
    ("milliseconds", "percentile", "seconds", "statistic", "share"),
    [(500, 95, 0.5, "p95", "5 %"), (2000, 99, 2, "p99", "1 %")],
)
def test_latency_is_a_percentile_over_milliseconds(
    milliseconds: int, percentile: int, seconds: float, statistic: str, share: str
) -> None:
    found = alarm("HighLatency", latency_milliseconds=milliseconds, latency_percentile=percentile)

    assert limit(found) == ("GreaterThanThreshold", seconds, 3, "notBreaching")
    assert (found["MetricName"], found["ExtendedStatistic"]) == ("TargetResponseTime", statistic)
    assert "Statistic" not in found
    assert found["AlarmDescription"].startswith(f"{share} of the answers take longer than {milliseconds} ms")


def test_too_few_healthy_tasks_ring_and_so_does_none_at_all() -> None:
    found = alarm("FewHealthyTasks", healthy_tasks=2)

    assert limit(found) == ("LessThanThreshold", 2, 3, "breaching")
    assert (found["MetricName"], found["Statistic"], found["Dimensions"]) == (
        "HealthyHostCount",
        "Minimum",
        TARGETS,
    )


# Tasks that stopped


def test_a_stopped_task_of_this_service_is_told_unless_it_was_asked_for() -> None:
    stack = service.build(settings({"stopped_tasks": True}))

    assert only(stack, "AWS::Events::Rule")["Properties"]["EventPattern"] == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [{"Fn::GetAtt": ["Cluster", "Arn"]}],
            "group": [{"Fn::Join": ["", ["service:", {"Fn::GetAtt": ["Service", "Name"]}]]}],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"stopCode": [{"anything-but": ["ServiceSchedulerInitiated", "UserInitiated"]}]},
                {"stoppedReason": [{"prefix": "Task failed "}]},
            ],
        },
    }


def test_the_message_about_a_stopped_task_is_json_with_code_reason_and_task() -> None:
    (target,) = properties(service.build(settings({"stopped_tasks": True})), "StoppedTasks")["Targets"]
    transformer = target["InputTransformer"]
    text = transformer["InputTemplate"]
    for name in transformer["InputPathsMap"]:
        text = text.replace(f"<{name}>", json.dumps(f'the "{name}"'))

    assert (target["Arn"], "RoleArn" in target) == (TOPIC, False)
    assert transformer["InputPathsMap"] == {
        "code": "$.detail.stopCode",
        "reason": "$.detail.stoppedReason",
        "task": "$.detail.taskArn",
    }
    message = json.loads(text)
    assert message["reason"] == 'the "reason"'
    assert "dev-litellm-proxy stopped unexpectedly" in message["problem"]
    assert "/ecs/dev-litellm-proxy" in message["problem"]


def test_eventbridge_may_publish_on_the_encrypted_topic_only_where_it_has_to() -> None:
    def statements(alarms: dict[str, Any]) -> dict[str, dict[str, Any]]:
        stack = security.build(settings(alarms))
        topic = properties(stack, "AlarmTopicPolicy")["PolicyDocument"]["Statement"]
        return {
            entry["Sid"]: entry for entry in (*topic, *properties(stack, "Key")["KeyPolicy"]["Statement"])
        }

    before, after = statements({}), statements({"stopped_tasks": True})

    assert {sid: after[sid] for sid in after.keys() - before.keys()} == {
        "EventsPublish": {
            "Sid": "EventsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["sns:Publish"],
            "Resource": [{"Ref": "AlarmTopic"}],
        },
        "Events": {
            "Sid": "Events",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
            "Resource": ["*"],
        },
    }
    assert {sid: after[sid] for sid in before} == before


# Limits


@pytest.mark.parametrize(
    ("alarms", "problem"),
    [
        ({"cpu_percent": 100}, "cpu_percent: 100 is out of range; 1 to 99 percent"),
        ({"memory_percent": 0}, "memory_percent: 0 is out of range; 1 to 99 percent"),
        ({"server_error_percent": 100}, "server_error_percent: 100 is out of range; 0 to 99 percent"),
        ({"latency_percentile": 100}, "latency_percentile: 100 is out of range; 50 to 99"),
        ({"latency_milliseconds": -1}, "latency_milliseconds: -1 is out of range; 0 to 4000000 milliseconds"),
        ({"database_cpu_percent": 100}, "database_cpu_percent: 100 is out of range; 1 to 99 percent"),
        (
            {"healthy_tasks": 3},
            (
                "healthy_tasks: 3 is more than service.min_tasks, 2: it would fire all the time; "
                "raise min_tasks or lower this"
            ),
        ),
        (
            {"latency_milliseconds": 600_000},
            (
                "latency_milliseconds: the load balancer gives up after 600000 ms "
                "(alb.idle_timeout_seconds), so this would never fire; lower it"
            ),
        ),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(alarms: dict[str, Any], problem: str) -> None:
    with pytest.raises(EnvironmentFileError) as refused:
        settings(alarms)

    (found,) = refused.value.problems
    assert str(found) == f"observability.alarms.{problem}"


# Dashboard


def test_the_dashboard_is_an_option_with_ten_graphs_that_do_not_overlap() -> None:
    stack = service.build(settings({}))
    text, values = only(stack, "AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    lines = [[(line[1], line[-1]["stat"]) for line in each["properties"]["metrics"]] for each in widgets]

    off = service.build(settings({}, observability={"dashboard": False}))
    assert resources(off, "AWS::CloudWatch::Dashboard") == {}
    assert lines == [
        [("RequestCount", "Sum")],
        [("TargetResponseTime", "p50"), ("TargetResponseTime", "p95"), ("TargetResponseTime", "p99")],
        [(f"HTTPCode_{whose}_{kind}_Count", "Sum") for whose in ("Target", "ELB") for kind in ("5XX", "4XX")],
        [("HealthyHostCount", "Minimum"), ("UnHealthyHostCount", "Maximum")],
        [("CPUUtilization", "SampleCount")],
        [("CPUUtilization", "Average")],
        [("MemoryUtilization", "Average")],
        [("DatabaseConnections", "Maximum")],
        [("CPUUtilization", "Average")],
        [("FreeStorageSpace", "Minimum")],
    ]
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == 10
    assert values.keys() == {"Alb", "TargetGroup0", "ClusterName", "ServiceName"}


def test_the_dashboard_shows_the_capacity_of_a_cluster_in_place_of_storage() -> None:
    stack = service.build(settings({}, database={"engine": "aurora-postgresql"}))
    body = properties(stack, "Dashboard")["DashboardBody"]["Fn::Sub"][0]
    *_, connections, _, last = [each["properties"]["metrics"] for each in json.loads(body)["widgets"]]

    assert connections[0][2:4] == ["DBClusterIdentifier", "dev-litellm-aurora"]
    assert [line[1] for line in last] == ["ACUUtilization"]


def test_the_dashboard_shows_every_node_of_redis() -> None:
    stack = service.build(settings({}, cache={"enabled": True, "nodes": 2}))
    widgets = json.loads(properties(stack, "Dashboard")["DashboardBody"]["Fn::Sub"][0])["widgets"]
    redis = {each["properties"]["title"]: each["properties"]["metrics"] for each in widgets[10:]}

    assert list(redis) == ["Redis memory, %", "Redis core, %", "Redis evictions"]
    assert [line[3] for line in redis["Redis memory, %"]] == [
        "dev-litellm-redis-001",
        "dev-litellm-redis-002",
    ]


def test_running_tasks_are_counted_by_the_minute_in_which_each_reports_once() -> None:
    body = properties(service.build(settings({})), "Dashboard")["DashboardBody"]["Fn::Sub"][0]
    periods = {
        each["properties"]["title"]: each["properties"]["period"] for each in json.loads(body)["widgets"]
    }

    assert periods.pop("Running tasks") == 60
    assert set(periods.values()) == {300}


# All of it


def test_all_alarms_pass_the_gate() -> None:
    assert [str(finding) for finding in check(render(settings(ALL)))] == []


def test_what_follows_two_target_groups_passes_the_gate_too() -> None:
    built = render(settings(ALL | {"healthy_tasks": 0}, service=SHIFTING))

    assert [str(finding) for finding in check(built)] == []


@pytest.mark.deep
def test_all_alarms_are_deployed_and_taken_down_again(user: User, sandbox: Sandbox) -> None:
    alarms = json.dumps({"alarms": ALL, "dashboard": True})
    user.edit("local", "tier: dev\n", f"tier: dev\nobservability: {alarms}\n")
    user.edit("local", "service:\n", "service:\n  desired_count: 2\n  min_tasks: 2\n")
    cloudwatch = client(sandbox, "cloudwatch")

    deployed = user.run("deploy", "local", "--yes")
    assert deployed.code == 0, deployed.err
    alarms = {found["AlarmName"]: found for found in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert alarms["local-litellm-service-HighLatency"]["ExtendedStatistic"] == "p95"
    assert len(alarms["local-litellm-service-ServerErrorRate"]["Metrics"]) == 4

    again = user.run("deploy", "local", "--yes")
    assert again.code == 0, again.err
    destroyed = user.run("destroy", "local", "--yes")
    assert destroyed.code == 0, destroyed.err
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
