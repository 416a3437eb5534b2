"""`plan`: shows what `deploy` would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from deployer import report
from deployer.plan import Plan
from deployer.progress import first_execution
from gatestack import review, telling
from gatestack.account import connect
from gatestack.changes import ALLOW, FILE, FRESH, MIGRATE, ONLY, REVERT, run_options
from gatestack.comments.told import commented_place, write_comment
from gatestack.environment import Environment, resolve
from gatestack.notices.told import notify
from gatestack.options import ENV, RESULT, Options
from gatestack.policy.kept import kept_manifest

CHANGES_FOUND = 3
"""The exit code that --detailed-exitcode asks for."""


@click.command()
@ENV
@ONLY
@click.option(
    "--format", "style", type=click.Choice(["text", "json", "markdown", "html"]), default="text", help=RESULT
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes.")
@click.option(
    "--save",
    "path",
    type=FILE,
    metavar="FILE",
    help="Save the plan and keep its change sets, for deploy --plan FILE.",
)
@ALLOW
@MIGRATE
@REVERT
@FRESH
@click.option("--comment", is_flag=True, help="Write the plan as a comment of the pull request.")
@click.option("--drift", is_flag=True, help="Also report drift: changes made outside CloudFormation.")
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
    comment: bool,
) -> int:
    """Show what deploy would change in ENV; the change sets created for that are deleted again."""
    where = commented_place() if comment else None
    environment = resolve(env, options.region)
    environment.warn()
    faults = environment.faults()
    chosen = replace(
        run_options(environment, options, only, env),
        allow_replace=frozenset(allow_replace),
        revert_drift=revert_drift,
        migrate_exports=migrate_exports,
        fresh=fresh,
    )
    if path is not None:
        review.check_place(path)
    manifest, cloud = kept_manifest(environment), connect(environment, options, starting=True)
    found = review.preview(manifest, cloud, options, chosen, keep=path is not None)
    found = replace(found, notices=found.notices + faults)
    if drift:
        from gatestack.drifting import notes as drift_notes  # noqa: PLC0415 - no other plan waits for it

        found = replace(found, notices=found.notices + drift_notes(environment, cloud, options))
    from gatestack.costing import with_cost  # noqa: PLC0415 - a deployment counts no costs

    found = with_cost(found, manifest, cloud)
    markdown = report.plan_markdown(found)
    if style == "json":
        telling.document(report.plan_json(found))
    else:
        click.echo(markdown if style == "markdown" else _rendered(found, environment, style))
    telling.summary(markdown, f"plan-{environment.name}")
    telling.variables({"changes": "yes" if found.changes_anything else "no"})
    if path is not None:
        review.save(found, manifest, cloud, chosen, path)
        if found.changes_anything:
            notify(environment, options, "approval")
        how = first_execution(found.called, str(path), *found.flags)
        click.echo(f"to deploy exactly this: {how}", err=style != "text")
    if where is not None:
        write_comment(where, environment.prefix, markdown)
    return CHANGES_FOUND if detailed_exitcode and found.changes_anything else 0


def _rendered(found: Plan, environment: Environment, style: str) -> str:
    if style == "html":
        from gatestack import pages  # noqa: PLC0415 - no other format waits for Jinja2

        return pages.of_plan(found, environment)
    return report.plan_text(found)
