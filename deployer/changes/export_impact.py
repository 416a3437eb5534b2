"""
The effect of a deployment on exports in use, and what blocks it. Pure.

AWS refuses to change or remove an imported export, but only at the end of the producer's update. This finds
it earlier: removed exports from the live stack's outputs, changed ones from the change set (replaced
resources) and from the expressions. (AWS docs, CloudFormation, "Get exported outputs".)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from deployer.changes.rewiring import exported, uses, written_out
from deployer.graph import wiring
from deployer.states import Change, StackState
from generator.manifest import Manifest, StackSpec

FLAG = "--migrate-exports"
SHOWN = 2
"""Exports named with their reasons; of more, one is named, and their number."""


@dataclass(frozen=True)
class Side:
    """One existing stack, and its wanted state."""

    spec: StackSpec
    stack: StackState
    changes: tuple[Change, ...] = ()
    """What its prepared change set does."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The change set's parameters."""
    updates: bool = True
    """Whether it is going to be updated at all."""
    ours: bool = True
    """Whether gatestack made the stack."""

    @property
    def values(self) -> Mapping[str, str]:
        """The live exports."""
        return {output.export: output.value for output in self.stack.outputs if output.export}


@dataclass(frozen=True)
class Suspect:
    """An export that a deployment would remove or change, or may."""

    export: str
    producer: str
    """Short name."""
    kind: Literal["removed", "changed"]
    why: str


@dataclass(frozen=True)
class Impact:
    """What a deployment does to exports in use."""

    wanted: Manifest
    """The stacks that are deployed."""
    sides: Mapping[str, Side]
    """Those of them that exist, by short name."""
    suspects: tuple[Suspect, ...]
    importers: Mapping[str, tuple[str, ...]]
    """Export -> CloudFormation's names of the stacks that import it now."""
    going: frozenset[str] = frozenset()
    """CloudFormation's names of the stacks that the deployment deletes."""

    def used(self) -> tuple[tuple[Suspect, str], ...]:
        """Return the suspects that are in use, with each stack that imports them."""
        return tuple((one, name) for one in self.suspects for name in self.importers.get(one.export, ()))

    def leaving(self) -> frozenset[str]:
        """Return the stacks that are to be deleted and still import something."""
        return frozenset(name for _, name in self.used() if name in self.going)

    def imports(self) -> tuple[tuple[Suspect, str, bool], ...]:
        """Return each import of ours: the suspect, the consumer, whether its new template imports it too."""
        names = {side.stack.name: name for name, side in self.sides.items()}
        return tuple(
            (one, names[importer], one.export in wiring(self.sides[names[importer]].spec).imports)
            for one, importer in self.used()
            if importer in names
        )

    def pins(self) -> Mapping[str, tuple[Suspect, ...]]:
        """Return which consumers are pinned to which values: those that still import a changing export."""
        found: dict[str, tuple[Suspect, ...]] = {}
        for one, consumer, stays in self.imports():
            late = one.kind == "changed" and consumer in self.waiting({one.producer})
            if stays or late:
                found[consumer] = (*found.get(consumer, ()), one)
        return found

    def waiting(self, producers: Collection[str]) -> frozenset[str]:
        """Return *producers* and every stack that needs an export of theirs that does not exist yet."""
        wired = [wiring(spec) for spec in self.wanted.stacks]
        live = {name for side in self.sides.values() for name in side.values}
        waiting = set(producers)
        for _ in wired:
            new = {name for one in wired if one.name in waiting for name in one.exports - live}
            waiting |= {one.name for one in wired if one.imports & new}
        return frozenset(waiting)


@dataclass(frozen=True)
class Refusal:
    """Why an update must not begin."""

    producer: str
    reason: str
    allow: str = ""
    """The option that allows it; empty if none does."""


def suspects(side: Side, live_template: str | None, region: Mapping[str, str]) -> tuple[Suspect, ...]:
    """
    Return the exports of *side* that its update would remove or change, or may.

    *live_template*: None if unknown; then only the change set counts. *region*: the current values of
    exports.
    """
    if not side.updates or not side.values:
        return ()
    wanted, before = exported(side.spec.template), _exported(live_template)
    found = []
    for name, value in sorted(side.values.items()):
        if name not in wanted:
            found.append(Suspect(name, side.spec.name, "removed", "the new template no longer has it"))
        elif why := _why(side, value, *(written_out(each.get(name), region) for each in (wanted, before))):
            found.append(Suspect(name, side.spec.name, "changed", why))
    return tuple(found)


def _exported(template: str | None) -> Mapping[str, Mapping[str, Any]]:
    try:
        return exported(template) if template else {}
    except ValueError:
        return {}


def _why(side: Side, value: str, wanted: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Say why an export may get another value; empty where it keeps its own."""
    expression = wanted["Value"]
    if isinstance(expression, str) and "Condition" not in wanted:
        return "" if expression == value else "its value changes"
    changes = {change.logical_id: change for change in side.changes}
    for use in uses(expression):
        change = changes.get(use.name)
        if change is not None and (what := _affected(change, use.attribute)):
            return what
        old, new = side.stack.parameters.get(use.name), side.parameters.get(use.name)
        if None not in {old, new} and old != new:
            return f"its parameter {use.name} changes"
    same = before is None or all(before.get(key) == wanted.get(key) for key in ("Value", "Condition"))
    return "" if same else "it is made from something else"


def _affected(change: Change, attribute: str) -> str:
    what = f"{change.logical_id} ({change.type})"
    if change.replacement == "True":
        return f"{what} is replaced"
    if change.replacement == "Conditional":
        return f"{what} may be replaced"
    if change.action == "Add":
        return f"it refers to {what}, which is new"
    names = {detail.name.rsplit("/", 1)[-1] for detail in change.details}
    return f"{attribute} of {what} changes" if attribute and attribute.rsplit(".", 1)[-1] in names else ""


def refusals(impact: Impact, known: Collection[StackSpec], *, migrate: bool) -> tuple[Refusal, ...]:
    """
    Return what stops the deployment: imports by stacks that are not part of it, or a missing consent.

    *known*: all stacks of the environment, also those that are not deployed now.
    """
    names = {spec.stack_name: spec.name for spec in known}
    ours = {side.stack.name for side in impact.sides.values() if side.ours}
    found: dict[tuple[str, str], list[Suspect]] = {}
    for one, importer in impact.used():
        if importer not in ours | impact.going:
            found.setdefault((one.producer, importer), []).append(one)
    stopped = [_by_others(who, importer, each, names) for (who, importer), each in found.items()]
    pins = impact.pins()
    producers = dict.fromkeys(one.producer for held in pins.values() for one in held)
    if not stopped and not migrate:
        stopped = [_without_consent(producer, pins) for producer in producers]
    return tuple(stopped)


def in_use(impact: Impact) -> str:
    """Return as text what happens to exports in use, and whose they are; empty if nothing does."""
    each = tuple(dict.fromkeys(one for one, _ in impact.used()))
    importers = sorted({name for _, name in impact.used()})
    return f"{_what(each)}, in use by {', '.join(importers)}" if each else ""


def _by_others(producer: str, importer: str, each: list[Suspect], names: Mapping[str, str]) -> Refusal:
    if importer in names:
        fix = f"deploy {names[importer]} in the same run (is it left out by --only?)"
    else:
        fix = f"change {importer} first so that it no longer imports it, or leave the export as it is"
    return Refusal(producer, f"it would {_what(each)}, which {importer} imports and AWS refuses: {fix}")


def _what(each: Collection[Suspect]) -> str:
    verbs = {"removed": "remove", "changed": "change"}
    parts = [f"{verbs[one.kind]} the export {one.export} ({one.why})" for one in each]
    if len(parts) <= SHOWN:
        return ", ".join(parts)
    return f"{parts[0]} and {len(parts) - 1} more"


def _without_consent(producer: str, pins: Mapping[str, tuple[Suspect, ...]]) -> Refusal:
    own = {name: [one for one in held if one.producer == producer] for name, held in pins.items()}
    consumers = ", ".join(sorted(name for name, held in own.items() if held))
    each = dict.fromkeys(one for held in own.values() for one in held)
    text = (
        f"it would {_what(each)}, in use by {consumers}, which AWS refuses; {FLAG} does it in steps: "
        "expect an interruption until the last one"
    )
    return Refusal(producer, text, FLAG)
