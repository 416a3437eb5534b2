"""
Stacks that an environment's file no longer has: found by tags, deleted after their consumers.

Adds them to a run's stacks. Read-only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from deployer.cloud import Cloud
from deployer.errors import Refused
from deployer.graph import Graph, Wiring, graph, wiring
from deployer.kept import Kept
from deployer.states import Change, StackState
from deployer.statuses import RESOURCE_GONE
from generator.manifest import Manifest, StackSpec


@dataclass(frozen=True)
class Scope:
    """The stacks of a run."""

    manifest: Manifest
    """With the leftovers as stacks of their own."""
    graph: Graph
    states: tuple[StackState, ...] | None = None
    """The stacks at the first poll; None: not read yet."""
    leftovers: frozenset[str] = frozenset()
    """Short names of the stacks to delete."""
    kept: Mapping[str, tuple[Kept, ...]] = field(default_factory=dict)
    """What an earlier `destroy` kept of a new stack, by its short name, to be imported."""


def scope(manifest: Manifest, order: Graph, cloud: Cloud, *, whole: bool) -> Scope:
    """
    Read the stacks of *order* and, if the *whole* environment is meant, its leftover stacks.

    Raises:
        Refused: a leftover cannot go, because a stack that stays imports from it.

    """
    names = [one.stack_name for one in order.stacks]
    states = cloud.stacks(names, (), tags_of_environment(manifest) if whole else None)
    left = _leftovers(manifest, states) if whole else ()
    if not left:
        return Scope(manifest, order, states)
    specs = tuple(_spec(manifest, state, cloud) for state in left)
    needs = _consumers(specs, left, order, cloud)
    wirings = tuple(wiring(spec) for spec in specs)
    together = Graph(
        (*order.stacks, *_sorted(wirings, needs)),
        {**order.needs, **needs},
        {**order.external, **{name: frozenset() for name in needs}},
    )
    return Scope(
        replace(manifest, stacks=manifest.stacks + specs),
        together,
        states,
        frozenset(spec.name for spec in specs),
    )


def for_removal(found: Scope) -> Scope:
    """Return *found* for removal: consumers before producers, by the templates and by who imports in AWS."""
    back = graph(found.manifest.stacks).reversed()
    live = {name: found.graph.needs[name] for name in found.leftovers}
    needs = {name: back.needs[name] | live.get(name, frozenset()) for name in back.names}
    by_name = {one.name: one for one in back.stacks}
    stacks = tuple(by_name[name] for name in TopologicalSorter(needs).static_order())
    return Scope(found.manifest, Graph(stacks, needs, back.external), found.states)


def tags_of_environment(manifest: Manifest) -> Mapping[str, str]:
    """Return the tags by which gatestack knows the stacks of an environment."""
    return tags_of(manifest.environment, manifest.system)


def tags_of_stack(manifest: Manifest, spec: StackSpec) -> Mapping[str, str]:
    """Return the tags of one stack, with those that say whose it is."""
    return {**spec.tags, **tags_of_environment(manifest)}


def tags_of(environment: str, system: str) -> Mapping[str, str]:
    """Return the same without a manifest, for commands that render nothing."""
    return {"ManagedBy": "gatestack", "Environment": environment, "System": system}


def short_name(state: StackState, taken: Collection[str]) -> str:
    """Return what a leftover is called: its short name by its tag, where no stack of *taken* has that."""
    name = state.tags.get("Stack", state.name)
    return state.name if name in taken else name


def removals(stack: StackState, cloud: Cloud) -> tuple[Change, ...]:
    """Return what the deletion of *stack* deletes, by resource."""
    return tuple(
        Change("Remove", one.logical_id, one.type, physical_id=one.physical_id)
        for one in sorted(cloud.resources(stack.id), key=lambda one: one.logical_id)
        if one.physical_id and one.status not in RESOURCE_GONE
    )


def _leftovers(manifest: Manifest, states: Collection[StackState]) -> tuple[StackState, ...]:
    names = {spec.stack_name for spec in manifest.stacks}
    ours = tags_of_environment(manifest).items()
    found = (state for state in states if state.name not in names and ours <= state.tags.items())
    return tuple(sorted(found, key=lambda state: state.name))


def _spec(manifest: Manifest, state: StackState, cloud: Cloud) -> StackSpec:
    name = short_name(state, {spec.name for spec in manifest.stacks})
    return StackSpec(name, state.name, cloud.template(state.id), tags=state.tags)


def _consumers(
    specs: Collection[StackSpec], left: Collection[StackState], order: Graph, cloud: Cloud
) -> dict[str, frozenset[str]]:
    """Return which stacks of the run have to be done with importing before each leftover can go."""
    by_stack_name = {one.stack_name: one.name for one in order.stacks}
    by_stack_name |= {spec.stack_name: spec.name for spec in specs}
    still = {name: one.name for one in order.stacks for name in one.imports}
    needs = {}
    for spec, state in zip(specs, left, strict=True):
        found: set[str] = set()
        for export in sorted(output.export for output in state.outputs if output.export):
            if export in still:
                what = f"{still[export]} imports {export}, which only {spec.stack_name} exports"
                raise Refused(f"{what}, and that stack is no longer in the environment: add it again")
            importers = cloud.importers(export)
            if outside := sorted(set(importers) - by_stack_name.keys()):
                what = f"{spec.stack_name} is no longer in the environment, and {', '.join(outside)}"
                raise Refused(f"{what} imports its {export}: delete or change {outside[0]} first")
            found |= {by_stack_name[name] for name in importers}
        needs[spec.name] = frozenset(found - {spec.name})
    return needs


def _sorted(wirings: Collection[Wiring], needs: Mapping[str, frozenset[str]]) -> tuple[Wiring, ...]:
    """Return leftovers with consumers before producers: live imports have no cycle."""
    by_name = {one.name: one for one in wirings}
    own = {name: needs[name] & by_name.keys() for name in by_name}
    return tuple(by_name[name] for name in TopologicalSorter(own).static_order())
