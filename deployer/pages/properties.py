"""A changed property on the plan page: effect, cause, values, and the difference between them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.facts.summary import PropertyFact
from deployer.pages.values import Value, value

EFFECTS: Mapping[str, str] = {
    "Always": "replaces the resource",
    "Conditionally": "may replace the resource",
    "Never": "in place",
}
"""ResourceTargetDefinition.RequiresRecreation -> its words."""


@dataclass(frozen=True)
class PartView:
    """A part of a property that differs."""

    path: str
    value: Value


@dataclass(frozen=True)
class PropertyView:
    """One property of a changed resource."""

    name: str
    effect: str
    drastic: bool
    """Whether it takes, or may take, the resource away."""
    value: Value
    cause: str
    parts: tuple[PartView, ...] = ()
    """What in the value differs, by name; empty where that is the value itself."""


def property_view(fact: PropertyFact) -> PropertyView:
    """Return how *fact* is shown."""
    drastic = fact.recreation in {"Always", "Conditionally"}
    effect = EFFECTS.get(fact.recreation, "")
    if not drastic and effect and fact.effect.level != "unknown":
        effect = f"{effect}: {fact.effect.words}"
    inside = [one for one in fact.differences if one.path != fact.name]
    parts = tuple(PartView(one.path, value(one.before, one.after)) for one in inside)
    return PropertyView(fact.name, effect, drastic, value(fact.before, fact.after), fact.cause, parts)
