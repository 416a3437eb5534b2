"""An environment's cost before and after a plan, and the cost of what a destroy keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from deployer.cloud import Cloud
from deployer.kept import Kept
from deployer.plan import CostDifference, Plan, PlanCost
from deployer.progress import Result
from deployer.scrub import said
from deployer.states import StackState
from generator.cost import report
from generator.cost.estimate import Estimate, compared, estimate
from generator.cost.kept import monthly_usd
from generator.cost.prices import load
from generator.cost.template import Template
from generator.cost.usage import Usage
from generator.manifest import Manifest

NOTHING_THERE = frozenset({"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"})
"""Statuses of stacks that hold no resources (CloudFormation User Guide, "Stack status codes")."""


def with_cost(plan: Plan, manifest: Manifest, cloud: Cloud) -> Plan:
    """
    Return *plan* with the estimate of the environment before it and after it, by the file's prices.

    A failed estimate leaves a notice and does not stop the plan.
    """
    try:
        found = _of_plan(plan, manifest, cloud)
    except Exception as error:  # noqa: BLE001 - whatever is in a live template: a plan does not depend on it
        reason = said(error)
        return replace(plan, notices=(*plan.notices, f"what this costs is not known: {reason}"))
    return replace(plan, cost=found, notices=(*plan.notices, *elsewhere(manifest)))


def with_kept_cost(result: Result, region: str) -> Result:
    """Return *result* with the monthly cost of everything that was kept, by the file's prices."""
    if not any(stack.kept for stack in result.stacks):
        return result
    stacks = (replace(stack, kept=priced(stack.kept, region)) for stack in result.stacks)
    return replace(result, stacks=tuple(stacks))


def priced(found: Iterable[Kept], region: str) -> tuple[Kept, ...]:
    """Return *found* with the monthly cost of each, by the file's prices."""
    prices = load(region)
    return tuple(
        replace(one, monthly_usd=monthly_usd(one.type, prices, snapshot_gib=one.gib)) for one in found
    )


def _of_plan(plan: Plan, manifest: Manifest, cloud: Cloud) -> PlanCost:
    usage, prices = Usage.read(manifest.usage), load(manifest.region)
    wanted = {template.stack: template for template in templates_of(manifest)}
    live = _live(plan, manifest, cloud)
    planned = {stack.name for stack in plan.stacks}
    kept = {name: template for name, template in live.items() if name not in planned}
    chosen = {name: template for name, template in wanted.items() if name in planned}
    before = estimate(live.values(), usage, prices)
    after = estimate(_ordered({**kept, **chosen}, wanted), usage, prices)
    return PlanCost(before.monthly_usd, after.monthly_usd, _differences(before, after))


def _differences(before: Estimate, after: Estimate) -> tuple[CostDifference, ...]:
    return tuple(
        CostDifference(one.stack, one.logical_id, one.item, one.before, one.after)
        for one in compared(before, after)
    )


def _live(plan: Plan, manifest: Manifest, cloud: Cloud) -> Mapping[str, Template]:
    """Return the templates of the live stacks: the planned ones, and the environment's others."""
    states: dict[str, StackState | None] = {stack.name: stack.stack for stack in plan.stacks}
    others = {spec.stack_name: spec.name for spec in manifest.stacks if spec.name not in states}
    if others:
        states |= {others[one.name]: one for one in cloud.stacks(list(others)) if one.name in others}
    return {
        name: Template.read(name, cloud.template(state.id))
        for name, state in states.items()
        if state is not None and state.status not in NOTHING_THERE
    }


def _ordered(found: Mapping[str, Template], wanted: Mapping[str, Template]) -> Iterable[Template]:
    return (found[name] for name in wanted if name in found)


def templates_of(manifest: Manifest) -> tuple[Template, ...]:
    """Return the templates of *manifest*; raises ValueError where one cannot be read."""
    return tuple(Template.read(stack.name, stack.template) for stack in manifest.stacks)


def elsewhere(manifest: Manifest) -> tuple[str, ...]:
    """Return a notice if the prices are of another region."""
    told = report.of_another_region(manifest.region, load(manifest.region))
    return (told,) if told else ()
