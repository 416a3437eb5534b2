"""
A template as it is deployed, for rules about deployed resources: imports and parameters have values. Pure.

AWS Control Tower runs its proactive controls as CloudFormation hooks, on properties whose functions are
resolved (CloudFormation Hooks User Guide, "How hooks work"). A scanner only has templates: there a rule
understands a reference to a resource of the same template, and sees no value in an import, a pseudo parameter
or a Fn::Sub. What is not resolved here stays as it is, so that a rule finds too much, never too little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PSEUDO: Mapping[str, str] = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
"""An account and a region; no rule asks which."""
_NAMED = re.compile(r"\$\{([^!}][^}]*)\}")
"""A name in Fn::Sub; ``${!Literal}`` is text."""


def deployed(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return *template* with the values in its resources' properties that do not depend on its resources."""
    resources = {
        name: {**entry, "Properties": _resolved(template, entry.get("Properties", {}))}
        for name, entry in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def _resolved(template: Mapping[str, Any], node: Any) -> Any:
    if isinstance(node, list):
        return [_resolved(template, one) for one in node]
    if not isinstance(node, dict):
        return node
    value = _value(template, node)
    return {key: _resolved(template, one) for key, one in node.items()} if value is None else value


def _value(template: Mapping[str, Any], node: Mapping[str, Any]) -> str | None:
    """Return the text that *node*, one of CloudFormation's functions, has for certain; else None."""
    match dict(node):
        case {"Fn::ImportValue": str(name)}:
            return name
        case {"Ref": str(name)}:
            return PSEUDO.get(name) or template.get("Parameters", {}).get(name, {}).get("Default")
        case {"Fn::GetAtt": [name, "Arn"]} if template["Resources"][name]["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name.lower()}"
        case {"Fn::Sub": [str(text), dict(values)]}:
            return _put(template, text, values)
        case {"Fn::Sub": str(text)}:
            return _put(template, text, {})
    return None


def _put(template: Mapping[str, Any], text: str, values: Mapping[str, Any]) -> str:
    """Return *text* with its values put in; what has none before a resource is made is called by its name."""

    def put(found: re.Match[str]) -> str:
        name = found[1]
        pointer = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        value = _resolved(template, values.get(name, pointer))
        return value if isinstance(value, str) else name

    return _NAMED.sub(put, text)
