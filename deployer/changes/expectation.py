"""Expected duration of a plan: per stack, and along the longest path. Reads past events of these stacks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from deployer import expected
from deployer.cloud import Cloud
from deployer.errors import CloudError
from deployer.graph import Graph
from deployer.history.durations import NOTHING, Past, of_changes, past
from deployer.plan import Plan, StackPlan
from generator.manifest import Manifest


def with_expectation(plan: Plan, manifest: Manifest, order: Graph, cloud: Cloud) -> Plan:
    """
    Return *plan* with the expected seconds of its stacks; independent ones in *order* run in parallel.

    Typical values count if a stack's events cannot be read: an expectation never fails a plan.
    """
    templates = {spec.name: spec.template for spec in manifest.stacks}
    stacks = tuple(replace(one, seconds=_seconds(one, templates[one.name], cloud)) for one in plan.stacks)
    return replace(plan, stacks=stacks, seconds=order.longest({one.name: one.seconds for one in stacks}))


def _seconds(one: StackPlan, template: str, cloud: Cloud) -> float:
    if one.action == "none" or not one.changes:
        return 0.0
    known: Past = NOTHING
    if one.stack is not None and one.action in {"update", "delete"}:
        with suppress(CloudError):
            known = past(cloud.events(one.stack.id))
    return expected.seconds(of_changes(one.changes), template, known)
