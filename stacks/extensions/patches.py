"""Applies one patch to one finished template, after checking it. Pure: a template in, another out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from stacks.checking.problems import printable
from stacks.extensions import ExtensionError, Patch
from stacks.extensions.guards import weakened
from stacks.near import near

PARTS = (
    "Properties",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "DependsOn",
    "Metadata",
    "CreationPolicy",
    "UpdatePolicy",
)
"""Parts of a resource that a patch may change; another Type or Condition makes it another resource."""
_STEP = r"\.?(?P<key>[A-Za-z0-9_:/-]+)|\[(?P<index>\d{1,4})\]|\[(?P<name>[^=\[\]]+)=(?P<value>[^\[\]]*)\]"
_NAMING = r"(.*Name|.*Identifier|.*Id|Family)$"

Step = str | int | tuple[str, str]
"""A key, an index of a list, or key and value of the one entry that is meant."""


def applied(template: Mapping[str, Any], patch: Patch, prefix: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """
    Return *template* with *patch*, and the data protection that it removes (none without its consent).

    *prefix*: what the environment's names begin with.

    Raises:
        ExtensionError: it matches nothing or twice, changes nothing, or removes what must stay.

    """
    resources = template["Resources"]
    if patch.resource not in resources:
        raise ExtensionError(f"no such resource{_near(patch.resource, resources)}")
    if patch.resource in _looked_up(template):
        raise ExtensionError("gatestack looks this resource up at each deployment; it cannot be patched")
    before = resources[patch.resource]
    after = _patched(before, patch, _steps(patch.path))
    _check_wiring(before, after, template)
    _check_name(before, after, prefix)
    risks = tuple(weakened(before, after))
    if risks and not patch.accept_risk:
        what = f"takes away what guards data ({', '.join(risks)})"
        raise ExtensionError(f"{what}; if that is meant, write accept_risk: true beside it")
    return {**template, "Resources": {**resources, patch.resource: after}}, risks


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    meant = near(name, names)
    return f"; did you mean {meant}?" if meant else f"; there are {', '.join(names)}"


def _steps(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    step, end = re.compile(_STEP), 0
    while end < len(path):
        found = step.match(path, end)
        if (
            not found
            or (end == 0 and not found["key"])
            or (found[0].startswith(".") == (end == 0) and found["key"])
        ):
            rest = printable(path[end:])
            raise ExtensionError(
                f"{rest!r} is no path: write names with dots, [0] or [Key=value] behind them"
            )
        steps.append(
            found["key"] or (int(found["index"]) if found["index"] else (found["name"], found["value"]))
        )
        end = found.end()
    if steps[0] not in PARTS:
        raise ExtensionError(f"a path begins with {', '.join(PARTS)}")
    return tuple(steps)


def _patched(resource: Mapping[str, Any], patch: Patch, steps: tuple[Step, ...]) -> dict[str, Any]:
    after = deepcopy(dict(resource))
    holder: Any = after
    for number, step in enumerate(steps[:-1]):
        holder = holder[_place(holder, step, steps[:number])]
    last, above = steps[-1], steps[:-1]
    if patch.verb == "set" and isinstance(last, str) and isinstance(holder, dict) and last not in holder:
        holder[last] = deepcopy(patch.value)
        return after
    place = _place(holder, last, above)
    if patch.verb == "remove":
        del holder[place]
    elif patch.verb == "set":
        if _same(holder[place], patch.value):
            raise ExtensionError("that is what is there already: take the patch out")
        holder[place] = deepcopy(patch.value)
    else:
        _append(holder[place], patch.value)
    return after


def _append(there: Any, value: Any) -> None:
    if not isinstance(there, list):
        raise ExtensionError("there is no list to append to; use set")
    if any(_same(one, value) for one in there):
        raise ExtensionError("the list has that already: take the patch out")
    there.append(deepcopy(value))


def _place(holder: Any, step: Step, above: tuple[Step, ...]) -> Any:
    """Return the key or index that *step* means in *holder*."""
    where = spelled(above) or "the resource"
    if isinstance(step, str):
        if not isinstance(holder, dict) or step not in holder:
            known = f" has {', '.join(sorted(holder))}" if isinstance(holder, dict) else " has no keys"
            raise ExtensionError(f"there is no {step}: {where}{known}")
        return step
    if not isinstance(holder, list):
        raise ExtensionError(f"{where} is no list")
    if isinstance(step, int):
        if step >= len(holder):
            raise ExtensionError(f"{where} has {len(holder)} entries, the first is [0]")
        return step
    key, value = step
    found = [
        place for place, one in enumerate(holder) if isinstance(one, dict) and _text(one.get(key)) == value
    ]
    if len(found) != 1:
        many = "no entry" if not found else f"{len(found)} entries"
        raise ExtensionError(f"[{key}={value}] picks {many} of {where}")
    return found[0]


def spelled(steps: Iterable[Step]) -> str:
    """Return *steps* as people write them."""
    parts = []
    for step in steps:
        picked = f"[{step[0]}={step[1]}]" if isinstance(step, tuple) else f"[{step}]"
        parts.append(f".{step}" if isinstance(step, str) else picked)
    return "".join(parts).removeprefix(".")


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _same(one: Any, other: Any) -> bool:
    """Whether CloudFormation treats both as equal: it reads 5 and "5" alike."""
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return bool(one == other)
    return _text(one) == _text(other)


def _looked_up(template: Mapping[str, Any]) -> frozenset[str]:
    """Return the logical ids that the deployer's look-ups use."""
    lookups = template.get("Metadata", {}).get("gatestack", {}).get("lookups", ())
    groups = (one["facts"] for one in lookups if one["rule"] == "live-group")
    return frozenset(facts[key] for facts in groups for key in ("listener_rule", "group", "other"))


def _check_wiring(before: Any, after: Any, template: Mapping[str, Any]) -> None:
    if sorted(_arguments(before, "Fn::ImportValue")) != sorted(_arguments(after, "Fn::ImportValue")):
        raise ExtensionError("imports give the stacks their order; a patch neither adds nor takes one")
    lookups = template.get("Metadata", {}).get("gatestack", {}).get("lookups", ())
    needed = {one["parameter"] for one in lookups}
    lost = needed & (set(_arguments(before, "Ref")) - set(_arguments(after, "Ref")))
    if lost:
        raise ExtensionError(
            f"gatestack looks {', '.join(sorted(lost))} up at each deployment; it has to stay"
        )


def _check_name(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> None:
    new = after.get("Properties", {})
    for key, value in before.get("Properties", {}).items():
        own = isinstance(value, str) and prefix in value and re.match(_NAMING, key)
        if own and new.get(key) != value:
            raise ExtensionError(f"gatestack finds the resource by its {key}, {value}; it has to stay")


def _arguments(node: Any, function: str) -> Iterator[str]:
    if isinstance(node, dict) and function in node:
        yield str(node[function])
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for one in inner:
        yield from _arguments(one, function)
