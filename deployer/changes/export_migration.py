"""
Splits a deployment that changes or removes exports in use into phases. Pure.

Removed exports: consumers first, then the producer (AWS refuses the reverse order). Changed exports:
consumers use the literal value, the producer is updated, consumers import again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from deployer.changes.export_impact import Impact, Side, Suspect
from deployer.changes.rewiring import expanded, pinned
from deployer.graph import wiring
from generator.manifest import Manifest, StackSpec


@dataclass(frozen=True)
class Phase:
    """One pass of a deployment."""

    manifest: Manifest
    reason: str
    pins: bool = False
    """Whether it only writes out imports: no value changes."""
    leftovers: bool = False
    """Whether it is about the stacks that the environment no longer has, instead of the manifest's."""


def needs_templates(impact: Impact) -> frozenset[str]:
    """Return the stacks whose live templates `phases` needs."""
    removed = {one.producer for one, _, _ in impact.imports() if one.kind == "removed"}
    return frozenset(impact.pins()) | removed


def phases(impact: Impact, templates: Mapping[str, str]) -> tuple[Phase, ...]:
    """
    Return the phases in which the deployment can be done, the last of them as it is wanted.

    *templates*: the live ones of `needs_templates`, by short name. After each phase the rest is computed
    again from the live stacks: further effects of a change are unknown before.

    Raises:
        ValueError: a live template cannot be read.

    """
    pins = impact.pins()
    found = [_leftover_phase(impact, going)] if (going := impact.leaving()) else []
    found += [_pin_phase(impact, pins, templates)] if pins else []
    found += _release_phase(impact, templates, pins)
    found += _producer_phase(impact)
    return (*found, Phase(impact.wanted, "everything as it should be"))


def _leftover_phase(impact: Impact, going: Collection[str]) -> Phase:
    reason = f"{', '.join(sorted(going))} first: they still import and are no longer in the environment"
    return Phase(replace(impact.wanted, stacks=()), reason, leftovers=True)


def _pin_phase(
    impact: Impact, pins: Mapping[str, tuple[Suspect, ...]], templates: Mapping[str, str]
) -> Phase:
    live = {name: value for side in impact.sides.values() for name, value in side.values.items()}
    specs = tuple(
        _pinned(impact.sides[name], templates[name], {one.export: live[one.export] for one in held})
        for name, held in sorted(pins.items())
    )
    exports = sorted({one.export for held in pins.values() for one in held})
    reason = f"{', '.join(sorted(pins))} are pinned to the current values of {', '.join(exports)}"
    return Phase(replace(impact.wanted, stacks=specs), reason, pins=True)


def _pinned(side: Side, template: str, values: Mapping[str, str]) -> StackSpec:
    """Return the live template, pinned; capabilities, tags and parameters also stay the same."""
    return replace(
        side.spec,
        template=pinned(template, values, side.stack.parameters),
        capabilities=tuple(sorted({*side.spec.capabilities, "CAPABILITY_NAMED_IAM"})),
        tags=side.stack.tags,
        lookups=(),
        uploads=(),
        migration=None,
    )


def _release_phase(
    impact: Impact, templates: Mapping[str, str], pins: Mapping[str, tuple[Suspect, ...]]
) -> list[Phase]:
    """
    Return the phase that ends imports: consumers first, or both old and new exports if they need a new one.
    """
    released = [(one, consumer) for one, consumer, _ in impact.imports() if one not in pins.get(consumer, ())]
    if not released:
        return []
    producers, consumers = {one.producer for one, _ in released}, {consumer for _, consumer in released}
    exports = ", ".join(sorted({one.export for one, _ in released}))
    back = impact.waiting(producers)
    if not consumers & back:
        chosen = _with_needs(impact.wanted, consumers, without=back)
        reason = f"{', '.join(sorted(consumers))} first: they stop importing {exports}"
        return [Phase(replace(impact.wanted, stacks=chosen), reason)]
    keep = {name: {one.export for one, _ in released if one.producer == name} for name in producers}
    specs = tuple(
        _expanded(impact.sides[spec.name], templates[spec.name], keep[spec.name])
        if spec.name in keep
        else spec
        for spec in impact.wanted.stacks
    )
    reason = f"{', '.join(sorted(producers))} with old and new exports, until nothing imports {exports}"
    return [Phase(replace(impact.wanted, stacks=specs), reason)]


def _expanded(side: Side, template: str, keep: Collection[str]) -> StackSpec:
    text = expanded(side.spec.template, template, keep, side.stack.parameters)
    return replace(side.spec, template=text)


def _producer_phase(impact: Impact) -> list[Phase]:
    """
    Return the phase that updates producers before their existing importers, which then get the new values.
    """
    changed = {one.export: one.producer for one in impact.suspects if one.kind == "changed"}
    wired = {name: wiring(side.spec) for name, side in impact.sides.items()}
    stale = {name for name, one in wired.items() if one.imports & changed.keys()}
    if not stale:
        return []
    behind = _needing(impact.wanted, stale)
    producers = {changed[name] for one in stale for name in wired[one].imports & changed.keys()} - behind
    exports = sorted(name for name, producer in changed.items() if producer in producers)
    chosen = _with_needs(impact.wanted, producers)
    reason = f"{', '.join(sorted(producers))} first: importers of {', '.join(exports)} must get the new value"
    return [Phase(replace(impact.wanted, stacks=chosen), reason)]


def _with_needs(
    wanted: Manifest, names: Collection[str], *, without: Collection[str] = ()
) -> tuple[StackSpec, ...]:
    """Return the stacks *names* with all that they import from, *without* some."""
    wired = {spec.name: wiring(spec) for spec in wanted.stacks}
    chosen = set(names)
    for _ in wired:
        imports = {name for one in chosen for name in wired[one].imports}
        chosen |= {one.name for one in wired.values() if one.exports & imports and one.name not in without}
    return tuple(spec for spec in wanted.stacks if spec.name in chosen)


def _needing(wanted: Manifest, names: Collection[str]) -> frozenset[str]:
    """Return the stacks *names* and all that need them."""
    wired = {spec.name: wiring(spec) for spec in wanted.stacks}
    found = set(names)
    for _ in wired:
        exports = {export for one in found for export in wired[one].exports}
        found |= {one.name for one in wired.values() if one.imports & exports}
    return frozenset(found)
