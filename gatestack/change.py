"""`plan`, `deploy`, `destroy`: what changes an environment, or says what would."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace

import click

from deployer import report
from deployer.deploy import deploy as deploy_stacks
from deployer.deploy import destroy as destroy_stacks
from deployer.options import Options as RunOptions
from deployer.plan import Plan
from deployer.preview import plan as plan_stacks
from deployer.progress import Result
from gatestack.account import connect, poll_interval
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.progress import shown
from gatestack.signals import host

ENV = click.argument("env")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
ONLY = click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
FORMAT = click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")

CHANGES_FOUND = 3


class NotConfirmed(click.ClickException):
    """Nobody said yes; nothing was touched."""

    exit_code = 4


@click.command()
@ENV
@ONLY
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes.")
@click.pass_obj
def plan(options: Options, env: str, only: tuple[str, ...], style: str, *, detailed_exitcode: bool) -> int:
    """Show what deploy would change in ENV; the change sets it makes for that are removed again."""
    environment = resolve(env, options.region)
    environment.warn()
    found = _plan(environment, options, _run_options(environment, options, only))
    render = {"text": report.plan_text, "json": report.plan_json, "markdown": report.plan_markdown}[style]
    click.echo(render(found))
    return CHANGES_FOUND if detailed_exitcode and found.changes_anything else 0


@click.command()
@ENV
@YES
@ONLY
@click.option(
    "--allow-replace", multiple=True, metavar="ID", help="Let this resource go although it holds data."
)
@click.option("--on-failure", type=click.Choice(["continue", "stop"]), default="continue")
@FORMAT
@click.pass_obj
def deploy(
    options: Options,
    env: str,
    only: tuple[str, ...],
    allow_replace: tuple[str, ...],
    on_failure: str,
    style: str,
    *,
    yes: bool,
) -> int:
    """Bring ENV to what its file says: change sets for everything, side by side where the imports allow."""
    environment = resolve(env, options.region)
    environment.warn()
    chosen = replace(
        _run_options(environment, options, only),
        allow_replace=frozenset(allow_replace),
        on_failure="stop" if on_failure == "stop" else "continue",
    )
    if not yes and not _confirmed(environment, options, chosen):
        return 0
    manifest = environment.manifest()
    cloud = connect(environment, options)
    with shown(options) as tell, host(tell) as here:
        result = deploy_stacks(manifest, cloud, chosen, here)
    return _ended(result, style)


@click.command()
@ENV
@YES
@ONLY
@click.option("--force", is_flag=True, help="Also a production environment, termination protection included.")
@FORMAT
@click.pass_obj
def destroy(options: Options, env: str, only: tuple[str, ...], style: str, *, yes: bool, force: bool) -> int:
    """Take ENV away, in reverse order; what is kept (final snapshot, retained resources) is listed."""
    environment = resolve(env, options.region)
    if not yes:
        _confirm_by_name(environment, only)
    cloud = connect(environment, options)
    chosen = replace(_run_options(environment, options, only), force=force)
    with shown(options) as tell, host(tell) as here:
        result = destroy_stacks(environment.manifest(), cloud, chosen, here)
    return _ended(result, style)


def _run_options(environment: Environment, options: Options, only: Collection[str]) -> RunOptions:
    interval = poll_interval(environment, options)
    return RunOptions(only=frozenset(only), poll_interval=interval, show_events=not options.quiet)


def _plan(environment: Environment, options: Options, chosen: RunOptions) -> Plan:
    cloud = connect(environment, options)
    with shown(options) as tell, host(tell) as here:
        return plan_stacks(environment.manifest(), cloud, chosen, here)


def _confirmed(environment: Environment, options: Options, chosen: RunOptions) -> bool:
    """Show the plan and ask; False when there is nothing to do."""
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody can be asked here: give --yes (see `gatestack plan` first)")
    found = _plan(environment, options, chosen)
    click.echo(report.plan_text(found), err=True)
    if not found.changes_anything:
        return False
    if not click.confirm(f"Deploy this to {environment.name}?", err=True):
        raise NotConfirmed("nothing was changed")
    return True


def _confirm_by_name(environment: Environment, only: Collection[str]) -> None:
    what = ", ".join(environment.stack_names[name] for name in only if name in environment.stack_names)
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody can be asked here: give --yes")
    click.echo(f"This deletes {what or f'every stack of {environment.name}'}.", err=True)
    typed = click.prompt("Type the environment's name to go on", default="", show_default=False, err=True)
    if typed != environment.name:
        raise NotConfirmed(f"{typed!r} is not {environment.name}; nothing was changed")


def _ended(result: Result, style: str) -> int:
    """Print what a run came to: the stacks on stderr, the outputs on stdout, the first cause last."""
    if style == "json":
        click.echo(report.result_json(result))
    else:
        click.echo(report.result_text(result), err=True)
        if result.outputs:
            click.echo(report.outputs_text(result.outputs))
    if cause := report.first_cause(result):
        click.echo(f"error: {cause}", err=True)
    return result.exit_code
