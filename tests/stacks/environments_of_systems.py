"""Small environments of any system, and readers of what their containers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.wiring import Stack
from tests.stacks.finders import properties


def environment(system: str, tier: str = "dev", **sections: Any) -> Settings:
    """The environment ``dev`` of *system*, reachable from its VPC only, with *sections* over the defaults."""
    file = {"system": system, "environment": "dev", "tier": tier, "alb": {"internal": True}} | sections
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def refused(system: str, **sections: Any) -> list[str]:
    """Return the errors about the environment; fails if there are none."""
    try:
        environment(system, **sections)
    except EnvironmentFileError as error:
        return [str(problem) for problem in error.problems]
    raise AssertionError("nothing was refused")


def container(stack: Stack, task: str) -> dict[str, Any]:
    """The one container of the task definition *task*."""
    (found,) = properties(stack, task)["ContainerDefinitions"]
    return dict(found)


def variables(stack: Stack, task: str) -> dict[str, Any]:
    """Its environment variables."""
    return {entry["Name"]: entry["Value"] for entry in container(stack, task)["Environment"]}


def injected(stack: Stack, task: str) -> dict[str, str]:
    """Its secrets: the variable, and its source: export and JSON key, or parameter."""
    return {entry["Name"]: _source(entry["ValueFrom"]) for entry in container(stack, task)["Secrets"]}


def _source(value: dict[str, Any]) -> str:
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).partition(":parameter")[2]
    arn, key = value["Fn::Join"][1]
    return f"{arn['Fn::ImportValue']}{key}"
