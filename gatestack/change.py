"""`plan`, `deploy`, `destroy`: what changes an environment, or says what would."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import click

from deployer import report
from deployer.changes.approved import deploy_plan
from deployer.deploy import check_force, check_removal
from deployer.deploy import deploy as deploy_stacks
from deployer.deploy import destroy as destroy_stacks
from deployer.options import Options as RunOptions
from deployer.plan import Plan
from deployer.progress import Result
from gatestack import review, telling
from gatestack.account import connect, nowhere, poll_interval, speed
from gatestack.cli import Options
from gatestack.drifting import notes as drift_notes
from gatestack.environment import Environment, resolve
from gatestack.progress import shown
from gatestack.signals import host

ENV = click.argument("env")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
ONLY = click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
FORMAT = click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
FILE = click.Path(dir_okay=False, path_type=Path)
ALLOW = click.option(
    "--allow-replace", multiple=True, metavar="ID", help="Let this resource go although it holds data."
)
MIGRATE = click.option(
    "--migrate-exports",
    is_flag=True,
    help="Change exports in use: consumers hold today's value meanwhile; something may be interrupted.",
)
SKIP = click.option(
    "--skip-in-rollback",
    multiple=True,
    metavar="ID",
    help="Let a rollback that failed at this resource leave it as it is.",
)
REVERT = click.option(
    "--revert-drift", is_flag=True, help="Set back what was changed behind CloudFormation's back."
)

FRESH = click.option(
    "--fresh",
    is_flag=True,
    help="Do not take up again what an earlier destroy has kept: make everything anew.",
)
CHANGES_FOUND = 3


@click.command()
@ENV
@ONLY
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown", "html"]), default="text")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes.")
@click.option(
    "--save", "path", type=FILE, metavar="FILE", help="Keep the change sets, for deploy --plan FILE."
)
@ALLOW
@MIGRATE
@REVERT
@FRESH
@click.option("--drift", is_flag=True, help="Also say what was changed behind CloudFormation's back.")
@click.pass_obj
def plan(
    options: Options,
    env: str,
    only: tuple[str, ...],
    style: str,
    path: Path | None,
    allow_replace: tuple[str, ...],
    *,
    detailed_exitcode: bool,
    revert_drift: bool,
    migrate_exports: bool,
    fresh: bool,
    drift: bool,
) -> int:
    """Show what deploy would change in ENV; the change sets it makes for that are removed again."""
    environment = resolve(env, options.region)
    environment.warn()
    chosen = replace(
        _run_options(environment, options, only, env),
        allow_replace=frozenset(allow_replace),
        revert_drift=revert_drift,
        migrate_exports=migrate_exports,
        fresh=fresh,
    )
    if path is not None:
        review.check_place(path)
    manifest, cloud = environment.manifest(), connect(environment, options, starting=True)
    found = review.preview(manifest, cloud, options, chosen, keep=path is not None)
    if drift:
        found = replace(found, notices=found.notices + drift_notes(environment, cloud, options))
    from gatestack.costing import with_cost  # noqa: PLC0415 - a deployment counts no costs

    found = with_cost(found, manifest, cloud)
    if style == "json":
        telling.document(report.plan_json(found))
    else:
        click.echo(_rendered(found, environment, chosen, style))
    telling.summary(report.plan_markdown(found), f"plan-{environment.name}")
    telling.variables({"changes": "yes" if found.changes_anything else "no"})
    if path is not None:
        review.save(found, manifest, cloud, chosen, path)
        click.echo(f"to deploy exactly this: {review.how_to_deploy(env, path)}", err=style != "text")
    return CHANGES_FOUND if detailed_exitcode and found.changes_anything else 0


@click.command()
@ENV
@YES
@ONLY
@ALLOW
@MIGRATE
@REVERT
@FRESH
@SKIP
@click.option(
    "--plan",
    "path",
    type=FILE,
    metavar="FILE",
    help="Execute what plan --save wrote, or refuse; asks nobody.",
)
@click.option("--on-failure", type=click.Choice(["continue", "stop"]), default="continue")
@FORMAT
@click.pass_obj
def deploy(
    options: Options,
    env: str,
    only: tuple[str, ...],
    allow_replace: tuple[str, ...],
    skip_in_rollback: tuple[str, ...],
    path: Path | None,
    on_failure: str,
    style: str,
    *,
    yes: bool,
    migrate_exports: bool,
    revert_drift: bool,
    fresh: bool,
) -> int:
    """Bring ENV to what its file says: change sets for everything, side by side where the imports allow."""
    if path and (only or revert_drift):
        raise click.UsageError("--only and --revert-drift cannot be given with --plan: the plan says it")
    reviewed = review.read(path, env) if path else None
    environment = resolve(env, options.region)
    if not reviewed and not yes:
        review.check_terminal(" (see `gatestack plan` first)")
    environment.warn()
    chosen = replace(
        _run_options(environment, options, only, env),
        allow_replace=frozenset(allow_replace),
        skip_in_rollback=frozenset(skip_in_rollback),
        on_failure="stop" if on_failure == "stop" else "continue",
        revert_drift=revert_drift,
        migrate_exports=migrate_exports,
        fresh=fresh,
    )
    manifest, cloud = environment.manifest(), connect(environment, options, starting=True)
    try:
        if not reviewed and not yes:
            reviewed = review.agreed(environment, manifest, cloud, options, chosen)
    except review.NothingToDo:
        return 0
    with shown(options, speed=speed(environment, options)) as tell, host(tell) as here:
        if reviewed is None:
            result = deploy_stacks(manifest, cloud, chosen, here)
        else:
            result = deploy_plan(manifest, reviewed, cloud, chosen, here, file=str(path) if path else "")
    return ended(result, style)


@click.command()
@ENV
@YES
@ONLY
@click.option("--force", is_flag=True, help="Also a production environment, termination protection included.")
@FORMAT
@click.pass_obj
def destroy(options: Options, env: str, only: tuple[str, ...], style: str, *, yes: bool, force: bool) -> int:
    """Take ENV away, in reverse order; what is kept (final snapshot, retained resources) is listed."""
    environment = resolve(env, options.region, guesses=False)
    chosen = replace(_run_options(environment, options, only, env), force=force)
    if nowhere(environment, options):
        click.echo("no sandbox runs in this folder, so there is nothing to destroy", err=True)
        return ended(Result(environment.name, "destroy", ()), style)
    if not yes:
        review.check_terminal()
    manifest = environment.manifest()
    if yes:
        check_force(manifest, chosen)
    cloud = connect(environment, options)
    if not yes:
        check_removal(manifest, cloud, chosen, lambda line: click.echo(line, err=True))
        _confirm_by_name(environment, only)
    with shown(options, speed=speed(environment, options)) as tell, host(tell) as here:
        result = destroy_stacks(manifest, cloud, chosen, here)
    from gatestack.costing import with_kept_cost  # noqa: PLC0415 - what keeps nothing costs nothing

    return ended(with_kept_cost(result, manifest.region), style)


def _rendered(found: Plan, environment: Environment, chosen: RunOptions, style: str) -> str:
    if style == "html":
        from gatestack import pages  # noqa: PLC0415 - no other format waits for Jinja2

        return pages.of_plan(found, environment, chosen)
    return report.plan_markdown(found) if style == "markdown" else report.plan_text(found)


def _run_options(environment: Environment, options: Options, only: Collection[str], env: str) -> RunOptions:
    for stack in only:
        environment.chosen(stack)
    interval = poll_interval(environment, options)
    return RunOptions(
        only=frozenset(only), poll_interval=interval, show_events=not options.quiet, env=shlex.quote(env)
    )


def _confirm_by_name(environment: Environment, only: Collection[str]) -> None:
    what = ", ".join(environment.stack_names[name] for name in only)
    click.echo(f"This deletes {what or f'every stack of {environment.name}'}.", err=True)
    typed = click.prompt("Type the environment's name to go on", default="", show_default=False, err=True)
    if typed != environment.name:
        raise review.NotConfirmed(f"{typed!r} is not {environment.name}; nothing was changed")


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
