"""`--format html` of `plan` and `events`: collects the data of a page. Read-only; renders nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from deployer.cloud import Cloud
from deployer.errors import CloudError
from deployer.history.operations import Operation, last_run, operations
from deployer.pages import html
from deployer.pages.plan_page import Made, plan_page
from deployer.pages.run_page import Seen, run_page
from deployer.plan import Plan
from deployer.states import StackEvent, StackState
from gatestack.environment import Environment


def of_plan(found: Plan, environment: Environment) -> str:
    """Return the page about a new plan."""
    source = environment.settings or environment.rendered
    account = (source.account if source else None) or ""
    return html.plan_html(plan_page(found, Made(environment.region, datetime.now(UTC), account)))


def of_events(
    environment: Environment,
    cloud: Cloud,
    states: Mapping[str, StackState | None],
    events: Mapping[str, tuple[StackEvent, ...]],
) -> str:
    """Return the page about the last run on the stacks *states*, whose *events* are given by short name."""
    run = last_run([one for name, each in events.items() for one in operations(name, each)])
    seen = Seen(
        environment.name,
        environment.region,
        run,
        _templates(cloud, run),
        datetime.now(UTC),
        tuple(name for name, state in states.items() if state is None),
    )
    return html.run_html(run_page(seen))


def _templates(cloud: Cloud, run: tuple[Operation, ...]) -> dict[str, str]:
    """Return the templates of the stacks in *run*, by short name; unreadable ones are left out."""
    found = {}
    for name, stack_id in {one.stack: one.events[0].stack_id for one in run}.items():
        try:
            found[name] = cloud.template(stack_id)
        except CloudError:
            continue
    return found
