"""What the field has learned of LiteLLM in production, row by row: what its tier means without a word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from stacks import database, service
from stacks.checking import limits
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import litellm_config
from tests.places import ROOT
from tests.stacks.finders import properties, resources

HEAD: dict[str, Any] = {"system": "litellm", "environment": "prod", "alb": {"internal": True}}
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
VPC = {
    "vpc_id": "vpc-0123456789abcdef0",
    "private_subnet_ids": ["subnet-00000003", "subnet-00000004"],
}


def load(tier: str = "production", **sections: Any) -> Settings:
    return parse_settings(yaml.safe_dump({**HEAD, "tier": tier, **sections}), Path("prod.yaml"))


def warned(key: str, tier: str = "production", **sections: Any) -> list[str]:
    return [one for one in advice(load(tier, **sections)) if one.startswith(f"{key}:")]


def config(settings: Settings) -> dict[str, Any]:
    """Return config.yaml as the tasks get it."""
    found: dict[str, Any] = yaml.safe_load(litellm_config.text(settings))
    return found


# --- state that all tasks share ------------------------------------------------------------------


def test_a_key_that_was_deleted_is_gone_in_every_task_since_production_has_redis_in_two_zones() -> None:
    redis = properties(database.build(load()), "Redis")

    assert (redis["NumCacheClusters"], redis["MultiAZEnabled"], redis["AutomaticFailoverEnabled"]) == (
        2,
        True,
        True,
    )
    assert config(load())["router_settings"]["redis_host"] == "os.environ/REDIS_HOST"
    assert config(load())["litellm_settings"]["cache"] is True


@pytest.mark.parametrize(
    "network",
    [
        {"existing_vpc": VPC},
        {
            "existing_vpc": VPC | {"data_subnet_ids": ["subnet-00000005", "subnet-00000006"]},
            "data_subnets": True,
        },
        {"data_subnets": True},
        {"nat_gateways": 0},
        {"nat_gateways": 2},
    ],
)
def test_redis_comes_with_any_network(network: dict[str, Any]) -> None:
    calls = {"providers": ["bedrock"], "bedrock_models": [MODEL]}

    made = load(network=network, service=calls)
    assert {stack.name for stack in render(made).stacks} >= {"network", "database"}
    assert resources(database.build(made), "AWS::ElastiCache::ReplicationGroup")


def test_a_redis_that_is_there_already_takes_the_place_of_the_one_that_production_means() -> None:
    made = load(cache={"existing": {"host": "redis.example.com"}})

    assert not resources(database.build(made), "AWS::ElastiCache::ReplicationGroup")
    assert config(made)["litellm_settings"]["cache"] is True


# --- size of a task ------------------------------------------------------------------------------


def test_one_large_write_does_not_end_a_task_of_production() -> None:
    task = properties(service.build(load()), "ProxyTask")

    assert (task["Cpu"], task["Memory"]) == ("1024", "4096")
    assert 4096 in limits.FARGATE_MEMORY_MB[1024]
    assert warned("service.memory_mb") == []


@pytest.mark.parametrize(
    ("tier", "size", "least"),
    [
        ("production", {"memory_mb": 2048}, 4096),
        ("production", {"cpu": 4096, "memory_mb": 8192, "workers": 4}, 16384),
        ("production", {"cpu": 4096, "memory_mb": 16384, "workers": 4}, None),
        ("dev", {"memory_mb": 1024}, 2048),
        ("dev", {"cpu": 1024, "memory_mb": 2048, "workers": 2}, 4096),
        ("dev", {}, None),
    ],
)
def test_memory_that_is_too_little_for_each_worker_is_told_with_what_is_enough(
    tier: str, size: dict[str, int], least: int | None
) -> None:
    found = warned("service.memory_mb", tier, service=size)

    assert [one.rpartition("; ")[2] for one in found] == ([f"{least} or more"] if least else [])


def test_tasks_that_memory_has_added_do_not_stay_for_ever() -> None:
    policies = resources(service.build(load()), "AWS::ApplicationAutoScaling::ScalingPolicy")

    assert set(policies) == {"ScaleOnCpu"}
    tracking = policies["ScaleOnCpu"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 60
    assert len(warned("service.memory_target_percent", service={"memory_target_percent": 80})) == 1
    assert not warned("service.memory_target_percent", service={"memory_target_percent": 80, "max_tasks": 2})


# --- the database --------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["dev", "production"])
def test_the_table_of_requests_does_not_grow_until_the_disk_is_full(tier: str) -> None:
    general = config(load(tier))["general_settings"]

    assert general["maximum_spend_logs_retention_period"] == "30d"
    assert general["maximum_spend_logs_retention_interval"] == "1h"


def test_spend_is_written_in_batches_well_before_a_stopping_task_is_ended() -> None:
    made = load()
    general = config(made)["general_settings"]

    assert general["proxy_batch_write_at"] == 60
    assert general["proxy_batch_write_at"] + 5 < made.service.stop_timeout_seconds  # LiteLLM adds up to five
    assert general["proxy_batch_write_at"] + 5 < made.alb.deregistration_delay_seconds


def test_a_providers_outage_does_not_fill_the_database_of_production_with_errors() -> None:
    assert config(load())["general_settings"]["disable_error_logs"] is True
    assert "disable_error_logs" not in config(load("dev"))["general_settings"]


def test_a_file_that_says_one_of_these_settings_keeps_the_others() -> None:
    own = {"general_settings": {"proxy_batch_write_at": 10, "disable_error_logs": False}}

    general = config(load(service={"config": own}))["general_settings"]
    assert (general["proxy_batch_write_at"], general["disable_error_logs"]) == (10, False)
    assert general["maximum_spend_logs_retention_period"] == "30d"
    assert general["master_key"] == limits.MASTER_KEY


def test_cpu_credits_of_a_burstable_database_are_no_surprise_in_production() -> None:
    assert properties(database.build(load()), "Database")["DBInstanceClass"] == "db.m7g.large"
    (said,) = warned("database.instance_class", database={"instance_class": "db.t4g.medium"})
    assert "burstable" in said
    assert not warned("database.instance_class", "dev", database={"instance_class": "db.t4g.medium"})
    assert not warned("database.instance_class", database={"instance_class": "db.r6g.large"})


# --- database insights ---------------------------------------------------------------------------


def test_the_advanced_mode_of_database_insights_keeps_fifteen_months() -> None:
    found = properties(database.build(load(database={"insights": "advanced"})), "Database")

    assert (found["DatabaseInsightsMode"], found["PerformanceInsightsRetentionPeriod"]) == ("advanced", 465)
    assert found["EnablePerformanceInsights"] is True


@pytest.mark.parametrize("engine", ["postgres", "aurora-postgresql"])
def test_the_advanced_mode_without_counters_is_refused_before_rds_does(engine: str) -> None:
    off = {"engine": engine, "insights": "advanced", "performance_insights": False}
    with pytest.raises(EnvironmentFileError) as caught:
        load(database=off)

    assert [problem.key for problem in caught.value.problems] == ["database.insights"]
    assert "add performance_insights: true, or write standard" in str(caught.value)
    load(database=off | {"performance_insights": True})
    load(database=off | {"insights": "standard"})


# --- logs ----------------------------------------------------------------------------------------

SIDECAR = {"name": "guard", "image": "acme/guard:1", "cpu": 64, "memory_mb": 128}


def logging(made: Settings) -> list[dict[str, str]]:
    """Return the log options of every container that the stacks have."""
    stacks = (service.build(made), database.build(made))
    tasks = [one for stack in stacks for one in resources(stack, "AWS::ECS::TaskDefinition").values()]
    containers = [one for task in tasks for one in task["Properties"]["ContainerDefinitions"]]
    return [one["LogConfiguration"]["Options"] for one in containers]


@pytest.mark.parametrize("system", ["litellm", "litellm-benchmark", "llm-proxy", "llm-testing"])
def test_a_slow_cloudwatch_stops_no_container_of_any_system(system: str) -> None:
    more = {"sidecars": [SIDECAR], "cpu": 1024, "memory_mb": 2048}
    more |= {"cpu": 4096, "memory_mb": 8192} if system == "litellm-benchmark" else {}
    made = load("dev", system=system, service=more, observability={"collector": "otel"})

    found = logging(made)
    assert len(found) >= 3
    assert {(one["mode"], one["max-buffer-size"]) for one in found} == {("non-blocking", "25m")}


def test_who_must_not_lose_a_line_may_have_containers_wait() -> None:
    (blocking, *_), (small, *_) = (
        logging(load(service=keys)) for keys in ({"log_mode": "blocking"}, {"log_buffer_mb": 5})
    )

    assert (blocking["mode"], "max-buffer-size" in blocking) == (
        "blocking",
        False,
    )  # Docker takes no size then
    assert small["max-buffer-size"] == "5m"


# --- the page ------------------------------------------------------------------------------------


def test_the_table_of_storage_is_what_two_kilobytes_a_request_come_to() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)

    assert len(rows) == 4
    for requests, million, *gigabytes in rows:
        for days, told in zip((30, 90), gigabytes, strict=True):
            made = int(requests) * 86_400 * days
            assert int(told) == round(made * 2_000 / 1e9), (requests, days)
        assert float(million) == round(int(requests) * 86_400 * 30 / 1e6, 1)


def test_each_number_of_workers_in_the_page_is_a_task_that_fargate_has() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d)[^|]* \| (\d+) \| (\d+) \|$", page, re.MULTILINE)

    assert [int(workers) for workers, *_ in rows] == [1, 2, 4, 8]
    for workers, cpu, memory in rows:
        size = {"workers": int(workers), "cpu": int(cpu), "memory_mb": int(memory)}
        assert not warned("service.memory_mb", service=size)
