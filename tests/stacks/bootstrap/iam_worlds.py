"""Environments that pipelines deploy: what is shipped, and one for each group of options that makes more."""

from __future__ import annotations

from typing import Any

import yaml

from stacks.bases import environment_files
from stacks.environment import parse_settings
from stacks.settings import Settings
from tests.places import ENVIRONMENTS

SHIPPED = tuple(path.stem for path in environment_files(ENVIRONMENTS))
AZURE = {
    "organization": "contoso",
    "organization_id": "61c028b9-510c-4f84-bfb2-f48d33b6b542",
    "project": "AI Platform",
    "service_connection": "aws-dev",
    "plan_service_connection": "aws-dev-plan",
    "plan_pipelines": ["plan gateway"],
}
GITHUB = {"repository": "contoso/gateway", "environments": ["production"], "pull_requests": True}
PIPELINES: dict[str, Any] = {"azure_devops": AZURE, "github": GITHUB}

SHARED = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shared/{}-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"

OPTIONS: dict[str, dict[str, Any]] = {
    "watched": {
        "network": {"flow_logs": True},
        "alb": {
            "internal": True,
            "access_logs": True,
            "waf": True,
            "waf_exempt_cidrs": ["192.0.2.0/24"],
            "waf_logs": True,
            "admin_cidrs": ["10.0.0.0/8"],
        },
        "observability": {
            "cloudtrail": True,
            "log_archive_days": 400,
            "prompt_logs": {"keep_days": 90},
            "xray": True,
            "dashboard": True,
            "alarm_email": "llm@example.com",
            "alarms": {"stopped_tasks": True},
        },
        "service": {"execute_command": True},
    },
    "shifting": {
        "alb": {"internal": True},
        "service": {"deployment_strategy": "linear", "deployment_alarms": True},
        "database": {"engine": "aurora-postgresql", "engine_version": "16.11", "iam_authentication": True},
        "cache": {"enabled": True},
    },
    "clients": {
        "alb": {
            "domain_name": "llm.example.com",
            "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
            "mutual_authentication": {
                "mode": "verify",
                "ca_certificates_bundle": "s3://acme-authorities/clients.pem",
                "ca_certificates_bundle_version": "3HL4kqtJlcpXroDTDm",
            },
        },
    },
    "guest": {
        "network": {
            "existing_vpc": {
                "vpc_id": "vpc-0123456789abcdef0",
                "private_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            }
        },
        "alb": {"internal": True},
        "database": {
            "existing": {
                "host": "db.example.com",
                "name": "llm",
                "secret_arn": SHARED.format("db"),
                "kms_key_arn": KEY,
            }
        },
        "cache": {"existing": {"host": "redis.example.com", "secret_arn": SHARED.format("redis")}},
        "service": {
            "secrets": ["AZURE_API_KEY"],
            "secrets_from": {
                "DATADOG_API_KEY": SHARED.format("datadog") + ":api_key::",
                "TEAM": "arn:aws:ssm:us-east-1:123456789012:parameter/shared/team",
            },
        },
    },
}
"""Options that the shipped environments do not use."""
WORLDS = (*SHIPPED, *OPTIONS)


def world(name: str, **pipelines: Any) -> Settings:
    """The environment *name* with pipelines that deploy it."""
    if name in OPTIONS:
        file = {"system": "litellm", "environment": "dev", **OPTIONS[name]}
    else:
        file = yaml.safe_load((ENVIRONMENTS / f"{name}.yaml").read_text())
    return parse_settings(
        yaml.safe_dump(file | {"pipelines": PIPELINES | pipelines}), ENVIRONMENTS / f"{name}.yaml"
    )
