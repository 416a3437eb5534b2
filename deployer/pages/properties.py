"""What a change says about each property: a row with its effect, its cause and its values. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from deployer.pages.values import Value, value
from deployer.states import PropertyChange

EFFECTS: Mapping[str, tuple[int, str]] = {
    "Always": (0, "replaces the resource"),
    "Conditionally": (1, "may replace the resource"),
    "Never": (2, "in place"),
}
"""ResourceTargetDefinition.RequiresRecreation -> its place in the order, its words."""


@dataclass(frozen=True)
class PropertyView:
    """One property of a changed resource."""

    name: str
    effect: str
    drastic: bool
    """Whether it takes, or may take, the resource away."""
    value: Value
    cause: str


def property_views(details: Collection[PropertyChange]) -> tuple[PropertyView, ...]:
    """
    Return a row a property, the values CloudFormation tells with the effect it tells.

    It names a property (``Tags``) and, where it knows values, what is in it (``/Properties/Tags/0/Value``)
    again: the first is left out then, and what it says of the effect and the cause goes to the second.
    """
    by_name: dict[str, list[PropertyChange]] = {}
    for one in details:
        by_name.setdefault(_name(one), []).append(one)
    told = {name for name, those in by_name.items() if any(map(_has_value, those))}
    rows = []
    for name, those in by_name.items():
        if name not in told and any(_within(other, name) for other in told):
            continue
        above = [one for other in by_name.keys() - told if _within(name, other) for one in by_name[other]]
        rows.append(_property(name, next(filter(_has_value, those), those[0]), [*those, *above]))
    return tuple(rows)


def _has_value(detail: PropertyChange) -> bool:
    return detail.before is not None or detail.after is not None


def _within(name: str, other: str) -> bool:
    return name.startswith((f"{other}.", f"{other}["))


def _property(name: str, shown: PropertyChange, same: Collection[PropertyChange]) -> PropertyView:
    """Return one row; *same*: everything that CloudFormation says about this property."""
    effects = (EFFECTS[one.recreation] for one in same if one.recreation in EFFECTS)
    place, effect = min(effects, default=(9, ""))
    cause = next((one.cause for one in (shown, *same) if one.cause), "")
    return PropertyView(name, effect, place < 2, value(shown.before, shown.after), cause)


def _name(detail: PropertyChange) -> str:
    """Return ``Tags[0].Value`` for ``/Properties/Tags/0/Value``."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in detail.name.split("/") if part]
    if detail.name.startswith("/") and parts[:1] == ["Properties"]:
        parts = parts[1:]
    elif detail.attribute not in {"", "Properties"} and parts[:1] != [detail.attribute]:
        parts = [detail.attribute, *parts]
    joined = ".".join(parts or [detail.attribute])
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", joined)
