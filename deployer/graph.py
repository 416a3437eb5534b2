"""
The order of stacks, from the exports and imports in their templates. Pure.

Names of exports and imports must be literal text. CloudFormation allows Fn::Sub and Fn::Join there, but an
order that depends on parameters is unknown before deployment, so everything else is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from deployer.errors import GraphError
from deployer.states import ExportState
from generator.manifest import StackSpec


@dataclass(frozen=True)
class Wiring:
    """What one template exports and imports, by full export names."""

    name: str
    stack_name: str
    exports: frozenset[str]
    imports: frozenset[str]


@dataclass(frozen=True)
class Graph:
    """Which stack needs which, by short names."""

    stacks: tuple[Wiring, ...]
    """In an order in which every stack comes after what it needs."""
    needs: Mapping[str, frozenset[str]]
    external: Mapping[str, frozenset[str]]
    """Exports that a stack imports from the region, from outside these stacks."""

    @property
    def names(self) -> tuple[str, ...]:
        """Short names, each after what it needs."""
        return tuple(stack.name for stack in self.stacks)

    def needed_by(self, name: str) -> frozenset[str]:
        """Return the stacks that import from *name*."""
        return frozenset(other for other, needs in self.needs.items() if name in needs)

    def behind(self, name: str) -> frozenset[str]:
        """Return everything that comes before *name*, directly or not."""
        found, new = set[str](), set(self.needs[name])
        while new:
            found |= new
            new = {need for one in new for need in self.needs[one]} - found
        return frozenset(found)

    def imported(self, consumer: str, producer: str) -> tuple[str, ...]:
        """Return the export names on the edge from *producer* to *consumer*."""
        by_name = {stack.name: stack for stack in self.stacks}
        return tuple(sorted(by_name[consumer].imports & by_name[producer].exports))

    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Return the stacks in waves: each wave may start once those before it are done."""
        level: dict[str, int] = {}
        for name in self.names:
            level[name] = 1 + max((level[need] for need in self.needs[name]), default=-1)
        depths = sorted(set(level.values()))
        return tuple(tuple(name for name in self.names if level[name] == depth) for depth in depths)

    def longest(self, seconds: Mapping[str, float]) -> float:
        """Return the sum of *seconds* along the path that takes longest; stacks missing in it take none."""
        ends: dict[str, float] = {}
        for name in self.names:
            begins = max((ends.get(need, 0.0) for need in self.needs[name]), default=0.0)
            ends[name] = begins + seconds.get(name, 0.0)
        return max(ends.values(), default=0.0)

    def reversed(self) -> Graph:
        """Return the graph for removal: consumers before producers."""
        needs = {name: self.needed_by(name) for name in self.names}
        return Graph(tuple(reversed(self.stacks)), needs, {name: frozenset() for name in needs})


def graph(stacks: Collection[StackSpec], region: Collection[ExportState] | None = None) -> Graph:
    """
    Compute the graph of *stacks* in a region that has the exports *region*.

    Without *region* (offline, for removal) nothing is checked against it: what no stack exports is external.

    Raises:
        GraphError: a name that is no literal, two owners of one export, a missing export, or a cycle.

    """
    wirings = tuple(wiring(spec) for spec in stacks)
    producers = _producers(wirings)
    _check_owners(wirings, region or ())
    own = {one.stack_name for one in wirings}
    there = {export.name for export in region or () if export.stack_name not in own}
    needs: dict[str, frozenset[str]] = {}
    external: dict[str, frozenset[str]] = {}
    missing: list[str] = []
    for one in wirings:
        needs[one.name] = frozenset(producers[name] for name in one.imports if name in producers)
        external[one.name] = one.imports - producers.keys()
        unknown = external[one.name] - there if region is not None else ()
        missing += [f"{one.name} imports {name}, which no stack exports" for name in sorted(unknown)]
    if missing:
        raise GraphError("; ".join(missing) + ": deploy the stack that exports it first, or correct the name")
    return Graph(_ordered(wirings, needs), needs, external)


def wiring(spec: StackSpec) -> Wiring:
    """
    Read what the template of *spec* exports and imports.

    Raises:
        GraphError: the template is no JSON object, or a name in it is no literal text.

    """
    try:
        document = json.loads(spec.template)
        outputs: Mapping[str, Any] = document.get("Outputs", {})
    except (ValueError, AttributeError) as error:
        raise GraphError(f"{spec.name}: the template is no JSON object: {error}") from error
    exports = [output["Export"]["Name"] for output in outputs.values() if "Export" in output]
    imports = list(_imports(document))
    for kind, names in (("Export", exports), ("Fn::ImportValue", imports)):
        for name in names:
            if not isinstance(name, str):
                text = json.dumps(name)
                raise GraphError(
                    f"{spec.name}: {kind} {text}: write the name as literal text, not as a function"
                )
    if repeated := sorted({name for name in exports if exports.count(name) > 1}):
        raise GraphError(f"{spec.name}: exports {', '.join(repeated)} twice")
    return Wiring(spec.name, spec.stack_name, frozenset(exports), frozenset(imports))


def _imports(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Fn::ImportValue":
                yield value
            else:
                yield from _imports(value)
    elif isinstance(node, list):
        for value in node:
            yield from _imports(value)


def _producers(wirings: Collection[Wiring]) -> dict[str, str]:
    producers: dict[str, str] = {}
    for one in wirings:
        for name in sorted(one.exports):
            if name in producers:
                raise GraphError(f"{producers[name]} and {one.name} both export {name}: rename one of them")
            producers[name] = one.name
    return producers


def _check_owners(wirings: Collection[Wiring], region: Collection[ExportState]) -> None:
    owners = {export.name: export.stack_name for export in region}
    for one in wirings:
        for name in sorted(one.exports):
            owner = owners.get(name, one.stack_name)
            if owner != one.stack_name:
                what = (
                    f"{one.name}: the export {name} belongs to the stack {owner} of this account and region"
                )
                raise GraphError(f"{what}: rename the environment, or delete that stack")


def _ordered(wirings: tuple[Wiring, ...], needs: Mapping[str, frozenset[str]]) -> tuple[Wiring, ...]:
    for one in wirings:
        if one.name in needs[one.name]:
            raise GraphError(f"{one.name} imports what it exports itself: {one.name} -> {one.name}")
    by_name = {one.name: one for one in wirings}
    try:
        order = TopologicalSorter({name: sorted(needs[name]) for name in by_name}).static_order()
        return tuple(by_name[name] for name in order)
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise GraphError(f"stacks import from each other in a circle: {path}: one import must go") from error
