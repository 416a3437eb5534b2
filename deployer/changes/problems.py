"""Problems that block a plan: names that are taken, exports in use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deployer.changes.export_impact import Refusal
from deployer.checks.names import Conflict
from deployer.checks.taken import conflicts
from deployer.checks.taking import with_kept
from deployer.cloud import Cloud
from deployer.errors import CloudError
from deployer.options import Options
from deployer.plan import StackPlan
from deployer.progress import Notice, Tell
from deployer.run.leftovers import Scope


def with_names(
    found: Scope, cloud: Cloud, options: Options, tell: Tell
) -> tuple[Scope, tuple[Conflict, ...]]:
    """Add who has the names that new stacks need, and which resources were kept."""
    try:
        taken = conflicts(found, cloud)
        kept = found if options.fresh else with_kept(found, cloud, taken, tell)
    except CloudError as error:
        tell(Notice(f"name conflicts could not be checked: {error}"))
        return found, ()
    return kept, tuple(one for one in taken if one.stops or options.fresh)


def with_names_taken(plan: StackPlan, taken: Collection[Conflict]) -> StackPlan:
    """Add which names are taken of a stack that is to be created."""
    return replace(
        plan, problems=(*plan.problems, *(str(one) for one in taken if one.wanted.stack == plan.name))
    )


def with_refusal(plan: StackPlan, refusal: Refusal) -> StackPlan:
    """Add what stops a stack, and the option that allows it."""
    consents = (*plan.consents, refusal.allow) if refusal.allow else plan.consents
    return replace(plan, problems=(*plan.problems, refusal.reason), consents=consents)
