"""`status`, `outputs`, `events`: what is there. They change nothing and render nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from deployer import report
from deployer.cloud import Cloud, StackState
from deployer.progress import outputs_of
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
    found = [output for name, state in states.items() for output in outputs_of(name, state)]
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
    chosen = environment.chosen(only)
    cloud = connect(environment, options)
    if following:
        return follow(environment, chosen, cloud, options, style)
    states = {name: state for name, state in _states(environment, cloud).items() if name in chosen}
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
