"""What the environment file allows the application to do in AWS, from the rendered templates. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.manifest import Manifest
from stacks.checking.tasks.task_policy import OWN_POLICY_NAME, POLICY_NAME

_TASKS = "TaskRole"
_ALWAYS = frozenset(
    {
        *("ReadConfiguration", "DecryptThroughService", "ReadOwnSecrets"),
        *("SendTraces", "WriteMetrics", "TakeCommands"),
    }
)
"""Statements of the tasks' role for gatestack's own resources; others are for the application's calls."""
Row = tuple[str, ...]
HEAD: Row = ("role", "statement", "effect", "actions", "resources", "condition")


def rights(manifest: Manifest) -> tuple[Row, ...]:
    """Return a row, as `HEAD` names its cells, for each statement and managed policy that the file adds."""
    return tuple(_rows(manifest))


def _rows(manifest: Manifest) -> Iterator[Row]:
    for stack in manifest.stacks:
        for name, resource in json.loads(stack.template)["Resources"].items():
            role, properties = f"{stack.name}/{name}", resource.get("Properties", {})
            if properties.get("PolicyName") == OWN_POLICY_NAME:
                yield from (_row(role, one) for one in properties["PolicyDocument"]["Statement"])
            if resource["Type"] != "AWS::IAM::Role":
                continue
            for policy in properties.get("Policies", ()):
                said = policy["PolicyName"] == POLICY_NAME
                for one in policy["PolicyDocument"]["Statement"]:
                    if said or (
                        name == _TASKS and policy["PolicyName"] == _TASKS and one["Sid"] not in _ALWAYS
                    ):
                        yield _row(role, one)
            # Those that gatestack attaches by itself are for every partition, not plain text.
            for arn in properties.get("ManagedPolicyArns", ()):
                if isinstance(arn, str):
                    yield (role, "managed policy", "", arn, "", "")


def _row(role: str, one: Mapping[str, Any]) -> Row:
    when = json.dumps(_plain(one["Condition"]), sort_keys=True) if "Condition" in one else ""
    resources = ", ".join(_plain(one["Resource"]))
    return (role, one["Sid"], one["Effect"], ", ".join(one["Action"]), resources, when)


def _plain(value: Any) -> Any:
    """Return *value* with the text that CloudFormation inserts."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        filled, imported = value.get("Fn::Sub"), value.get("Fn::ImportValue")
        if isinstance(imported, str):
            return f"${{{imported}}}"
        if isinstance(filled, list):
            return _put_in(*filled)
        return filled if isinstance(filled, str) else {key: _plain(one) for key, one in value.items()}
    return value


def _put_in(text: str, beside: Mapping[str, Any]) -> str:
    for name, one in beside.items():
        text = text.replace(f"${{{name}}}", str(_plain(one)))
    return text.replace("${!", "${")
