"""The policies that a template makes, as they are in this account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.access.policies import Document
from stacks.wiring import Stack

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"

Names = Callable[[str], str]
"""A template's name of something (``Title``, ``Title.Attribute``, an export) -> its value."""

ARTIFACTS = "gatestack-bootstrap-artifactsbucket-abcdefghijkl"
KNOWN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}


def resolved(value: Any, names: Names = KNOWN.__getitem__) -> Any:  # noqa: PLR0911 - one for each function
    """Return a template's *value* with the names resolved in this account."""
    match value:
        case list():
            return [resolved(one, names) for one in value]
        case {"Fn::Sub": str(text)}:
            return _filled(text, {}, names)
        case {"Fn::Sub": [str(text), dict(more)]}:
            return _filled(text, {key: resolved(one, names) for key, one in more.items()}, names)
        case {"Ref": str(name)} | {"Fn::ImportValue": str(name)}:
            return _named(name, names)
        case {"Fn::GetAtt": [str(title), str(attribute)]}:
            return _named(f"{title}.{attribute}", names)
        case dict():
            return {key: resolved(one, names) for key, one in value.items()}
    return value


def _filled(text: str, more: Mapping[str, str], names: Names) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: more.get(found[1]) or _named(found[1], names), text)


def _named(name: str, names: Names) -> str:
    return KNOWN.get(name) or names(name)


def documents_of(stack: Stack, role: str) -> list[Document]:
    """Return the policies of *role* in the account's stack."""
    template = stack.template.to_dict()["Resources"]
    names = {"ArtifactsBucket.Arn": f"arn:aws:s3:::{ARTIFACTS}"}.__getitem__
    properties = template[role]["Properties"]
    attached = [template[arn["Ref"]]["Properties"] for arn in properties["ManagedPolicyArns"]]
    own = properties.get("Policies", [])
    return [resolved(one["PolicyDocument"], names) for one in (*attached, *own)]


def boundary_of(stack: Stack) -> Document:
    """Return the boundary."""
    found: Document = resolved(
        stack.template.to_dict()["Resources"]["Boundary"]["Properties"]["PolicyDocument"]
    )
    return found
