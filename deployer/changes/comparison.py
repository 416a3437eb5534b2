"""
Compares a change set with the request: everything that it was created from. Pure.

A change set is found by its name, by an id in a plan file, or from a response. None of these says what it
contains, and anyone who may create change sets could have created it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from deployer.states import ChangeSetInputs, ChangeSetRequest, ChangeSetState

HIDDEN = "****"
"""How DescribeChangeSet shows the value of a NoEcho parameter."""


def differences(
    request: ChangeSetRequest, template: str, found: ChangeSetState, *, holds_template: bool | None
) -> tuple[str, ...]:
    """
    Return, in words, how *found* differs from what *request* asks for; nothing where it is the same.

    *template* is the wanted template's text, whose defaults count; *holds_template* whether *found* was made
    from it. What an emulated endpoint does not return (None) is no difference.
    """
    inputs = found.inputs
    if inputs is None:
        return ("it was not read",)
    return (
        *_place(request, found),
        *(("the template",) if holds_template is False else ()),
        *_parameters(request, template, inputs),
        *_tags(request, inputs),
        *_settings(request, inputs),
        *_kind(request, found),
    )


def same_template(one: str, other: str) -> bool:
    """Whether two templates are equal, apart from formatting."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _place(request: ChangeSetRequest, found: ChangeSetState) -> Iterator[str]:
    name = found.stack_id.split("/")[1] if "/" in found.stack_id else found.stack_id
    if request.stack not in {found.stack_id, name}:
        yield f"the stack is {name}"


def _parameters(request: ChangeSetRequest, template: str, inputs: ChangeSetInputs) -> Iterator[str]:
    if inputs.parameters is None:
        return
    defaults = {
        name: _as_text(parameter["Default"])
        for name, parameter in json.loads(template).get("Parameters", {}).items()
        if "Default" in parameter
    }
    wanted = {**defaults, **request.parameters}
    shown = {name: value for name, value in inputs.parameters.items() if value != HIDDEN}
    missing = request.parameters.keys() - inputs.parameters.keys()
    other = {name for name, value in shown.items() if wanted.get(name) != value}
    if different := sorted(missing | other):
        yield f"the value of {', '.join(different)}"


def _as_text(default: object) -> str:
    return ",".join(map(str, default)) if isinstance(default, list) else str(default)


def _tags(request: ChangeSetRequest, inputs: ChangeSetInputs) -> Iterator[str]:
    if inputs.tags is not None:
        yield from _named("tag", _differing(request.tags, inputs.tags))


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _settings(request: ChangeSetRequest, inputs: ChangeSetInputs) -> Iterator[str]:
    if inputs.capabilities is not None:
        yield from _named("capability", set(inputs.capabilities) ^ set(request.capabilities))
    if inputs.rollback_alarms is not None:
        wanted = (set(request.rollback_alarms), request.rollback_minutes)
        if (set(inputs.rollback_alarms), inputs.rollback_minutes) != wanted:
            yield "the alarms that roll it back"
    yield from _named("notification topic", inputs.notifications)
    if inputs.on_failure:
        yield f"OnStackFailure is {inputs.on_failure}"
    if inputs.express and not request.express:
        yield "it is in express mode"
    if inputs.rollback_off:
        yield "rollback is disabled in it"
    if inputs.nested:
        yield "it includes nested stacks"


def _kind(request: ChangeSetRequest, found: ChangeSetState) -> Iterator[str]:
    if found.reverts_drift and not request.revert_drift:
        yield "it reverts drift"
    asked = {one.logical_id: one.physical_id for one in request.imports}
    imported = [one for one in found.changes if one.action == "Import"]
    other = {one.logical_id for one in imported if one.physical_id not in {"", asked.get(one.logical_id)}}
    yield from _named(
        "import of", other | {one.logical_id for one in imported if one.logical_id not in asked}
    )


def _named(what: str, names: Collection[str]) -> Iterator[str]:
    if names:
        yield f"{what} {', '.join(sorted(names))}"
