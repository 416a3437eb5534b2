"""`watch`, and `events --follow`: what goes on in an environment, as it comes. They change nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import click

from deployer import report
from deployer.cloud import Cloud, StackEvent
from deployer.day2 import watch_report as look_report
from deployer.day2.attach import watch as watch_stacks
from deployer.day2.follow import follow as follow_stacks
from deployer.day2.present import present
from deployer.errors import Interrupted
from deployer.run.backoff import with_backoff
from gatestack import gate, telling
from gatestack.account import connect, poll_interval, speed
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.progress import shown
from gatestack.signals import host


@click.command()
@click.argument("env")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def watch(options: Options, env: str, style: str) -> int:
    """Attach to what goes on in ENV's stacks, whoever started it, until it ends; it changes nothing."""
    environment = resolve(env, options.region)
    cloud = connect(environment, options)
    interval = poll_interval(environment, options)
    name, names = environment.name, environment.stack_names
    with shown(options, speed=speed(environment, options)) as tell, host(tell) as here:
        found = with_backoff(here, lambda: present(name, environment.system, names, cloud))
        result = watch_stacks(
            name,
            found.names,
            cloud,
            here,
            poll_interval=interval,
            show_events=not options.quiet,
            env=shlex.quote(env),
        )
    if style == "json":
        telling.document(report.result_json(result))
    else:
        click.echo(look_report.watch_text(result), err=True)
    if cause := report.first_cause(result):
        telling.error(cause)
    return result.exit_code


def follow(
    environment: Environment, stacks: Mapping[str, str], cloud: Cloud, options: Options, style: str
) -> int:
    """Print the events of *stacks* until interrupted, or unread; JSON: an object a line."""

    def show(rows: Sequence[tuple[str, StackEvent]]) -> None:
        for stack, event in rows:
            if style == "json":
                telling.document(look_report.event_line(stack, event))
            else:
                click.echo(report.event_text(stack, event))
        if gate.unread():
            raise click.exceptions.Exit(0)

    with host(lambda _: None) as here:
        follow_stacks(stacks, cloud, here, show, poll_interval=poll_interval(environment, options))
    return Interrupted.exit_code
