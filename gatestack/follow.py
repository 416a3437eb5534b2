"""`events --follow`: prints an environment's events as they arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from deployer import report
from deployer.cloud import Cloud
from deployer.day2 import watch_report
from deployer.day2.follow import follow as follow_stacks
from deployer.errors import Interrupted
from deployer.states import StackEvent
from gatestack import gate, telling
from gatestack.account import poll_interval
from gatestack.environment import Environment
from gatestack.options import Options
from gatestack.signals import host


def follow(
    environment: Environment,
    stacks: Mapping[str, str],
    cloud: Cloud,
    options: Options,
    style: str,
    since: datetime | None = None,
) -> int:
    """Print the events of *stacks*, from *since* on, until interrupted, or unread; JSON: an object a line."""

    def show(rows: Sequence[tuple[str, StackEvent]]) -> None:
        for stack, event in rows:
            if style == "json":
                telling.document(watch_report.event_line(stack, event))
            else:
                click.echo(report.event_text(stack, event))
        if gate.unread():
            raise click.exceptions.Exit(0)

    with host(lambda _: None) as here:
        interval = poll_interval(environment, options)
        follow_stacks(stacks, cloud, here, show, poll_interval=interval, since=since)
    return Interrupted.exit_code
