"""`watch`: attaches to the operation in progress in an environment, whoever started it. Read-only."""

from __future__ import annotations

import click

from deployer import report
from deployer.day2.attach import watch as watch_stacks
from deployer.run.backoff import with_backoff
from gatestack.account import connect, poll_interval, present_in, speed
from gatestack.ending.facts import ending
from gatestack.ending.printed import printed
from gatestack.environment import resolve
from gatestack.options import ENV, FORMAT, Options
from gatestack.progress import shown
from gatestack.signals import host


@click.command()
@ENV
@FORMAT
@click.pass_obj
def watch(options: Options, env: str, style: str) -> int:
    """Attach to the operation in progress in ENV, whoever started it, until it ends; read-only."""
    environment = resolve(env, options.region)
    cloud = connect(environment, options)
    interval = poll_interval(environment, options)
    with shown(options, speed=speed(environment, options)) as tell, host(tell) as here:
        found = with_backoff(here, lambda: present_in(environment, cloud))
        result = watch_stacks(
            environment.name,
            found.names,
            cloud,
            here,
            poll_interval=interval,
            show_events=not options.quiet,
            env=options.called(env),
        )
    printed(ending(result), style, lambda: report.result_json(result))
    return result.exit_code
