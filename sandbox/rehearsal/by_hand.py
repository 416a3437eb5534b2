"""Changes a resource outside CloudFormation, as a user of the console would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.actual import comparable, live
from sandbox.cloudformation.differences import Difference, differences
from sandbox.cloudformation.records import Resource, Stack
from sandbox.provisioning import Gone, ProvisionError

Json = Any
_APPEND = "-"
"""The index behind a list's last (RFC 6901)."""


def change(account: Account, stack: Stack, logical_id: str, path: str, value: str) -> list[dict[str, str]]:
    """
    Set the property at *path*, like ``/RetentionInDays``, of a resource to *value*; return its differences.

    *path* has a list's index, or the ``Key`` of an item, or ``-`` for a new one; *value* is JSON, or text if
    the present value is text.

    Raises:
        ValueError: there is no such resource or property, drift detection does not see it, or the service
            refuses the value.

    """
    resource = stack.resources.get(logical_id)
    if resource is None or resource.request is None or resource.made is None:
        raise ValueError(f"stack {stack.name} has no resource {logical_id}")
    found = _seen(account, stack, resource)
    top, *rest = (part.replace("~1", "/").replace("~0", "~") for part in path.strip("/").split("/"))
    if top not in found:
        what = f"drift detection sees of {logical_id} ({resource.spec.type})"
        seen = ", ".join(sorted(found))
        raise ValueError(f"{path} is not what {what}: " + (seen or "it sees nothing of it"))
    if top in account.schemas.create_only(resource.spec.type):
        raise ValueError(f"{top} of {logical_id} cannot be changed: the resource would have to be replaced")
    before = {**resource.request.properties, **found}
    wanted = replace(resource.request, properties={**before, top: _set(found[top], rest, value, path)})
    try:
        account.provisioner.update(wanted, before, resource.made)
    except ProvisionError as error:
        raise ValueError(str(error)) from error
    drifted = _drifted(account, stack, resource, top)
    if not drifted:
        raise ValueError(f"{path} of {logical_id} is that already: there is no drift")
    return [one.answer() for one in drifted]


def _seen(account: Account, stack: Stack, resource: Resource) -> dict[str, Json]:
    """Return the live values that drift detection compares."""
    try:
        actual = live(account, stack, resource) or {}
    except (Gone, ProvisionError) as error:
        raise ValueError(f"{resource.spec.logical_id} is not there any more") from error
    return {name: actual[name] for name in comparable(resource) if name in actual}


def _drifted(account: Account, stack: Stack, resource: Resource, name: str) -> list[Difference]:
    found = differences(comparable(resource), _seen(account, stack, resource))
    return [one for one in found if one.name == name]


def _set(there: Json, path: list[str], value: str, whole: str) -> Json:
    """Return *there* with *value* at *path*; raises ValueError."""
    if not path:
        return _like(there, value)
    name, rest = path[0], path[1:]
    if isinstance(there, list):
        return _set_in_list(there, path, value, whole)
    if isinstance(there, Mapping):
        if name not in there:
            raise ValueError(f"{whole}: there is no {name}, but {', '.join(sorted(there))}")
        return {**there, name: _set(there[name], rest, value, whole)}
    raise ValueError(f"{whole}: nothing is below {there!r}")


def _set_in_list(there: list[Json], path: list[str], value: str, whole: str) -> list[Json]:
    name, rest = path[0], path[1:]
    if name == _APPEND and not rest:
        return [*there, _like(None, value)]
    keys = [str(one["Key"]) for one in there if isinstance(one, Mapping) and "Key" in one]
    if name in keys:
        at, rest = keys.index(name), rest or ["Value"]
    elif name.isdigit() and int(name) < len(there):
        at = int(name)
    else:
        known = [*(keys or map(str, range(len(there)))), _APPEND]
        raise ValueError(f"{whole}: there is no {name}, but {', '.join(known)}")
    return [*there[:at], _set(there[at], rest, value, whole), *there[at + 1 :]]


def _like(there: Json, value: str) -> Json:
    """Return *value* as JSON; as text if the present value is text, or if it is no JSON."""
    if isinstance(there, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
