"""The LiteLLM benchmark (S2): LiteLLM's own application at S2's sizes, with a model that costs nothing."""

from __future__ import annotations

import yaml

from generator.render import render
from stacks import alb, database, security, service
from stacks.environment import load
from stacks.systems import application, litellm_config
from tests.places import ROOT
from tests.stacks.environments_of_systems import container, environment, injected, refused, variables
from tests.stacks.finders import only, properties, resources

SYSTEM = "litellm-benchmark"
BENCH = environment(SYSTEM)


def test_it_is_litellm_and_nothing_else() -> None:
    assert application(SYSTEM) is application("litellm")


def test_four_tasks_of_four_cores_run_four_workers_each() -> None:
    stack = service.build(BENCH)
    task = properties(stack, "ProxyTask")
    target = properties(stack, "ScalableTarget")

    assert (task["Cpu"], task["Memory"]) == ("4096", "8192")
    assert container(stack, "ProxyTask")["Command"][:4] == ["--port", "4000", "--num_workers", "4"]
    assert stack.template.parameters["DesiredCount"].Default == "4"
    assert (target["MinCapacity"]["Fn::If"][2], target["MaxCapacity"]) == (2, 10)
    assert set(resources(stack, "AWS::ApplicationAutoScaling::ScalingPolicy")) == {"ScaleOnCpu"}


def test_the_master_key_reaches_it_under_the_name_that_it_reads_and_no_password_stands_in_the_task() -> None:
    stack = service.build(BENCH)
    told = injected(stack, "ProxyTask")

    assert (
        told["LITELLM_MASTER_KEY"] == "dev-litellm-benchmark-security-MasterKeySecretArn:LITELLM_MASTER_KEY::"
    )
    assert {"PROXY_MASTER_KEY", "DATABASE_URL"}.isdisjoint(told | variables(stack, "ProxyTask"))


def test_its_model_answers_without_a_real_key() -> None:
    config = yaml.safe_load(litellm_config.text(BENCH))
    (model,) = config["model_list"]

    assert model["model_name"] == "fake-openai-endpoint"
    assert model["litellm_params"]["api_key"] == "os.environ/BENCHMARK_ACCESS"
    assert variables(service.build(BENCH), "ProxyTask")["BENCHMARK_ACCESS"]
    assert "OPENAI_API_KEY" not in injected(service.build(BENCH), "ProxyTask")


def test_the_load_balancer_asks_for_readiness_and_ecs_for_liveliness() -> None:
    group = properties(alb.build(BENCH), "TargetGroup")
    check = container(service.build(BENCH), "ProxyTask")["HealthCheck"]

    assert group["HealthCheckPath"] == "/health/readiness"
    assert (
        group["HealthCheckIntervalSeconds"],
        group["HealthyThresholdCount"],
        group["UnhealthyThresholdCount"],
    ) == (30, 2, 3)
    assert "/health/liveliness" in check["Command"][3]


def test_the_database_has_the_recommended_settings_in_postgresqls_units() -> None:
    stack = database.build(BENCH)
    found = only(stack, "AWS::RDS::DBParameterGroup")["Properties"]["Parameters"]
    instance = only(stack, "AWS::RDS::DBInstance")["Properties"]

    assert instance["DBInstanceClass"] == "db.t3.medium"
    assert stack.template.parameters["AllocatedStorage"].Default == 100
    assert (
        found
        | {
            "max_connections": "200",
            "shared_buffers": str(1024**2 // 8),
            "effective_cache_size": str(3 * 1024**2 // 8),
            "maintenance_work_mem": str(256 * 1024),
            "work_mem": str(5 * 1024),
        }
        == found
    )


def test_the_documents_ten_connections_a_worker_are_refused_with_the_arithmetic() -> None:
    own = {"general_settings": {"database_connection_pool_limit": 10}}

    (said,) = refused(SYSTEM, service={"config": own})
    assert said == (
        "service.max_tasks: 10 tasks (max_tasks) x 4 workers x 10 connections = 400 of 160 "
        "(200 - 40 reserved, by database.parameters); fewer tasks, workers or "
        "database_connection_pool_limit, or a larger database"
    )


def test_the_recommended_alarms_ring_at_the_documents_limits() -> None:
    alarms = resources(service.build(BENCH), "AWS::CloudWatch::Alarm")
    limits = {name: alarm["Properties"]["Threshold"] for name, alarm in alarms.items()}
    behind = {
        name: alarm["Properties"]["Threshold"]
        for name, alarm in resources(database.build(BENCH), "AWS::CloudWatch::Alarm").items()
    }

    assert (limits["ServerErrorRate"], limits["HighLatency"], limits["FewHealthyTasks"]) == (1, 0.5, 2)
    assert alarms["HighLatency"]["Properties"]["ExtendedStatistic"] == "p95"
    assert {80, 180} <= set(behind.values())
    assert resources(service.build(BENCH), "AWS::Events::Rule")


def test_logs_stay_a_week() -> None:
    assert properties(service.build(BENCH), "TaskLog")["RetentionInDays"] == 7


def test_the_small_variant_is_half_of_everything() -> None:
    small = load(ROOT / "environments" / "litellm-benchmark-dev-test.yaml")

    assert (small.service.desired_count, small.service.cpu, small.service.memory_mb) == (2, 2048, 4096)
    assert (small.database.instance_class, small.database.multi_az) == ("db.t3.micro", False)


def test_the_large_variant_stands_in_two_zones_and_has_redis() -> None:
    large = load(ROOT / "environments" / "litellm-benchmark-production.yaml")
    config = yaml.safe_load(litellm_config.text(large))

    assert (large.service.desired_count, large.service.cpu, large.service.memory_mb) == (8, 4096, 8192)
    assert (large.database.instance_class, large.database.multi_az) == ("db.r6g.large", True)
    assert large.cache.enabled
    assert config["router_settings"]["redis_host"] == "os.environ/REDIS_HOST"
    assert len(render(large).stacks) == 5


def test_its_secrets_are_litellms() -> None:
    made = set(resources(security.build(BENCH), "AWS::SecretsManager::Secret"))

    assert made == {
        "ApiKeysSecret",
        "DatabaseSecret",
        "MasterKeySecret",
        "MasterKeySeed",
        "SaltKeySecret",
        "UiPasswordSecret",
    }
