"""The LLM testing framework (S3): one service that calls Bedrock, no database, clients' keys in a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.render import render
from stacks import alb, network, security, service
from stacks.application import Seeded
from stacks.systems import llm_testing
from tests.stacks.environments_of_systems import container, environment, injected, refused, variables
from tests.stacks.finders import exports, properties, resource, resources

SYSTEM = "llm-testing"
DEV = environment(SYSTEM)
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def statements(role: str) -> dict[str, dict[str, Any]]:
    policies = properties(security.build(DEV), role)["Policies"]
    return {one["Sid"]: one for policy in policies for one in policy["PolicyDocument"]["Statement"]}


def test_there_is_no_database_stack_and_nothing_that_speaks_of_one() -> None:
    manifest = render(DEV)
    groups = resources(network.build(DEV), "AWS::EC2::SecurityGroup")

    assert [stack.name for stack in manifest.stacks] == ["security", "network", "alb", "service"]
    assert not manifest.files
    assert set(groups) == {"AlbSecurityGroup", "EcsSecurityGroup", "EndpointSecurityGroup"}
    assert not [name for name in exports(security.build(DEV)) if "Database" in name or "Bucket" in name]


def test_the_service_is_told_what_its_source_reads() -> None:
    stack = service.build(DEV)
    task = properties(stack, "BackendTask")

    assert (task["Cpu"], task["Memory"]) == ("512", "1024")
    assert container(stack, "BackendTask")["PortMappings"] == [{"ContainerPort": 3000, "Protocol": "tcp"}]
    assert variables(stack, "BackendTask") == {
        "API_KEYS_SECRET_NAME": "dev-llm-testing/api-keys",
        "API_KEY_AUTH_ENABLED": "true",
        "API_KEY_PROVIDER": "secrets-manager",
        "BEDROCK_MODEL": MODEL,
        "LLM_PROVIDER": "bedrock",
        "NODE_ENV": "production",
        "PORT": "3000",
        "TRUST_PROXY": "true",
    }
    assert injected(stack, "BackendTask") == {"LOG_LEVEL": "/dev-llm-testing/log-level"}


def test_the_image_is_asked_with_node_since_it_has_no_curl() -> None:
    command = container(service.build(DEV), "BackendTask")["HealthCheck"]["Command"]

    assert command[:3] == ["CMD", "node", "-e"]
    assert "http://127.0.0.1:3000/health" in command[3]


def test_tasks_may_read_their_clients_keys_and_invoke_the_configured_model_and_nothing_else() -> None:
    found = statements("TaskRole")

    assert set(found) == {
        "ReadOwnSecrets",
        "DecryptThroughService",
        "InvokeConfiguredModels",
        "InvokeThroughProfiles",
    }
    assert found["ReadOwnSecrets"]["Resource"] == [{"Ref": "ApiKeysSecret"}]
    assert all(
        MODEL.partition(".")[2] in json.dumps(arn) for arn in found["InvokeConfiguredModels"]["Resource"]
    )


def test_who_starts_the_tasks_reads_none_of_the_clients_keys() -> None:
    assert "ReadOwnSecrets" not in statements("ExecutionRole")


def test_the_first_clients_key_is_there_without_a_step_by_hand() -> None:
    value = llm_testing.API_KEYS.value
    assert isinstance(value, Seeded)
    first = json.loads(value.template.replace("{seed}", "k" * value.length))

    assert first["keys"] == [{"id": "first", "key": "k" * 40, "description": "made with the environment"}]
    assert llm_testing.API_KEYS.objection is not None
    assert llm_testing.API_KEYS.objection(first) is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"keys": []},
        {"keys": "sk-1"},
        {"keys": ["sk-1", "sk-2"]},  # the document's own example, which the application cannot read
        {"keys": [{"id": "a"}]},
        {"keys": [{"id": "a", "key": ""}]},
        {"keys": [{"id": "a", "key": 5}]},
        {"keys": [{"id": "a", "key": "b", "secret": "c"}]},
    ],
)
def test_keys_that_the_application_could_not_read_are_refused_without_being_repeated(values: Any) -> None:
    assert llm_testing.API_KEYS.objection is not None
    said = llm_testing.API_KEYS.objection(values)

    assert said
    assert "sk-1" not in said


def test_cpu_and_memory_scale_between_two_and_ten_tasks() -> None:
    stack = service.build(DEV)
    target = properties(stack, "ScalableTarget")
    policies = resources(stack, "AWS::ApplicationAutoScaling::ScalingPolicy")

    assert (target["MinCapacity"], target["MaxCapacity"]) == ({"Fn::If": ["NoTasks", 0, 2]}, 10)
    assert set(policies) == {"ScaleOnCpu", "ScaleOnMemory"}


def test_the_outputs_have_the_names_of_the_document_beside_ours() -> None:
    found = exports(security.build(DEV)) | exports(alb.build(DEV)) | exports(service.build(DEV))
    prefix = "dev-llm-testing"

    for stack, name, own in (
        ("alb", "LoadBalancerDNS", "AlbDnsName"),
        ("alb", "ApiEndpoint", "Url"),
        ("service", "RepositoryUri", "EcrRepositoryUri"),
        ("security", "SecretArn", "ApiKeysSecretArn"),
    ):
        assert found[f"{prefix}-{stack}-{name}"] == found[f"{prefix}-{stack}-{own}"]
    assert f"{prefix}-service-ClusterName" in found


def test_the_alarms_of_the_document_ring_at_its_limits() -> None:
    alarms = {
        name: alarm["Properties"].get("Threshold")
        for name, alarm in resources(service.build(DEV), "AWS::CloudWatch::Alarm").items()
    }

    assert alarms["HighCpu"] == alarms["HighMemory"] == 80
    assert alarms["HighLatency"] == 2
    assert properties(service.build(DEV), "HighLatency")["ExtendedStatistic"] == "p99"
    assert {"UnhealthyHosts", "ServerErrors"} <= alarms.keys()


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"database": {"storage_gb": 50}}, "database: llm-testing has no use for it; remove it"),
        ({"cache": {"enabled": True}}, "cache: llm-testing has no use for it; remove it"),
        ({"secrets": {"rotation_days": 7}}, "secrets: llm-testing has no use for it; remove it"),
        (
            {"service": {"providers": ["openai"], "bedrock_models": []}},
            "service.providers: it calls Bedrock only",
        ),
        (
            {"service": {"environment": {"TRUST_PROXY": "false"}}},
            "service.environment.TRUST_PROXY: gatestack sets",
        ),
    ],
)
def test_what_the_framework_has_no_use_for_is_refused(sections: dict[str, Any], said: str) -> None:
    assert [line for line in refused(SYSTEM, **sections) if line.startswith(said)]


def test_without_nat_gateway_it_reaches_bedrock_and_its_secret_by_endpoints() -> None:
    closed = environment(SYSTEM, network={"nat_gateways": 0, "vpc_endpoints": True})
    found = resources(network.build(closed), "AWS::EC2::VPCEndpoint")

    assert {"BedrockRuntimeEndpoint", "SecretsmanagerEndpoint"} <= found.keys()


def test_production_keeps_the_log_for_90_days_and_protects_the_entrance() -> None:
    configured = environment(SYSTEM, "production")

    assert properties(service.build(configured), "TaskLog")["RetentionInDays"] == 90
    assert resource(service.build(configured), "Repository")["DeletionPolicy"] == "Retain"
    assert resources(alb.build(configured), "AWS::WAFv2::WebACL")
