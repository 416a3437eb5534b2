"""`deploy`: creates or updates an environment's stacks as its file says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from gatestack import review
from gatestack.account import connect
from gatestack.changes import (
    ALLOW,
    FILE,
    FRESH,
    MIGRATE,
    ONLY,
    REVERT,
    SKIP,
    YES,
    executed,
    known_of,
    run_options,
)
from gatestack.ending.printed import ended
from gatestack.environment import resolve
from gatestack.notices.told import deploying
from gatestack.options import ENV, FORMAT, Options
from gatestack.policy.kept import kept_manifest


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
    help="Execute a saved plan (plan --save) exactly, or refuse; does not ask.",
)
@click.option(
    "--on-failure",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    help="After a failed stack: continue with independent stacks (default), or start nothing new.",
)
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
    """Deploy ENV as its file describes, with change sets, in parallel where the imports allow."""
    if path and (only or revert_drift):
        raise click.UsageError("--only and --revert-drift cannot be given with --plan: the plan defines that")
    reviewed = review.read(path, env) if path else None
    environment = resolve(env, options.region)
    if not reviewed and not yes:
        review.check_terminal(" (see `gatestack plan` first)")
    environment.warn()
    chosen = replace(
        run_options(environment, options, only, env),
        allow_replace=frozenset(allow_replace),
        skip_in_rollback=frozenset(skip_in_rollback),
        on_failure="stop" if on_failure == "stop" else "continue",
        revert_drift=revert_drift,
        migrate_exports=migrate_exports,
        fresh=fresh,
    )
    manifest, cloud = kept_manifest(environment), connect(environment, options, starting=True)
    try:
        if not reviewed and not yes:
            reviewed = review.agreed(environment, manifest, cloud, options, chosen)
    except review.NothingToDo:
        return 0
    file = str(path) if path else ""
    with deploying(environment, options) as run:
        result = executed(
            environment, manifest, cloud, options, chosen, reviewed, file=file, through=run.through
        )
        run.ended(result)
    return ended(result, style, known_of(environment, options, result))
