"""Patched resources in a plan: where and why, and which patches weaken the protection of data. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from deployer.states import Change
from generator.manifest import StackSpec


def marked(changes: Iterable[Change], spec: StackSpec) -> tuple[Change, ...]:
    """Return *changes* of *spec*, those of patched resources with where and why."""
    marks: dict[str, list[str]] = {}
    for one in spec.patched:
        marks.setdefault(one.resource, []).append(str(one))
    return tuple(
        replace(change, patched="; ".join(marks[change.logical_id])) if change.logical_id in marks else change
        for change in changes
    )


def risks(spec: StackSpec) -> tuple[str, ...]:
    """Return a warning for each patch of *spec* that removes the protection of data."""
    return tuple(
        f"{spec.name}/{one.resource}: {one}; what guards data is weaker: {', '.join(one.risks)}"
        for one in spec.patched
        if one.risks
    )
