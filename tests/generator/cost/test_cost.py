"""The estimate: every resource type is known, figures by hand, what makes them grow, what stays open."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.bootstrap import render_bootstrap
from generator.cost.estimate import PRICED, STRANGE, UNKNOWN, compared, estimate, names
from generator.cost.free import FREE
from generator.cost.prices import load
from generator.cost.template import Template
from generator.cost.usage import Usage
from generator.render import render
from stacks.bases import environment_files
from stacks.environment import load as load_file
from stacks.environment import parse_settings
from tests.generator.cost.costs import HOME, of, rows, shipped, usage, usd, written
from tests.places import ROOT
from tests.stacks.systems.document_tables import FOLDER, NAMES
from tests.stacks.systems.document_tables import rows as table_rows

GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/[!m]*.json"))
HOURS = 730
TASK = ("ECS::TaskDefinition", {"Cpu": "1024", "Memory": "2048"})
SPOT = {"CapacityProvider": "FARGATE_SPOT", "Weight": 1}


def service(**properties: Any) -> dict[str, Any]:
    """One service of a vCPU and two gigabytes."""
    own = {"TaskDefinition": {"Ref": "Task"}, "DesiredCount": 1} | properties
    return {"Task": TASK, "Service": ("ECS::Service", own)}


def dearness(tasks: int) -> float:
    (cpu, memory) = (
        usd(rows(service(DesiredCount=tasks)))[item] for item in ("Fargate vCPU", "Fargate memory")
    )
    assert cpu is not None
    assert memory is not None
    return cpu + memory


# --- every type ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_resource_of_every_shipped_environment_is_priced_free_or_said_to_be_open(path: Path) -> None:
    types = {resource["Type"] for resource in json.loads(path.read_text())["Resources"].values()}

    assert types - PRICED.keys() - FREE.keys() == set()


def test_so_is_everything_that_options_add_and_the_accounts_own_stack() -> None:
    index = (FOLDER / "README.md").read_text()
    named = {row.cells[1].strip("`") for row in table_rows(index, NAMES)}
    pipelines = {
        "github": {"repository": "acme/gateway", "environments": ["dev"]},
        "deploys": ["dev-litellm"],
    }
    text = json.dumps({"system": "litellm", "environment": "dev", "pipelines": pipelines})
    (account,) = render_bootstrap(parse_settings(text, Path("e.yaml"))).stacks
    made = {resource["Type"] for resource in json.loads(account.template)["Resources"].values()}

    assert {kind for kind in named | made if kind.startswith("AWS::")} - PRICED.keys() - FREE.keys() == set()


def test_no_type_is_both_priced_and_free() -> None:
    assert PRICED.keys() & FREE.keys() == set()


def test_a_type_that_nobody_knows_is_not_estimated_rather_than_free() -> None:
    (row,) = rows({"Cluster": ("EKS::Cluster", {})})

    assert (row.monthly_usd, row.assumption) == (None, UNKNOWN)


def test_what_a_condition_leaves_out_costs_nothing() -> None:
    address = {"Address": ("EC2::EIP", {})}
    parts: dict[str, Any] = {"Parameters": {"Open": {"Default": "no"}}}

    def found(condition: Any) -> int:
        return len(rows(address, Address={"Condition": "Is"}, Conditions={"Is": condition}, **parts))

    is_open = {"Fn::Equals": [{"Ref": "Open"}, "yes"]}
    assert found(is_open) == 0
    assert found({"Fn::Not": [is_open]}) == 1
    assert found({"Fn::And": [{"Fn::Not": [is_open]}, is_open]}) == 0
    assert found({"Fn::Or": [{"Fn::Not": [is_open]}, is_open]}) == 1
    assert found([1]) == found({"Condition": "Is"}) == 1, "what nobody understands is taken to be there"


# --- by hand -------------------------------------------------------------------------------------


def test_llm_proxy_low_by_hand() -> None:
    found = shipped("llm-proxy-low")
    by_item: Counter[str] = Counter()
    for row in found.rows:
        by_item[row.item] += row.monthly_usd or 0

    one_task = (0.25 * 0.03238 * HOURS, 0.5 * 0.00356 * HOURS)
    by_hand = {
        "Aurora capacity": 0.5 * 0.12 * HOURS,
        "Aurora storage": 10 * 0.10,
        "Aurora I/O": 1 * 0.20,
        "cache nodes": 0.016 * HOURS,
        "NAT gateway": 0.045 * HOURS,
        "NAT data": 10 * 0.045,
        "data between zones": 5 * 2 * 0.01,
        "public IPv4 address": 0.005 * HOURS,
        "load balancer": 0.0225 * HOURS,
        "capacity units (LCU)": 0.25 * 0.008 * HOURS,
        "public IPv4 addresses": 2 * 0.005 * HOURS,
        "data to the internet": 10 * 0.09,
        "Fargate vCPU": 2 * one_task[0],
        "Fargate memory": 2 * one_task[1],
        "secret": 7 * 0.40,
        "customer key": 1.00,
        "log ingestion": 5 * 0.50,
        "log storage": 5 * 14 / (365 / 12) * 0.03,
        "alarm": 13 * 0.10,
        "scaling alarms": 2 * 2 * 0.10,
        "image storage": 5 * 0.10,
        "bucket storage": 1 * 0.023,
        "function compute": 60 * 0.25 * 0.0000166667,
    }
    assert {item: value for item, value in by_item.items() if value} == pytest.approx(by_hand, abs=0.0002)
    assert found.monthly_usd == pytest.approx(sum(by_hand.values()), abs=0.01)


def test_a_service_of_two_providers_pays_its_base_and_its_weights() -> None:
    """Five tasks: one is the base on demand, of four one is on demand and three are Spot."""
    strategy = [{"CapacityProvider": "FARGATE", "Base": 1, "Weight": 1}, SPOT | {"Weight": 3}]

    found = usd(
        rows(service(DesiredCount=5, CapacityProviderStrategy=strategy), usage(spot_discount_percent=50))
    )

    assert found["Fargate vCPU"] == pytest.approx((2 + 3 * 0.5) * 0.04048 * HOURS, abs=0.001)
    assert found["Fargate memory"] == pytest.approx((2 + 3 * 0.5) * 2 * 0.004445 * HOURS, abs=0.001)


def test_spot_alone_is_cheaper_by_the_discount_and_arm_has_its_own_price() -> None:
    spot = usd(rows(service(CapacityProviderStrategy=[SPOT]), usage(spot_discount_percent=67)))
    arm = rows(
        {
            "Task": (TASK[0], TASK[1] | {"RuntimePlatform": {"CpuArchitecture": "ARM64"}}),
            "Service": service()["Service"],
        }
    )

    assert spot["Fargate vCPU"] == pytest.approx(0.33 * 0.04048 * HOURS, abs=0.001)
    assert usd(arm)["Fargate vCPU"] == pytest.approx(0.03238 * HOURS, abs=0.001)


def test_tasks_with_public_addresses_pay_for_them() -> None:
    network = {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}

    found = usd(rows(service(DesiredCount=3, NetworkConfiguration=network)))

    assert found["public IPv4 addresses"] == pytest.approx(3 * 0.005 * HOURS, abs=0.001)


def test_a_count_that_scaling_owns_is_what_the_file_wants_and_never_less_than_the_least() -> None:
    target = {"ResourceId": {"Fn::Join": ["/", ["service", {"Fn::GetAtt": ["Service", "Name"]}]]}}
    scaled = ("ApplicationAutoScaling::ScalableTarget", target | {"MinCapacity": 3, "MaxCapacity": 9})
    owned = {"Fn::If": ["Owned", {"Ref": "AWS::NoValue"}, {"Ref": "Count"}]}
    parts = {"Conditions": {"Owned": {"Fn::Equals": [{"Ref": "Count"}, ""]}}}

    def tasks(count: str) -> float | None:
        made = {**service(DesiredCount=owned), "Target": scaled}
        return usd(rows(made, Parameters={"Count": {"Default": count}}, **parts))["Fargate vCPU"]

    each = 0.04048 * HOURS
    assert [tasks(count) for count in ("", "1", "8")] == pytest.approx(
        [3 * each, 3 * each, 8 * each], abs=0.01
    )


def test_a_database_in_two_zones_costs_its_own_price_or_twice_that_of_one() -> None:
    def found(size: str) -> tuple[Any, ...]:
        own = {"Engine": "postgres", "StorageType": "gp3", "AllocatedStorage": "100", "MultiAZ": True}
        return rows({"Db": ("RDS::DBInstance", own | {"DBInstanceClass": size})})

    known, doubled, unknown = (found(size) for size in ("db.t4g.small", "db.t3.small", "db.x2g.large"))
    assert usd(known)["database instance"] == pytest.approx(0.065 * HOURS, abs=0.001)
    assert usd(doubled)["database instance"] == pytest.approx(2 * 0.036 * HOURS, abs=0.001)
    assert "twice the price of one zone" in doubled[0].assumption
    assert (unknown[0].monthly_usd, unknown[0].assumption) == (
        None,
        "no price of db.x2g.large with a source: see --live",
    )
    assert usd(known)["database storage"] == pytest.approx(100 * 0.23, abs=0.001)


@pytest.mark.parametrize(
    ("kind", "properties", "items"),
    [
        (
            "RDS::DBInstance",
            {"Engine": "mysql", "DBInstanceClass": "db.t3.micro"},
            {"database instance": None},
        ),
        (
            "RDS::DBInstance",
            {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "StorageType": "io2"},
            {"database instance": 13.14, "database storage": None},
        ),
        (
            "RDS::DBInstance",
            {"Engine": "aurora-postgresql", "DBClusterIdentifier": "c", "DBInstanceClass": "db.r6g.large"},
            {"database instance": None},
        ),
        ("RDS::DBCluster", {"Engine": "aurora-mysql"}, {"Aurora storage": None}),
        (
            "ElastiCache::ReplicationGroup",
            {"Engine": "valkey", "CacheNodeType": "cache.t4g.micro", "SnapshotRetentionLimit": 1},
            {"cache nodes": None, "cache backups": None},
        ),
        (
            "ElastiCache::ReplicationGroup",
            {
                "Engine": "redis",
                "CacheNodeType": "cache.t4g.micro",
                "NumNodeGroups": 2,
                "ReplicasPerNodeGroup": 1,
            },
            {"cache nodes": 46.72},
        ),
        ("ElasticLoadBalancingV2::LoadBalancer", {"Type": "network"}, {"load balancer": None}),
        ("Route53::RecordSet", {"TTL": "60"}, {"DNS queries": None}),
        ("Route53::RecordSet", {"AliasTarget": {}}, {"DNS queries": 0.0}),
        ("EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}, {"gateway endpoint": 0.0}),
        ("EC2::FlowLog", {}, {"flow logs": None}),
        ("CloudTrail::Trail", {}, {"trail": None}),
        ("CloudWatch::Alarm", {"Period": 10}, {"alarm": None}),
        (
            "CloudWatch::Alarm",
            {"Metrics": [{"Expression": "a"}, *[{"MetricStat": {"Period": 60}}] * 2]},
            {"alarm": 0.2},
        ),
        ("Logs::LogGroup", {}, {"log": None}),
        (
            "ECS::Cluster",
            {"ClusterSettings": [{"Name": "containerInsights", "Value": "enhanced"}]},
            {"Container Insights metrics": None},
        ),
        ("ECS::Service", {"TaskDefinition": "arn:aws:ecs:elsewhere"}, {"Fargate tasks": None}),
        ("KinesisFirehose::DeliveryStream", {}, {"logs to the archive": 0.145}),
        ("SNS::Subscription", {"Protocol": "email"}, {"notifications": None}),
        ("KMS::Key", {"EnableKeyRotation": True}, {"customer key": 1.0}),
    ],
)
def test_what_a_resource_comes_to(
    kind: str, properties: dict[str, Any], items: dict[str, float | None]
) -> None:
    found = rows({"One": (kind, properties)})

    assert usd(found) == {
        item: value if value is None else pytest.approx(value) for item, value in items.items()
    }
    assert all(row.assumption for row in found)


def test_tokens_are_shared_by_the_models_that_a_role_may_call() -> None:
    models = ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "eu.nobody.knows-v1:0"]
    arns = [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:bedrock:us-east-1:1:inference-profile/{model}"}
        for model in models
    ]
    role = {"Role": ("IAM::Role", {"Policies": [{"Action": "bedrock:InvokeModel", "Resource": arns}]})}

    silent = rows(role)
    asked = usd(rows(role, usage(input_tokens_million=20, output_tokens_million=4)))

    assert {row.monthly_usd for row in silent} == {None}
    assert asked == {
        f"Bedrock input tokens: {models[0]}": pytest.approx(10 * 1.1),
        f"Bedrock output tokens: {models[0]}": pytest.approx(2 * 5.5),
        f"Bedrock input tokens: {models[1]}": None,
        f"Bedrock output tokens: {models[1]}": None,
    }
    assert rows({"Role": ("IAM::Role", {"Policies": []})}) == ()


# --- what makes it grow --------------------------------------------------------------------------


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_more_tasks_cost_more(some: int, others: int) -> None:
    fewer, more = sorted((some, others))

    assert (dearness(fewer) < dearness(more)) == (fewer < more)


@cache
def estimated() -> tuple[list[Template], ...]:
    """Return the templates of every shipped environment."""
    return tuple(
        [Template.read(stack.name, stack.template) for stack in render(load_file(path)).stacks]
        for path in environment_files(ROOT / "environments")
    )


@settings(max_examples=60)
@given(st.data())
def test_more_use_never_costs_less_but_for_the_discount(data: st.DataObject) -> None:
    templates = data.draw(st.sampled_from(estimated()))
    key = data.draw(st.sampled_from(sorted(Usage.__dataclass_fields__)))
    least = 1 if key == "hours_per_month" else 0
    most = {"hours_per_month": 744, "spot_discount_percent": 100}.get(key, 100_000)
    low, high = sorted(data.draw(st.tuples(*[st.floats(least, most)] * 2)))

    before, after = (estimate(templates, usage(**{key: value}), HOME).monthly_usd for value in (low, high))

    assert (after <= before) if key == "spot_discount_percent" else (before <= after)


def test_a_second_nat_gateway_a_reader_and_a_standby_cost_more() -> None:
    base: dict[str, Any] = {"system": "llm-proxy", "environment": "dev"}
    more = {"network": {"nat_gateways": 2}, "database": {"reader_instances": 1}, "cache": {"nodes": 2}}

    plain = written(base)
    dearer = {section: written({**base, section: keys}).monthly_usd for section, keys in more.items()}

    assert dearer["network"] - plain.monthly_usd == pytest.approx(
        0.045 * HOURS + 0.005 * HOURS + 0.10 - 0.10, abs=0.01
    )
    assert dearer["database"] - plain.monthly_usd == pytest.approx(0.5 * 0.12 * HOURS, abs=0.01)
    assert dearer["cache"] - plain.monthly_usd == pytest.approx(0.016 * HOURS + 5 * 0.10, abs=0.01)


def test_assumptions_change_no_template_and_every_one_of_them_matters_somewhere() -> None:
    plain = load_file(ROOT / "environments" / "litellm-benchmark-production.yaml")
    changed = plain.model_copy(update={"usage": plain.usage.model_copy(update={"log_gb": 500.0})})
    assert render(plain).stacks == render(changed).stacks

    fields = dict.fromkeys(Usage.__dataclass_fields__, 40.0) | {
        "acu_average": 3.0,
        "input_tokens_million": 3.0,
    }
    matters = {
        name
        for name, value in fields.items()
        for templates in estimated()
        if estimate(templates, usage(), HOME).rows != estimate(templates, usage(**{name: value}), HOME).rows
    }
    assert Usage.__dataclass_fields__.keys() - matters == {"flow_log_gb"}  # has no price but with --live


def test_the_capacity_of_aurora_stays_between_its_least_and_its_most() -> None:
    def capacity(average: float | None) -> float | None:
        text = {"system": "llm-proxy", "environment": "dev", "usage": {"acu_average": average}}
        (row,) = (one for one in written(text).rows if one.item == "Aurora capacity")
        return row.monthly_usd

    units = 0.12 * HOURS
    assert [capacity(one) for one in (None, 0, 2.5, 90)] == pytest.approx(
        [0.5 * units, 0.5 * units, 2.5 * units, 4 * units], abs=0.001
    )


def test_a_log_that_is_kept_for_ever_is_not_estimated() -> None:
    options = {"LogConfiguration": {"Options": {"awslogs-group": {"Ref": "Log"}}}}
    made = {
        **service(),
        "Task": (TASK[0], TASK[1] | {"ContainerDefinitions": [options]}),
        "Log": ("Logs::LogGroup", {}),
    }

    found = usd(rows(made))

    assert found["log ingestion"] == pytest.approx(2.5)
    assert found["log storage"] is None


# --- prices --------------------------------------------------------------------------------------


def test_every_price_has_a_page_of_awss_a_day_and_what_to_ask_for_it() -> None:
    table = load("us-east-1")

    for name, price in table.prices.items():
        assert price.source.startswith("https://aws.amazon.com/"), name
        assert date(2026, 8, 1) <= price.seen <= table.seen, name
        assert (price.usd is None) == bool(price.doubt), name
        assert price.usd is None or price.usd > 0 or "titan" in name, name
        assert price.ask is None or (price.ask.service and price.ask.usage_type), name
        assert "{" not in str(price.ask and price.ask.usage_type), name


def test_an_estimate_tells_which_prices_it_needs() -> None:
    templates = [
        Template.read(stack.name, stack.template)
        for stack in render(load_file(ROOT / "environments/dev.yaml")).stacks
    ]

    needed = names(templates, usage(), HOME)

    assert "rds-hour/db.t3.micro" in needed
    assert "redis-hour/cache.t4g.micro" not in needed
    assert estimate(templates, usage(), HOME.select(needed)).rows == estimate(templates, usage(), HOME).rows


def test_answers_of_aws_lie_over_the_file() -> None:
    table = HOME.updated(
        {
            "waf-million-requests": (0.0000007, date(2026, 12, 1)),
            "rds-hour/db.x2g.large": (0.5, date(2026, 12, 1)),
        }
    )

    requests, known, unknown = (
        table.price("waf-million-requests"),
        table.price("rds-hour", "db.t3.micro"),
        table.price("rds-hour", "db.x2g.large"),
    )
    assert (requests.usd, requests.live, requests.seen) == (pytest.approx(0.7), True, date(2026, 12, 1))
    assert (known.usd, known.live) == (0.018, False)
    assert (unknown.usd, unknown.doubt) == (0.5, "")


def test_a_region_without_a_file_has_the_prices_of_us_east_1() -> None:
    assert load("eu-central-1").region == "us-east-1"


@pytest.mark.parametrize(
    ("database", "dollars"),
    [
        ({"insights": "standard"}, None),
        ({"insights": "advanced"}, 2 * HOURS * 0.0125),
        ({"insights": "advanced", "instance_class": "db.m7g.2xlarge"}, 8 * HOURS * 0.0125),
        ({"insights": "advanced", "engine": "aurora-postgresql", "min_acu": 2}, 2 * HOURS * 0.003125),
    ],
)
def test_the_advanced_mode_of_database_insights_is_no_surprise_on_the_bill(
    database: dict[str, object], dollars: float | None
) -> None:
    file = {"system": "litellm", "environment": "dev", "database": {"performance_insights": True, **database}}
    found = [row for row in written(file).rows if row.item == "Database Insights"]

    assert [row.monthly_usd for row in found] == (
        [] if dollars is None else [pytest.approx(dollars, abs=0.01)]
    )


# --- differences, manifests ----------------------------------------------------------------------


def test_differences_are_told_by_item_the_largest_first() -> None:
    before, after = (
        written({"system": "litellm", "environment": "dev"}),
        written(
            {
                "system": "litellm",
                "environment": "dev",
                "database": {"instance_class": "db.t3.small"},
                "network": {"vpc_endpoints": False},
            }
        ),
    )

    found = compared(before, after)

    changed = [(one.logical_id, one.item, round(one.before, 2), round(one.after, 2)) for one in found]
    assert changed[0] == ("Database", "database instance", 13.14, 26.28)
    assert ("LogsEndpoint", "interface endpoint", 7.3, 0) in changed
    assert [abs(one.after - one.before) for one in found] == sorted(
        (abs(one.after - one.before) for one in found), reverse=True
    )
    assert sum(one.after - one.before for one in found) == pytest.approx(
        after.monthly_usd - before.monthly_usd, abs=0.01
    )
    assert compared(before, before) == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "the manifest has no usage.hours_per_month: run `gatestack generate` again"),
        ({"nat_gb": "much"}, "the manifest's usage.nat_gb is 'much', no number"),
        ({"nat_gb": None}, "the manifest's usage.nat_gb is None, no number"),
        ({"nat_gb": True}, "the manifest's usage.nat_gb is True, no number"),
    ],
)
def test_a_manifest_that_says_nothing_of_use_is_refused(given: dict[str, Any], told: str) -> None:
    known = load_file(ROOT / "environments" / "dev.yaml").usage.model_dump() if given else {}

    with pytest.raises(ValueError, match=r"^the manifest") as refused:
        Usage.read(known | given)

    assert str(refused.value) == told


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "nonsense",
        '{"Resources": []}',
        '{"Resources": {"A": []}}',
        '{"Resources": {"A": {}}}',
        '{"Resources": {"A": {"Type": "AWS::EC2::EIP", "Properties": []}}}',
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Template.read("alb", text)


STRANGE_THINGS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([1]) | st.just({"Fn::If": [1]})
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draw reads the prices
@given(st.sampled_from(sorted(PRICED)), st.data())
def test_whatever_somebody_writes_into_a_template_is_estimated_or_said_to_be_strange(
    kind: str, data: st.DataObject
) -> None:
    """Of every property that a pricer reads, by the words in the pricers' own source."""
    source = "".join(path.read_text() for path in (ROOT / "generator" / "cost").glob("*.py"))
    properties = sorted(set(re.findall(r'"([A-Z][A-Za-z]+)"', source)))
    drawn = data.draw(st.dictionaries(st.sampled_from(properties), STRANGE_THINGS, max_size=4))

    found = rows({"One": (kind.removeprefix("AWS::"), drawn)})

    assert all(row.monthly_usd is None or row.monthly_usd >= 0 for row in found)


@pytest.mark.parametrize("size", [-52, "-1", "inf", "nan"])
def test_what_is_no_amount_is_strange(size: Any) -> None:
    (row,) = rows({"One": ("Lambda::Function", {"MemorySize": size})})

    assert (row.monthly_usd, row.assumption) == (None, STRANGE)


def test_nothing_that_is_shipped_is_strange() -> None:
    reasons = {row.assumption for templates in estimated() for row in estimate(templates, usage(), HOME).rows}

    assert STRANGE not in reasons
    assert UNKNOWN not in reasons


def test_an_estimate_of_a_manifest_is_the_sum_of_its_stacks() -> None:
    found = of(render(load_file(ROOT / "environments" / "prod.yaml")))

    assert list(found.stacks) == ["security", "network", "alb", "database", "service"]
    assert found.monthly_usd == round(sum(row.monthly_usd or 0 for row in found.rows), 2)
    assert {row.monthly_usd for row in found.not_estimated} == {None}
