"""`destroy`: deletes an environment's stacks, in reverse order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import click

from deployer.deploy import Going, check_force, check_removal
from deployer.deploy import destroy as destroy_stacks
from deployer.kept import cost_line
from deployer.progress import Result
from gatestack import review
from gatestack.account import connect, nowhere, speed
from gatestack.changes import ONLY, YES, run_options
from gatestack.ending.printed import ended
from gatestack.environment import Environment, resolve
from gatestack.options import ENV, FORMAT, Options
from gatestack.progress import shown
from gatestack.signals import host
from gatestack.tracing.told import traced


@click.command()
@ENV
@YES
@ONLY
@click.option("--force", is_flag=True, help="Also destroy production, and disable termination protection.")
@FORMAT
@click.pass_obj
def destroy(options: Options, env: str, only: tuple[str, ...], style: str, *, yes: bool, force: bool) -> int:
    """Delete ENV's stacks in reverse order; list what is kept (final snapshot, retained resources)."""
    environment = resolve(env, options.region, guesses=False)
    chosen = replace(run_options(environment, options, only, env), force=force)
    if nowhere(environment, options):
        click.echo("no sandbox runs, so there is nothing to destroy", err=True)
        return ended(Result(environment.name, "destroy", ()), style)
    if not yes:
        review.check_terminal()
    manifest = environment.manifest()
    if yes:
        check_force(manifest, chosen)
    cloud = connect(environment, options)
    if not yes:
        going: list[Going] = []
        try:
            check_removal(manifest, cloud, chosen, going.append)
        finally:
            for line in _list(going, manifest.region):
                click.echo(line, err=True)
        _confirm_by_name(environment, only)
    with (
        traced(environment, "destroy") as run,
        shown(options, speed=speed(environment, options)) as tell,
        host(run.through(tell)) as here,
    ):
        result = run.ended(destroy_stacks(manifest, cloud, chosen, here))
    from gatestack.costing import with_kept_cost  # noqa: PLC0415 - what keeps nothing costs nothing

    return ended(with_kept_cost(result, manifest.region), style)


def _list(going: Sequence[Going], region: str) -> Iterator[str]:
    """Yield what is deleted and what is kept, a line each, and the cost of that."""
    for one in going:
        yield f"deletes {one.stack_name}: {one.resources} resource{'' if one.resources == 1 else 's'}"
        yield from (f"  keeps {thing}" for thing in one.kept)
    if any(one.kept for one in going):
        from gatestack.costing import priced  # noqa: PLC0415 - what keeps nothing costs nothing

        yield cost_line(priced((thing for one in going for thing in one.kept), region))


def _confirm_by_name(environment: Environment, only: Collection[str]) -> None:
    what = ", ".join(environment.stack_names[name] for name in only)
    click.echo(f"This deletes {what or f'every stack of {environment.name}'}.", err=True)
    typed = click.prompt("Type the environment's name to go on", default="", show_default=False, err=True)
    if typed != environment.name:
        raise review.NotConfirmed(f"{typed!r} is not {environment.name}; nothing was changed")
