"""Environments that pipelines deploy: what is shipped, and one for each group of options that makes more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stacks.environment import parse_settings
from stacks.settings import Settings
from tests.places import ENVIRONMENTS

SHIPPED = tuple(sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml")))
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

OPTIONS: dict[str, dict[str, Any]] = {
    "watched": {
        "network": {"flow_logs": True},
        "alb": {"internal": True, "access_logs": True, "waf": True},
        "observability": {
            "cloudtrail": True,
            "log_archive_days": 400,
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
    "guest": {
        "network": {
            "existing_vpc": {
                "vpc_id": "vpc-0123456789abcdef0",
                "private_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            }
        },
        "alb": {"internal": True},
    },
}
"""What the shipped environments leave out."""
WORLDS = (*SHIPPED, *OPTIONS)


def world(name: str, **pipelines: Any) -> Settings:
    """The environment *name* with pipelines that deploy it."""
    if name in OPTIONS:
        file = {"system": "litellm", "environment": "dev", **OPTIONS[name]}
    else:
        file = yaml.safe_load((ENVIRONMENTS / f"{name}.yaml").read_text())
    return parse_settings(yaml.safe_dump(file | {"pipelines": PIPELINES | pipelines}), Path(f"{name}.yaml"))
