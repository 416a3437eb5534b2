"""Which stacks each key of an environment file changes, found by rendering environments with other values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from generator.render import render
from stacks import STACKS
from stacks.environment import EnvironmentFileError, is_unused, parse_settings
from stacks.reference import Key
from tests.deployer.checks.existing_vpc import ARN as CERTIFICATE_ARN
from tests.places import ENVIRONMENTS
from tests.stacks.environment_values import KEY as KMS_KEY
from tests.stacks.environment_values import SECRET, SHARED

Stacks = frozenset[str]

UNCHANGED = object()
FULL = ("litellm",)
"""The environment with the most options enabled."""

DOMAIN = {"domain_name": "llm.acme.org", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
AZURE = {
    "organization": "acme",
    "organization_id": "61c028b9-510c-4f84-bfb2-f48d33b6b542",
    "project": "gateway",
    "service_connection": "aws",
}
SUBNETS = {
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_ids": ["subnet-00000001", "subnet-00000002"],
    "private_subnet_ids": ["subnet-00000003", "subnet-00000004"],
    "data_subnet_ids": ["subnet-00000005", "subnet-00000006"],
}
BASES: Mapping[str, Mapping[str, Any]] = {
    "litellm": {
        "system": "litellm",
        "environment": "dev",
        "network": {"data_subnets": True, "flow_logs": True},
        "alb": DOMAIN | {"waf": True, "waf_logs": True, "access_logs": True},
        "cache": {"enabled": True, "nodes": 2},
        "service": {"deployment_strategy": "canary", "deployment_alarms": True, "requests_per_target": 0},
        "observability": {
            "alarms": {
                "server_error_percent": 1,
                "client_error_percent": 20,
                "latency_milliseconds": 500,
                "cache_evictions": 100,
            },
            "log_archive_days": 400,
            "cloudtrail": True,
            "prompt_logs": {"keep_days": 30},
            "alarm_email": "a@acme.org",
            "dashboard": True,
        },
        "pipelines": {
            "github": {"repository": "acme/gateway", "environments": ["dev"]},
            "azure_devops": AZURE,
        },
    },
    "sso": {
        "system": "litellm",
        "environment": "dev",
        "alb": DOMAIN,
        "sso": {
            "provider": "generic",
            "client_id": "gateway",
            "authorization_endpoint": "https://login.acme.org/authorize",
            "token_endpoint": "https://login.acme.org/token",
            "userinfo_endpoint": "https://login.acme.org/userinfo",
            "group_claim": "groups",
            "roles": {"proxy_admin": ["ops"]},
        },
    },
    "oidc": {
        "system": "litellm",
        "environment": "dev",
        "alb": DOMAIN
        | {
            "oidc": {
                "issuer": "https://login.acme.org",
                "authorization_endpoint": "https://login.acme.org/authorize",
                "token_endpoint": "https://login.acme.org/token",
                "userinfo_endpoint": "https://login.acme.org/userinfo",
                "client_id": "gateway",
            }
        },
    },
    "clients": {
        "system": "litellm",
        "environment": "dev",
        "alb": DOMAIN
        | {"mutual_authentication": {"mode": "verify", "ca_certificates_bundle": "s3://acme-ca/clients.pem"}},
    },
    "entra": {
        "system": "litellm",
        "environment": "dev",
        "alb": DOMAIN,
        "sso": {"provider": "microsoft", "client_id": "gateway", "tenant": "acme.org"},
    },
    "plain": {"system": "litellm", "environment": "dev"},
    "closed": {
        "system": "litellm",
        "environment": "dev",
        "network": {"nat_gateways": 0},
        "alb": {"internal": True},
        "service": {"providers": ["bedrock"], "bedrock_models": ["amazon.nova-lite-v1:0"]},
    },
    "aurora": {
        "system": "litellm",
        "environment": "dev",
        "database": {"engine": "aurora-postgresql", "engine_version": "16", "reader_instances": 1},
    },
    "existing": {
        "system": "litellm",
        "environment": "dev",
        "network": {"data_subnets": True, "existing_vpc": SUBNETS, "vpc_cidr": "10.0.0.0/16"},
    },
    "stores": {
        "system": "litellm",
        "environment": "dev",
        "database": {
            "existing": {"host": "db.acme.org", "name": "litellm", "secret_arn": SECRET.format("db")}
        },
        "cache": {"existing": {"host": "redis.acme.org", "secret_arn": SECRET.format("redis")}},
    },
    "extended": {
        "system": "litellm",
        "environment": "dev",
        "extend": {
            "stacks": [
                {
                    "name": "prompts",
                    "template": "extensions/prompts.yaml",
                    "parameters": {"RetentionDays": "90"},
                }
            ]
        },
    },
    "llm-proxy": {"system": "llm-proxy", "environment": "dev"},
    "llm-testing": {"system": "llm-testing", "environment": "dev"},
}
"""Environments that enable what other keys depend on."""

VALUES: Mapping[str, Sequence[Any]] = {
    "system": ["litellm-benchmark"],
    "environment": ["other"],
    "tier": ["production", "dev"],
    "region": ["eu-central-1"],
    "account": ["123456789012"],
    "deployment.policy": ["extensions"],
    "tags": [{"CostCenter": "4711"}],
    "network.vpc_cidr": ["10.8.0.0/16"],
    "network.public_subnet_cidrs": [["10.0.101.0/24", "10.0.102.0/24"]],
    "network.private_subnet_cidrs": [["10.0.111.0/24", "10.0.112.0/24"]],
    "network.data_subnet_cidrs": [["10.0.121.0/24", "10.0.122.0/24"]],
    "network.availability_zones": [["use1-az2", "use1-az4"]],
    "network.existing_vpc.vpc_id": ["vpc-11111111"],
    "network.existing_vpc.public_subnet_ids": [["subnet-00000011", "subnet-00000012"]],
    "network.existing_vpc.private_subnet_ids": [["subnet-00000013", "subnet-00000014"]],
    "network.existing_vpc.data_subnet_ids": [["subnet-00000015", "subnet-00000016"]],
    "alb.certificate_arn": [CERTIFICATE_ARN],
    "alb.domain_name": ["other.acme.org"],
    "alb.hosted_zone_id": ["Z1111111111111111111"],
    "alb.health_check.path": ["/other"],
    "alb.allowed_cidrs": [["10.0.0.0/8"]],
    "alb.waf_exempt_cidrs": [["10.0.0.0/8"]],
    "alb.admin_cidrs": [["10.0.0.0/8"]],
    **{
        f"alb.oidc.{key}": ["https://login.acme.org/other"]
        for key in ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    },
    "alb.oidc.client_id": ["other"],
    "alb.oidc.scopes": [["openid"]],
    "alb.mutual_authentication.ca_certificates_bundle": ["s3://acme-authorities/other.pem"],
    "alb.mutual_authentication.ca_certificates_bundle_version": ["3HL4kqtJlcpXroDTDm"],
    "alb.ssl_policy": ["ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"],
    "alb.test_cidrs": [["10.0.0.0/8"]],
    "database.existing.host": ["other.acme.org"],
    "database.existing.name": ["other"],
    "database.existing.secret_arn": [SECRET.format("other")],
    "database.existing.kms_key_arn": [KMS_KEY],
    "database.existing.cidr": ["10.9.0.0/16"],
    "cache.existing.host": ["other.acme.org"],
    "cache.existing.secret_arn": [SECRET.format("other")],
    "cache.existing.secret_key": ["AUTH_TOKEN"],
    "cache.existing.kms_key_arn": [KMS_KEY],
    "cache.existing.cidr": ["10.9.0.0/16"],
    "database.engine_version": ["17", "16"],
    "database.instance_class": ["db.m6g.large"],
    "database.parameters": [{"log_min_messages": "error"}],
    "database.snapshot_identifier": ["before"],
    "cache.node_type": ["cache.m6g.large"],
    "cache.nodes": [1, 3],
    "cache.parameters": [{"timeout": "300"}],
    "service.image": ["ghcr.io/acme/gateway"],
    "service.image_tag": ["v9.9.9"],
    "service.cpu": [1024, 256],
    "service.memory_mb": [4096, 1024],
    "service.min_tasks": [2, 3],
    "service.health_check.path": ["/other"],
    "service.environment": [{"FOO_BAR": "1"}],
    "service.environment_from": [{"PROMPTS_BUCKET": "prompts.BucketName"}],
    "service.secrets": [["AZURE_API_KEY"]],
    "service.secrets_from": [{"DATADOG_API_KEY": SHARED}],
    "service.parameters": [{"rate-limit-rpm": "7"}],
    "service.providers": [["openai", "bedrock"], ["openai"]],
    "service.bedrock_models": [["anthropic.claude-3-haiku-20240307-v1:0"]],
    "service.config": [
        {"litellm_settings": {"num_retries": 3}},
        {
            "model_list": [
                {"model_name": "nova", "litellm_params": {"model": "bedrock/amazon.nova-lite-v1:0"}}
            ]
        },
    ],
    "service.sidecars": [
        [{"name": "guard", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/guard:1", "cpu": 16}],
        [{"name": "guard", "image": "docker.io/acme/guard:1", "cpu": 16, "memory_mb": 64}],
    ],
    "service.task_policy": [
        [{"sid": "Read", "actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::a/*"]}],
        [{"sid": "Put", "actions": ["s3:PutObject"], "resources": ["arn:aws:s3:::${prompts.BucketName}/*"]}],
    ],
    "service.managed_policies": [["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]],
    "service.security_group_ids": [["sg-0123456789abcdef0"]],
    "observability.collector_image": ["123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/otel:1"],
    "dispatcher.endpoint": ["/var/events.jsonl"],
    "dispatcher.cpu": [512],
    "dispatcher.memory_mb": [1024],
    "sso.client_id": ["other"],
    "sso.tenant": ["other.org"],
    "sso.authorization_endpoint": ["https://login.acme.org/other"],
    "sso.token_endpoint": ["https://login.acme.org/other"],
    "sso.userinfo_endpoint": ["https://login.acme.org/other"],
    "sso.scopes": [["openid", "groups"]],
    "sso.allowed_email_domains": [["acme.org"]],
    "sso.admin_id": ["ann"],
    "sso.logout_url": ["https://acme.org"],
    "sso.user_id_attribute": ["sub"],
    "sso.role_attribute": ["llm_role"],
    "sso.group_claim": ["teams"],
    "sso.roles": [{"internal_user": ["ops"]}],
    "observability.log_retention_days": [30],
    "observability.alarm_email": ["b@acme.org"],
    "observability.rollback_alarms": [["errors"]],
    "pipelines.azure_devops.organization": ["other"],
    "pipelines.azure_devops.organization_id": ["71c028b9-510c-4f84-bfb2-f48d33b6b542"],
    "pipelines.azure_devops.project": ["other"],
    "pipelines.azure_devops.service_connection": ["other"],
    "pipelines.azure_devops.plan_service_connection": ["plans"],
    "pipelines.azure_devops.plan_pipelines": [["plan"]],
    "pipelines.github.repository": ["acme/other"],
    "pipelines.github.other_forms": [["acme@1/gateway@2"]],
    "pipelines.github.environments": [["other"]],
    "pipelines.github.plan_branches": [["main"]],
    "pipelines.azure_devops.provider_arn": [
        "arn:aws:iam::123456789012:oidc-provider/vstoken.dev.azure.com/61c028b9-510c-4f84-bfb2-f48d33b6b542"
    ],
    "pipelines.github.provider_arn": [
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    ],
    "pipelines.deploys": [["dev-litellm", "prod-litellm"]],
    "pipelines.permissions_boundary": ["arn:aws:iam::aws:policy/PowerUserAccess"],
}
"""Other values, for keys for which `others` finds none."""

TOGETHER: Mapping[str, Mapping[str, Any]] = {
    "service.requests_per_target": {"service.deployment_strategy": "rolling"},
    "service.min_tasks": {"service.desired_count": 3},
    "sso.pkce": {"service.max_tasks": 1},
    "dispatcher.cpu": {"dispatcher.memory_mb": 1024},
    "observability.collector_image": {"observability.collector": "otel"},
    "database.insights": {"database.performance_insights": True},
}
"""Further keys that are set with a changed key, also before the change."""


def found(key: Key, bases: Collection[str] = BASES, *, thorough: bool = True) -> Stacks | None:
    """
    Return the stacks that *key* changes; None where none of *bases* takes another value of it.

    Not *thorough*: one value that changes something is enough for each of *bases*.
    """
    changed: Stacks | None = None
    for name in bases:
        if is_unused(str(BASES[name]["system"]), key.name):
            continue
        before = _rendered(name, key.name, UNCHANGED)
        if before is None:
            assert key.name in TOGETHER, name
            continue
        for value in others(key):
            after = _rendered(name, key.name, value)
            if after is None:
                continue
            differing = {stack for stack in STACKS if before.get(stack) != after.get(stack)}
            changed = (changed or frozenset()) | differing
            if differing and not thorough:
                break
    return changed


def others(key: Key) -> Iterator[Any]:
    """Yield possible values of *key*."""
    kind = key.info.annotation
    kind = get_args(kind)[0] if get_origin(kind) in {Union, UnionType} else kind
    if key.name in VALUES:
        yield from VALUES[key.name]
    elif kind is bool:
        yield from (True, False)
    elif get_origin(kind) is Literal:
        yield from get_args(kind)
    else:
        yield from (7, 77, 2)


def _rendered(name: str, key: str, value: Any) -> Mapping[str, str] | None:
    data = deepcopy(dict(BASES[name]))
    for other, said in TOGETHER.get(key, {}).items():
        _put(data, other, said)
    if value is not UNCHANGED:
        _put(data, key, value)
    return _templates(yaml.safe_dump(data))


@cache
def _templates(text: str) -> Mapping[str, str] | None:
    try:
        manifest = render(parse_settings(text, ENVIRONMENTS / "e.yaml"))
    except EnvironmentFileError:
        return None
    return {stack.name: stack.template for stack in manifest.stacks}


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(".")
    for part in above:
        data = data.setdefault(part, {})
    data[last] = value
