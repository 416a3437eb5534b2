"""What `plan`, `deploy` and `destroy` share: their options, the run's, and how its end is told."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

import click

from deployer import report
from deployer.changes.approved import deploy_plan
from deployer.changes.planfile import PlanFile
from deployer.cloud import Cloud
from deployer.deploy import deploy as deploy_stacks
from deployer.options import Options as RunOptions
from deployer.progress import Result
from gatestack import telling
from gatestack.account import poll_interval, speed
from gatestack.environment import Environment
from gatestack.options import Options
from gatestack.progress import shown
from gatestack.signals import host
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
    """Return what a run is told of the global options and of *only*; *env* as the user wrote it."""
    for stack in only:
        environment.chosen(stack)
    interval = poll_interval(environment, options)
    return RunOptions(
        only=frozenset(only),
        poll_interval=interval,
        show_events=not options.quiet,
        env=shlex.quote(env),
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
) -> Result:
    """Deploy *manifest*, as *reviewed* where it was, and show it; *file*: where that plan was read from."""
    with shown(options, speed=speed(environment, options)) as tell, host(tell) as here:
        if reviewed is None:
            return deploy_stacks(manifest, cloud, chosen, here)
        return deploy_plan(manifest, reviewed, cloud, chosen, here, file=file)


def ended(result: Result, style: str) -> int:
    """Print what a run came to: the stacks on stderr, the outputs on stdout, the first cause last."""
    if style == "json":
        telling.document(report.result_json(result))
    else:
        click.echo(report.result_text(result), err=True)
        if result.outputs:
            click.echo(report.outputs_text(result.outputs))
    telling.outputs(result.outputs)
    if cause := report.first_cause(result):
        telling.error(cause)
    return result.exit_code
