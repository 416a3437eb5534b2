"""What the environment's file lets the application do in AWS, out of the rendered templates. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.manifest import Manifest
from stacks.checking.tasks.task_policy import POLICY_NAME

Row = tuple[str, ...]
HEAD: Row = ("role", "statement", "effect", "actions", "resources", "condition")


def rights(manifest: Manifest) -> tuple[Row, ...]:
    """Return a row, as `HEAD` names its cells, for each statement and managed policy that the file adds."""
    return tuple(_rows(manifest))


def _rows(manifest: Manifest) -> Iterator[Row]:
    for stack in manifest.stacks:
        for name, resource in json.loads(stack.template)["Resources"].items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            role, properties = f"{stack.name}/{name}", resource["Properties"]
            for policy in properties.get("Policies", ()):
                if policy["PolicyName"] == POLICY_NAME:
                    yield from (_row(role, one) for one in policy["PolicyDocument"]["Statement"])
            # Those that gatestack attaches by itself stand for every partition: no plain text.
            for arn in properties.get("ManagedPolicyArns", ()):
                if isinstance(arn, str):
                    yield (role, "managed policy", "", arn, "", "")


def _row(role: str, one: Mapping[str, Any]) -> Row:
    when = json.dumps(one["Condition"], sort_keys=True) if "Condition" in one else ""
    return (role, one["Sid"], one["Effect"], ", ".join(one["Action"]), ", ".join(one["Resource"]), when)
