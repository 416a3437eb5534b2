"""Plans for the tests of their page, as small as what they show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from deployer.pages.html import plan_html
from deployer.pages.plan_page import Made, PlanPage, plan_page
from deployer.plan import Plan, StackPlan
from deployer.states import Change, PropertyChange, StackState

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/dev-litellm-database/1"
STACK = StackState("dev-litellm-database", ARN, "UPDATE_COMPLETE")
MOMENT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def made() -> Made:
    """Return the metadata of a plan."""
    return Made("us-east-1", MOMENT)


def detail(name: str, before: str | None, after: str | None, recreation: str = "Never") -> PropertyChange:
    """Return a property that changes."""
    return PropertyChange("Properties", f"/Properties/{name}", recreation, before, after)


def update(*changes: Change, protected: tuple[str, ...] = (), problems: tuple[str, ...] = ()) -> StackPlan:
    """Return the plan of an existing stack, as from CloudFormation."""
    return StackPlan(
        "database",
        "dev-litellm-database",
        "update",
        exact=True,
        changes=changes,
        reason="it exists",
        problems=problems,
        protected=protected,
        stack=STACK,
    )


def page(plan: Plan, *allowed: str) -> PlanPage:
    """Return the model of the page about *plan*, made with the consent *allowed*."""
    return plan_page(replace(plan, allowed=allowed), made())


def html(plan: Plan) -> str:
    """Return the page about *plan*."""
    return plan_html(page(plan))
