"""What `plan`, `deploy` and `destroy` share: options, settings of the run, and the report of its result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import click

from deployer.changes.approved import deploy_plan
from deployer.changes.planfile import PlanFile
from deployer.cloud import Cloud
from deployer.deploy import deploy as deploy_stacks
from deployer.options import Options as RunOptions
from deployer.progress import Result, Tell
from gatestack.account import poll_interval, speed, uses_sandbox
from gatestack.ending.facts import Known
from gatestack.environment import Environment
from gatestack.options import Options
from gatestack.progress import owed, shown
from gatestack.sandbox_here import what_runs
from gatestack.signals import host
from gatestack.tracing.told import traced, wanted
from generator.manifest import Manifest

YES = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
ONLY = click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
FILE = click.Path(dir_okay=False, path_type=Path)
ALLOW = click.option(
    "--allow-replace",
    multiple=True,
    metavar="ID",
    help="Allow the replacement or removal of this resource, which holds data.",
)
MIGRATE = click.option(
    "--migrate-exports",
    is_flag=True,
    help="Change exports in use: consumers are pinned to the current value meanwhile; may interrupt.",
)
SKIP = click.option(
    "--skip-in-rollback",
    multiple=True,
    metavar="ID",
    help="Continue a failed rollback without this resource.",
)
REVERT = click.option(
    "--revert-drift", is_flag=True, help="Revert drift: undo changes made outside CloudFormation."
)

FRESH = click.option(
    "--fresh",
    is_flag=True,
    help="Do not import what an earlier destroy kept; create new resources.",
)


def run_options(environment: Environment, options: Options, only: Collection[str], env: str) -> RunOptions:
    """Return the options of a run from the global options and *only*; *env* as the user wrote it."""
    for stack in only:
        environment.chosen(stack)
    interval = poll_interval(environment, options)
    return RunOptions(
        only=frozenset(only),
        poll_interval=interval,
        show_events=not options.quiet or wanted(),
        env=options.called(env),
        push="gatestack local provide image {image}" if options.sandbox else "",
    )


def executed(
    environment: Environment,
    manifest: Manifest,
    cloud: Cloud,
    options: Options,
    chosen: RunOptions,
    reviewed: PlanFile | None,
    *,
    file: str = "",
    through: Callable[[Tell], Tell] = lambda tell: tell,
) -> Result:
    """
    Deploy *manifest*, as *reviewed* where it was, and show it.

    *file*: where that plan was read from; *through*: wraps the listener, to receive what is shown.
    """
    with (
        traced(environment, "deploy") as run,
        shown(options, speed=speed(environment, options)) as tell,
        host(through(run.through(tell))) as here,
    ):
        if reviewed is None:
            return run.ended(deploy_stacks(manifest, cloud, chosen, here))
        return run.ended(deploy_plan(manifest, reviewed, cloud, chosen, here, file=file))


def known_of(environment: Environment, options: Options, result: Result) -> Known:
    """Return what the last screen of a deployment of *environment* shows in addition to its *result*."""
    place = "; ".join(what_runs()) if uses_sandbox(environment, options) else ""
    new = any(one.name == "security" and one.action in {"create", "recreate"} for one in result.stacks)
    return Known(owed(), _keys(environment) if new else (), place)


def _keys(environment: Environment) -> tuple[str, ...]:
    from gatestack.injected import keys_to_put_in  # noqa: PLC0415 - a folder does without settings

    return tuple(keys_to_put_in(environment))
