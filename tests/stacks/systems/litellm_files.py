"""Environment files around a config.yaml, and what their tasks' role is allowed, with its ARNs filled in."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stacks import security
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.places import ROOT

ACCOUNT = "111122223333"
OWN = {"ReadConfiguration", "DecryptThroughService", "TakeCommands", "SendTraces", "WriteMetrics"}
"""Statements that exist with any config.yaml."""


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Return the examples of LiteLLM's documented sections by their names."""
    text = (ROOT / "tests/stacks/systems/litellm_examples.yaml").read_text()
    return {one["name"]: one for one in yaml.load(text, yaml.CSafeLoader)}


def environment(config: dict[str, Any], *, tier: str = "production", **keys: Any) -> dict[str, Any]:
    """Return an environment file of a gateway with *config*; *keys*: of other sections or of `service`."""
    service = {key: keys.pop(key) for key in [*keys] if key not in {"network", "pipelines", "region"}}
    return {
        "system": "litellm",
        "environment": "dev",
        "tier": tier,
        "alb": {"internal": True},
        "service": {**service, "config": config},
        **keys,
    }


def load(config: dict[str, Any], **keys: Any) -> Settings:
    return parse_settings(yaml.safe_dump(environment(config, **keys)), Path("dev.yaml"))


def of_example(example: dict[str, Any], **keys: Any) -> Settings:
    said = {key: value for key, value in example.items() if key not in {"name", "config", "statements"}}
    return load(example["config"], **said, **keys)


def refused(config: dict[str, Any], **keys: Any) -> list[str]:
    try:
        load(config, **keys)
    except EnvironmentFileError as error:
        return [f"{one.key}: {one.message}" for one in error.problems]
    return []


def filled(value: Any, region: str = "us-east-1") -> Any:
    """Return *value* of a template with names resolved, as on AWS."""
    if isinstance(value, dict):
        if [*value] == ["Fn::Sub"]:
            text = str(value["Fn::Sub"])
            for name, filling in {"Partition": "aws", "AccountId": ACCOUNT, "Region": region}.items():
                text = text.replace(f"${{AWS::{name}}}", filling)
            return text
        return {key: filled(one, region) for key, one in value.items()}
    return [filled(one, region) for one in value] if isinstance(value, list) else value


def allowed(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the statements of the tasks' role that follow from its calls, by their names."""
    template = json.loads(security.build(settings).template.to_json())
    policies = template["Resources"]["TaskRole"]["Properties"]["Policies"]
    found = filled([one for policy in policies for one in policy["PolicyDocument"]["Statement"]])
    return {one["Sid"]: one for one in found if one["Sid"] not in OWN}
