"""Consistency of the entries of `extend`, without reading a template. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from stacks import STACKS
from stacks.checking.problems import Finding
from stacks.sections.extend import Patch
from stacks.settings import Settings
from stacks.systems import application

RESERVED = ("bootstrap", "manifest")
"""Names used by gatestack itself: the account's stack, the index of a built folder."""
MOST_NAME = 40
"""Characters of a short name; the stack's own has 128 at most."""
_OUTPUT = r"(?P<stack>[a-z0-9-]+)\.(?P<output>[A-Za-z0-9]{1,255})"


def extend_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the entries of `extend`, and with what asks for their outputs."""
    yield from _stacks(settings)
    for number, one in enumerate(settings.extend.patches):
        yield from (
            Finding("extend.patches", text, below=(number, key)) for key, text in _patch(one, settings)
        )
    yield from _variables(settings)
    yield from _resources(settings)


def _stacks(settings: Settings) -> Iterator[Finding]:
    seen: dict[str, str] = dict.fromkeys((*STACKS, *RESERVED), "gatestack's own")
    for number, one in enumerate(settings.extend.stacks):
        below = (number, "name")
        if one.name in seen:
            yield Finding(
                "extend.stacks", f"{one.name} is {seen[one.name]}; choose another name", below=below
            )
        elif len(one.name) > MOST_NAME:
            yield Finding("extend.stacks", f"{len(one.name)} characters; {MOST_NAME} at most", below=below)
        seen.setdefault(one.name, "the name of a stack above")


def _patch(one: Patch, settings: Settings) -> Iterator[tuple[str, str]]:
    if one.stack in {own.name for own in settings.extend.stacks}:
        yield "stack", f"{one.stack} is a stack of your own: change its template"
    elif one.stack not in STACKS:
        yield "stack", f"no stack {one.stack}; a patch is for {', '.join(STACKS)}"
    said = (one.set is not None) + (one.append is not None) + one.remove
    if said != 1:
        yield "path", "a patch has exactly one of set: VALUE, append: VALUE and remove: true"


def _variables(settings: Settings) -> Iterator[Finding]:
    key, known = "service.environment_from", application(settings.system)
    own = {one.name for one in settings.extend.stacks}
    for name, said in settings.service.environment_from.items():
        found = re.fullmatch(_OUTPUT, said)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            message = "a variable's name has letters, digits and _, and begins with no digit"
        elif name in known.reserved:
            message = "gatestack sets this variable itself; remove it"
        elif name in settings.service.environment:
            message = "service.environment has this variable too; keep one of them"
        elif not found:
            message = "expected an output of a stack of your own, like extras.BucketName"
        elif found["stack"] not in own:
            message = _no_stack(found["stack"], own)
        else:
            continue
        yield Finding(key, message, ("extend.stacks", "service.environment"), below=(name,))


def _resources(settings: Settings) -> Iterator[Finding]:
    own = {one.name for one in settings.extend.stacks}
    for number, one in enumerate(settings.service.task_policy):
        for index, said in one.own_outputs:
            stack = said.partition(".")[0]
            if stack not in own:
                below = (number, "resources", index)
                yield Finding("service.task_policy", _no_stack(stack, own), ("extend.stacks",), below)


def _no_stack(name: str, own: Collection[str]) -> str:
    return f"extend.stacks has no {name}; it has {', '.join(sorted(own)) or 'none'}"
