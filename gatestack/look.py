"""`status`, `outputs`, `events`: what is there. They change nothing and render nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from deployer import report
from deployer.cloud import Cloud, StackState
from deployer.progress import StackOutput
from gatestack.account import connect
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.follow import follow

FORMAT = click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
ENV = click.argument("env")


@click.command()
@ENV
@FORMAT
@click.pass_obj
def status(options: Options, env: str, style: str) -> int:
    """Show the state of ENV's stacks."""
    environment = resolve(env, options.region)
    states = _states(environment, connect(environment, options))
    if style == "json":
        click.echo(report.status_json(environment.name, environment.stack_names, states))
    else:
        click.echo(report.status_text(states))
    return 0


@click.command()
@ENV
@FORMAT
@click.pass_obj
def outputs(options: Options, env: str, style: str) -> int:
    """Show what ENV's stacks export."""
    environment = resolve(env, options.region)
    states = _states(environment, connect(environment, options))
    found = [
        StackOutput(name, output.key, output.value, output.export, output.description)
        for name, state in states.items()
        if state
        for output in state.outputs
    ]
    if style == "json":
        stacks = report.outputs_by_stack(found)
        click.echo(json.dumps({"environment": environment.name, "outputs": stacks}, indent=2))
    else:
        click.echo(report.outputs_text(found))
    return 0


@click.command()
@ENV
@click.option("--stack", "only", help="One stack, by its short name (network).")
@click.option("--follow", "following", is_flag=True, help="Show what is new as it comes, until Ctrl-C.")
@FORMAT
@click.pass_obj
def events(options: Options, env: str, only: str | None, style: str, *, following: bool) -> int:
    """Show what happened in ENV's stacks, oldest first."""
    environment = resolve(env, options.region)
    if only is not None and only not in environment.stack_names:
        raise click.UsageError(
            f"no stack {only}; {environment.name} has {', '.join(environment.stack_names)}"
        )
    cloud = connect(environment, options)
    if following:
        stacks = [name for name in environment.stack_names if only in (None, name)]
        return follow(environment, stacks, cloud, options, style)
    states = {name: state for name, state in _states(environment, cloud).items() if only in (None, name)}
    found = [(name, event) for name, state in states.items() if state for event in cloud.events(state.id)]
    found.sort(key=lambda row: row[1].time)
    if style == "json":
        click.echo(report.events_json(environment.name, found))
    else:
        click.echo("\n".join(report.event_text(stack, event) for stack, event in found))
    return 0


def _states(environment: Environment, cloud: Cloud) -> Mapping[str, StackState | None]:
    live = {state.name: state for state in cloud.stacks(list(environment.stack_names.values()))}
    return {name: live.get(stack_name) for name, stack_name in environment.stack_names.items()}
