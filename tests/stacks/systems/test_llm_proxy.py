"""The LLM Proxy (S0): two services of one image, Redis between them, Aurora behind them."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from stacks import alb, database, network, security, service
from stacks.application import OwnSecret, Seeded
from stacks.checking.advice import advice
from stacks.systems import llm_proxy
from tests.stacks.environments_of_systems import container, environment, injected, refused, variables
from tests.stacks.finders import exports, only, properties, resource, resources

SYSTEM = "llm-proxy"
DEV = environment(SYSTEM)
REDIS = {
    "Host": {"Fn::ImportValue": "dev-llm-proxy-database-RedisEndpoint"},
    "Port": {"Fn::ImportValue": "dev-llm-proxy-database-RedisPort"},
}


def scaling() -> dict[str, Any]:
    found = resources(service.build(DEV), "AWS::ApplicationAutoScaling::ScalingPolicy")
    return {
        name: policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        for name, policy in found.items()
    }


# --- the proxy -----------------------------------------------------------------------------------


def test_the_proxy_runs_the_image_as_its_source_wants_to_be_told() -> None:
    stack = service.build(DEV)
    task, proxy = properties(stack, "ProxyTask"), container(stack, "ProxyTask")

    assert (task["Cpu"], task["Memory"], task["RuntimePlatform"]["CpuArchitecture"]) == (
        "256",
        "512",
        "ARM64",
    )
    assert proxy["Image"] == "ghcr.io/sofatutor/llm-proxy:v0.1.3-stable"
    assert proxy["Command"] == ["server"]
    assert proxy["PortMappings"] == [{"ContainerPort": 8080, "Protocol": "tcp"}]
    assert proxy["HealthCheck"]["Command"] == [
        "CMD",
        "wget",
        "--quiet",
        "--spider",
        "http://127.0.0.1:8080/health",
    ]
    assert variables(stack, "ProxyTask") == {
        "API_ENV": "production",
        "DB_DRIVER": "postgres",
        "HTTP_CACHE_BACKEND": "redis",
        "LISTEN_ADDR": ":8080",
        "LLM_PROXY_EVENT_BUS": "redis-streams",
        "REDIS_CACHE_URL": {"Fn::Sub": ["rediss://${Host}:${Port}/1", REDIS]},
        "REQUEST_TIMEOUT": "300s",
    }


def test_secrets_and_parameters_reach_the_proxy_under_the_names_that_it_reads() -> None:
    assert injected(service.build(DEV), "ProxyTask") == {
        "MANAGEMENT_TOKEN": "dev-llm-proxy-security-ManagementTokenSecretArn:MANAGEMENT_TOKEN::",
        "ADMIN_PASSWORD": "dev-llm-proxy-security-AdminPasswordSecretArn:ADMIN_PASSWORD::",
        "ENCRYPTION_KEY": "dev-llm-proxy-security-EncryptionKeySecretArn:ENCRYPTION_KEY::",
        "DATABASE_URL": "dev-llm-proxy-database-DbSecretArn:DATABASE_URL::",
        "LOG_LEVEL": "/dev-llm-proxy/log-level",
        "REDIS_ADDR": "/dev-llm-proxy/redis-addr",
        "REDIS_DB": "/dev-llm-proxy/redis-db",
        "HTTP_CACHE_ENABLED": "/dev-llm-proxy/cache-enabled",
        "GLOBAL_RATE_LIMIT": "/dev-llm-proxy/rate-limit-rpm",
    }


def test_each_parameter_that_tasks_read_is_made_before_them() -> None:
    made = {
        entry["Properties"]["Name"]: entry["Properties"]["Value"]
        for stack in (security.build(DEV), database.build(DEV))
        for entry in resources(stack, "AWS::SSM::Parameter").values()
    }
    read = {source for source in injected(service.build(DEV), "ProxyTask").values() if source.startswith("/")}

    assert read <= made.keys()
    assert made["/dev-llm-proxy/log-level"] == "info"
    assert made["/dev-llm-proxy/redis-db"] == "0"
    assert made["/dev-llm-proxy/redis-addr"] == {
        "Fn::Sub": [
            "${Host}:${Port}",
            {
                "Host": {"Fn::GetAtt": ["Redis", "PrimaryEndPoint.Address"]},
                "Port": {"Fn::GetAtt": ["Redis", "PrimaryEndPoint.Port"]},
            },
        ]
    }


def test_the_level_is_told_in_the_applications_own_word() -> None:
    stack = security.build(environment(SYSTEM, service={"log_level": "WARNING"}))

    assert properties(stack, "LogLevelParameter")["Value"] == "warn"


def test_a_parameter_of_the_users_own_reaches_the_tasks_in_capitals() -> None:
    configured = environment(SYSTEM, service={"parameters": {"max-request-size": "1000"}})

    assert properties(security.build(configured), "MaxRequestSizeParameter")["Value"] == "1000"
    assert injected(service.build(configured), "ProxyTask")["MAX_REQUEST_SIZE"] == (
        "/dev-llm-proxy/max-request-size"
    )


def test_the_proxy_gives_up_before_the_load_balancer_does() -> None:
    configured = environment(SYSTEM, alb={"internal": True, "idle_timeout_seconds": 60})

    assert variables(service.build(configured), "ProxyTask")["REQUEST_TIMEOUT"] == "50s"


def test_the_encryption_key_is_32_bytes_as_base64_and_stays_in_production() -> None:
    value = llm_proxy.ENCRYPTION_KEY.value
    assert isinstance(value, Seeded)
    made = json.loads(value.template.replace("{seed}", "x" * value.length))["ENCRYPTION_KEY"]
    dev, production = (
        resource(security.build(environment(SYSTEM, tier)), "EncryptionKeySecret")
        for tier in ("dev", "production")
    )

    assert len(b64decode(made, validate=True)) == 32
    assert (dev["DeletionPolicy"], production["DeletionPolicy"]) == ("Delete", "Retain")
    assert dev["Properties"]["SecretString"] == {
        "Fn::Sub": '{"ENCRYPTION_KEY": "{{resolve:secretsmanager:${EncryptionKeySeed}:SecretString}}A="}'
    }


# --- the dispatcher ------------------------------------------------------------------------------


def test_the_dispatcher_is_one_task_of_the_same_image_without_load_balancer() -> None:
    stack = service.build(DEV)
    told = container(stack, "DispatcherTask")
    found = properties(stack, "DispatcherService")

    assert told["Image"] == container(stack, "ProxyTask")["Image"]
    assert told["Command"] == ["dispatcher", "--service", "file", "--endpoint", "/app/data/events.jsonl"]
    assert {"PortMappings", "HealthCheck"}.isdisjoint(told)
    assert variables(stack, "DispatcherTask") == {"LLM_PROXY_EVENT_BUS": "redis-streams"}
    assert found["ServiceName"] == "dev-llm-proxy-dispatcher"
    assert found["DesiredCount"] == {"Fn::If": ["NoTasks", 0, 1]}
    assert {"LoadBalancers", "HealthCheckGracePeriodSeconds"}.isdisjoint(found)
    assert found["Cluster"] == properties(stack, "Service")["Cluster"]


def test_the_dispatcher_rolls_whatever_the_strategy_of_the_proxy_is() -> None:
    """Two of them may overlap: each is a consumer of its own in the stream's group."""
    shifting = environment(SYSTEM, service={"deployment_strategy": "canary", "requests_per_target": 0})
    deployment = properties(service.build(shifting), "DispatcherService")["DeploymentConfiguration"]

    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert "Strategy" not in deployment
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_a_backend_elsewhere_gets_the_key_that_a_person_put_in() -> None:
    configured = environment(
        SYSTEM, dispatcher={"backend": "lunary", "endpoint": "https://lunary.example.org"}
    )
    stack = service.build(configured)

    assert container(stack, "DispatcherTask")["Command"][1:] == [
        "--service",
        "lunary",
        "--endpoint",
        "https://lunary.example.org",
    ]
    assert injected(stack, "DispatcherTask")["LLM_PROXY_API_KEY"] == (
        "dev-llm-proxy-security-DispatcherApiKeySecretArn:LLM_PROXY_API_KEY::"
    )


def test_without_dispatcher_nothing_of_it_is_left() -> None:
    stack = service.build(environment(SYSTEM, dispatcher={"enabled": False}))

    assert not [name for name in stack.template.resources if "Dispatcher" in name]
    assert "dev-llm-proxy-service-DispatcherServiceName" not in exports(stack)


# --- what is around it ---------------------------------------------------------------------------


def test_cpu_and_requests_scale_two_minutes_out_and_ten_in() -> None:
    found = scaling()

    assert {name: policy["TargetValue"] for name, policy in found.items()} == {
        "ScaleOnCpu": 70,
        "ScaleOnRequests": 500,
    }
    for policy in found.values():
        assert (policy["ScaleOutCooldown"], policy["ScaleInCooldown"]) == (120, 600)


def test_aurora_and_redis_are_in_the_isolated_subnets() -> None:
    stack = database.build(DEV)
    data = [{"Fn::ImportValue": f"dev-llm-proxy-network-DataSubnet{zone}Id"} for zone in (1, 2)]
    cluster = only(stack, "AWS::RDS::DBCluster")["Properties"]

    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4}
    assert cluster["DatabaseName"] == "llmproxy"
    assert len(resources(stack, "AWS::RDS::DBInstance")) == 1
    assert only(stack, "AWS::RDS::DBSubnetGroup")["Properties"]["SubnetIds"] == data
    assert only(stack, "AWS::ElastiCache::SubnetGroup")["Properties"]["SubnetIds"] == data


def test_redis_takes_connections_with_and_without_tls_and_has_no_password() -> None:
    redis = properties(database.build(DEV), "Redis")

    assert (redis["TransitEncryptionEnabled"], redis["TransitEncryptionMode"]) == (True, "preferred")
    assert "AuthToken" not in redis
    assert (redis["CacheNodeType"], redis["NumCacheClusters"]) == ("cache.t4g.micro", 1)
    assert properties(database.build(DEV), "RedisParameterGroup")["Properties"] == {
        "maxmemory-policy": "volatile-lru"
    }


def test_the_login_is_rotated_and_the_proxy_rolled_and_nothing_is_migrated_beforehand() -> None:
    stack = database.build(DEV)
    rotation = properties(stack, "DatabaseRotationFunction")["Environment"]["Variables"]

    assert rotation["SERVICE"] == "dev-llm-proxy-proxy"
    assert "MigrationTask" not in stack.template.resources
    assert not resources(service.build(DEV), "AWS::SecretsManager::RotationSchedule")


def test_the_load_balancer_has_one_rule_and_asks_at_health() -> None:
    stack = alb.build(DEV)
    rules = resources(stack, "AWS::ElasticLoadBalancingV2::ListenerRule")

    assert [rule["Properties"]["Priority"] for rule in rules.values()] == [100]
    assert properties(stack, "TargetGroup")["HealthCheckPath"] == "/health"
    assert properties(stack, "TargetGroup")["Port"] == 8080


def test_who_may_talk_to_whom_is_the_table_of_the_document() -> None:
    rules = resources(network.build(DEV), "AWS::EC2::SecurityGroupIngress")
    found = {
        (
            rule["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0].removesuffix("SecurityGroup"),
            rule["Properties"]["GroupId"]["Fn::GetAtt"][0].removesuffix("SecurityGroup"),
            rule["Properties"]["FromPort"],
        )
        for rule in rules.values()
    }

    assert found == {
        ("Alb", "Ecs", 8080),
        ("Ecs", "Rds", 5432),
        ("Ecs", "Redis", 6379),
        ("Lambda", "Rds", 5432),  # the rotation of the login, which the document wants and does not draw
    }


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"cache": {"transit_encryption": "required"}},
            "cache.transit_encryption: the event bus speaks neither TLS nor AUTH",
        ),
        ({"cache": {"enabled": False}}, "dispatcher.enabled: takes its events out of Redis"),
        ({"service": {"workers": 2}}, "service.workers: llm-proxy has no use for it; remove it"),
        (
            {"service": {"config": {"model_list": []}}},
            "service.config: llm-proxy has no use for it; remove it",
        ),
        (
            {"service": {"environment": {"REDIS_ADDR": "x:1"}}},
            "service.environment.REDIS_ADDR: gatestack sets this variable itself",
        ),
        ({"database": {"engine": "none"}}, "database.engine: llm-proxy needs a database"),
        ({"service": {"providers": []}}, "service.providers: the list is empty"),
    ],
)
def test_what_the_proxy_could_not_run_with_is_refused(sections: dict[str, Any], said: str) -> None:
    assert [line for line in refused(SYSTEM, **sections) if line.startswith(said)]


def test_without_redis_and_dispatcher_events_stay_in_the_process() -> None:
    configured = environment(SYSTEM, cache={"enabled": False}, dispatcher={"enabled": False})
    stack = service.build(configured)

    assert variables(stack, "ProxyTask")["LLM_PROXY_EVENT_BUS"] == "in-memory"
    assert {"REDIS_ADDR", "REDIS_CACHE_URL"}.isdisjoint(
        injected(stack, "ProxyTask") | variables(stack, "ProxyTask")
    )
    assert not resources(database.build(configured), "AWS::ElastiCache::ReplicationGroup")


def test_the_user_is_told_what_travels_unencrypted_and_what_is_lost_with_a_task() -> None:
    said = "\n".join(advice(DEV))

    assert "events travel to Redis unencrypted inside the VPC" in said
    assert "file keeps the events in the task" in said


def test_no_secret_of_the_system_is_written_by_hand_and_rotated_at_once() -> None:
    """A secret that nobody may write and nothing rotates must say why for both."""
    own: tuple[OwnSecret, ...] = llm_proxy.APPLICATION.secrets

    assert all(secret.not_rotated for secret in own)
