"""`status`, `outputs`, `events`: what is there. They change nothing and render nothing."""

from __future__ import annotations

import json

import click

from deployer import report
from deployer.cloud import Cloud
from deployer.day2.present import Present, present
from deployer.progress import outputs_of
from gatestack import telling
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
    found = _present(environment, connect(environment, options))
    if style == "json":
        telling.document(report.status_json(environment.name, found.names, found.states))
    else:
        click.echo(report.status_text(found.states))
    for name in found.left:
        what = f"{environment.name} no longer has {name} ({found.names[name]})"
        click.echo(f"note: {what}: the next deploy, or destroy, takes it away", err=True)
    return 0


@click.command()
@ENV
@FORMAT
@click.pass_obj
def outputs(options: Options, env: str, style: str) -> int:
    """Show what ENV's stacks export."""
    environment = resolve(env, options.region)
    states = _present(environment, connect(environment, options)).states
    found = [output for name, state in states.items() for output in outputs_of(name, state)]
    if style == "json":
        stacks = report.outputs_by_stack(found)
        telling.document(json.dumps({"environment": environment.name, "outputs": stacks}, indent=2))
    else:
        click.echo(report.outputs_text(found))
    telling.outputs(found)
    return 0


@click.command()
@ENV
@click.option("--stack", "only", help="One stack, by its short name (network).")
@click.option("--follow", "following", is_flag=True, help="Show what is new as it comes, until Ctrl-C.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    help="html: a chart of the last deployment.",
)
@click.pass_obj
def events(options: Options, env: str, only: str | None, style: str, *, following: bool) -> int:
    """Show what happened in ENV's stacks, oldest first."""
    if following and style == "html":
        raise click.UsageError("a page is about what there is now: --format html cannot follow")
    environment = resolve(env, options.region)
    chosen = environment.chosen(only)
    cloud = connect(environment, options)
    if following:
        return follow(environment, chosen, cloud, options, style)
    here = _present(environment, cloud)
    if only is None:
        chosen = here.names
    states = {name: state for name, state in here.states.items() if name in chosen}
    read = {name: cloud.events(state.id) if state else () for name, state in states.items()}
    found = [(name, event) for name, each in read.items() for event in each]
    found.sort(key=lambda row: row[1].time)
    if style == "html":
        from gatestack import pages  # noqa: PLC0415 - no other format waits for Jinja2

        click.echo(pages.of_events(environment, cloud, states, read))
    elif style == "json":
        telling.document(report.events_json(environment.name, found))
    else:
        click.echo("\n".join(report.event_text(stack, event) for stack, event in found))
    return 0


def _present(environment: Environment, cloud: Cloud) -> Present:
    return present(environment.name, environment.system, environment.stack_names, cloud)
