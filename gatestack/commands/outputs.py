"""`outputs`: the exports of an environment's stacks. It changes nothing and renders nothing."""

from __future__ import annotations

import json

import click

from deployer import report
from deployer.progress import outputs_of
from gatestack import telling
from gatestack.account import connect, present_in
from gatestack.environment import resolve
from gatestack.options import ENV, FORMAT, Options


@click.command()
@ENV
@FORMAT
@click.pass_obj
def outputs(options: Options, env: str, style: str) -> int:
    """Show what ENV's stacks export."""
    environment = resolve(env, options.region)
    states = present_in(environment, connect(environment, options)).states
    found = [output for name, state in states.items() for output in outputs_of(name, state)]
    if style == "json":
        stacks = report.outputs_by_stack(found)
        telling.document(json.dumps({"environment": environment.name, "outputs": stacks}, indent=2))
    else:
        click.echo(report.outputs_text(found))
    telling.outputs(found)
    return 0
