"""`status`: the state of an environment's stacks. It changes nothing and renders nothing."""

from __future__ import annotations

import click

from deployer import report
from gatestack import telling
from gatestack.account import connect, present_in
from gatestack.environment import resolve
from gatestack.options import ENV, FORMAT, Options


@click.command()
@ENV
@FORMAT
@click.pass_obj
def status(options: Options, env: str, style: str) -> int:
    """Show the state of ENV's stacks."""
    environment = resolve(env, options.region)
    found = present_in(environment, connect(environment, options))
    if style == "json":
        telling.document(report.status_json(environment.name, found.names, found.states, environment.patched))
    else:
        click.echo(report.status_text(found.states, environment.patched))
    for name in found.left:
        what = f"{environment.name} no longer has {name} ({found.names[name]})"
        click.echo(f"note: {what}: the next deploy or destroy deletes it", err=True)
    return 0
