"""
Checks all names that a first creation needs, at once; refuses if somebody else has one.

Of existing stacks it checks one thing: whether their KMS key can be used.
"""

from __future__ import annotations

from collections.abc import Collection

from deployer.checks.key import trouble
from deployer.checks.names import Conflict, in_the_way, named
from deployer.cloud import Cloud
from deployer.errors import Refused
from deployer.run.leftovers import Scope, tags_of_environment
from deployer.states import StackState
from deployer.statuses import RESOURCE_GONE, Step, row
from generator.manifest import StackSpec

ALIAS = "AWS::KMS::Alias"


def check_names(found: Scope, taken: Collection[Conflict], *, fresh: bool) -> None:
    """
    Refuse where a stack of *found* that is to be created wants a name that something else has.

    With *fresh*, also if it is the environment's own, which is not imported then.

    Raises:
        Refused: at least one name is taken; the message has a line for each.

    """
    if told := names_taken(found.manifest.environment, taken, fresh=fresh):
        raise Refused(told)


def names_taken(environment: str, taken: Collection[Conflict], *, fresh: bool) -> str:
    """Return why names that are *taken* stop a deployment, a line for each; empty where none does."""
    stopped = [str(one) for one in taken if one.stops or fresh]
    if not stopped:
        return ""
    count = "a name that is" if len(stopped) == 1 else f"{len(stopped)} names that are"
    head = f"{environment} needs {count} taken; nothing was changed:"
    last = "or give the environment another name (`environment` in its file): every name begins with it"
    return "\n  ".join([head, *stopped, last])


def check_keys(found: Scope, cloud: Cloud) -> None:
    """
    Refuse if the KMS key of an existing stack is disabled, or scheduled for deletion.

    Raises:
        Refused: it cannot be used; the message names the commands that help.
        CloudError: AWS could not be asked at all.

    """
    there = {state.name for state in found.states or () if not _is_new(state)}
    specs = [
        one for one in found.manifest.stacks if one.stack_name in there and one.name in found.graph.names
    ]
    for one in named(specs, found.manifest.region, found.manifest.account):
        key = cloud.key(one.name) if one.type == ALIAS else None
        what, remedy = trouble(key) if key else ("", "")
        if what:
            raise Refused(f"{one.stack}/{one.logical_id}: {what}: {remedy} (nothing was changed)")


def conflicts(found: Scope, cloud: Cloud) -> tuple[Conflict, ...]:
    """Return which names are taken, of the stacks in *found* that are to be created."""
    states = {state.name: state for state in found.states or ()}
    chosen = [
        spec
        for spec in found.manifest.stacks
        if spec.name in found.graph.names and spec.name not in found.leftovers
    ]
    new = [spec for spec in chosen if _is_new(states.get(spec.stack_name))]
    manifest = found.manifest
    wanted = named(new, manifest.region, manifest.account)
    by_type: dict[str, set[str]] = {}
    for one in wanted:
        by_type.setdefault(one.type, set()).add(one.name)
    if not by_type:
        return ()
    taken = in_the_way(wanted, cloud.taken(by_type), tags_of_environment(manifest))
    held = _held(new, states, cloud) if taken else frozenset()
    return tuple(one for one in taken if one.wanted.name not in held)


def _is_new(state: StackState | None) -> bool:
    return row(state.status if state else None).deploy in {Step.CREATE, Step.RECREATE}


def _held(specs: Collection[StackSpec], states: dict[str, StackState], cloud: Cloud) -> frozenset[str]:
    """Return the names that failed stacks hold themselves: they are freed when the stacks are recreated."""
    failed = [states[spec.stack_name] for spec in specs if spec.stack_name in states]
    return frozenset(
        one.physical_id
        for state in failed
        if row(state.status).deploy is Step.RECREATE
        for one in cloud.resources(state.id)
        if one.status not in RESOURCE_GONE
    )
