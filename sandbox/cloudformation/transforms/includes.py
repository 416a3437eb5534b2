"""
AWS::Include: inserts a snippet from S3 into the template.

CloudFormation Template Reference, "AWS::Include transform": anywhere by Fn::Transform, or at the top level; a
snippet is JSON, or YAML without short functions, and does not include others. Where template and snippet have
the same key nothing is documented: here the template's value wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import yaml

from sandbox.cloudformation.requests import Fetch
from sandbox.cloudformation.transforms.failure import failed
from sandbox.errors import ApiError

Json = Any
Resolve = Callable[[Json], Json]
INCLUDE = "AWS::Include"
_LOCATION = re.compile(r"s3://(?P<bucket>[a-z0-9.-]+)/(?P<key>.+)")


def embedded(node: Json, fetch: Fetch, resolve: Resolve, refuse: Callable[[str], None]) -> Json:
    """Return *node* with Fn::Transform applied, inner ones first; *refuse* raises for other macros."""
    if isinstance(node, list):
        return [embedded(each, fetch, resolve, refuse) for each in node]
    if not isinstance(node, dict):
        return node
    around = {key: embedded(inner, fetch, resolve, refuse) for key, inner in node.items()}
    if "Fn::Transform" not in around:
        return around
    macro = around.pop("Fn::Transform")
    if not isinstance(macro, dict) or "Name" not in macro:
        raise failed(INCLUDE, "Fn::Transform requires a Name.")
    if macro["Name"] != INCLUDE:
        refuse(str(macro["Name"]))
    return merged(around, snippet(macro, fetch, resolve))


def merged(around: Mapping[str, Json], content: Json) -> Json:
    """Return the template's *around* merged with a snippet's *content*."""
    if not around:
        return content
    if not isinstance(content, dict):
        raise failed(INCLUDE, "The specified S3 object's content should be key-value pairs")
    return {**content, **around}


def snippet(macro: Mapping[str, Json], fetch: Fetch, resolve: Resolve) -> Json:
    """Return the content of the snippet that *macro* names; raises TransformFailure."""
    given = macro.get("Parameters")
    location = resolve(given.get("Location")) if isinstance(given, dict) else None
    found = _LOCATION.fullmatch(location) if isinstance(location, str) else None
    if found is None:
        raise failed(INCLUDE, "The location parameter is not a valid S3 uri.")
    try:
        text = fetch(f"https://{found['bucket']}.s3.amazonaws.com/{quote(found['key'])}")
    except ApiError as error:
        raise failed(INCLUDE, error.message) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise failed(INCLUDE, "The specified S3 object's content should be valid Yaml/JSON") from error
