"""`events`: what happened in an environment's stacks. It changes nothing and renders nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from deployer import report
from deployer.history.since import moment
from gatestack import telling
from gatestack.account import connect, present_in
from gatestack.environment import resolve
from gatestack.follow import follow
from gatestack.options import ENV, Options


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else moment(value, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@ENV
@click.option("--stack", "only", help="One stack, by its short name (network).")
@click.option("--follow", "following", is_flag=True, help="Print new events as they arrive, until Ctrl-C.")
@click.option(
    "--since",
    metavar="WHEN",
    callback=_moment,
    help="Only events since then: 30m, 2h, 3d, 1w ago, or an ISO 8601 timestamp (UTC without an offset).",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    help="html: a timeline of the last deployment.",
)
@click.pass_obj
def events(
    options: Options, env: str, only: str | None, since: datetime | None, style: str, *, following: bool
) -> int:
    """Show ENV's stack events, oldest first."""
    if following and style == "html":
        raise click.UsageError("--format html draws the last deployment: it cannot be combined with --follow")
    environment = resolve(env, options.region)
    chosen = environment.chosen(only)
    cloud = connect(environment, options)
    if following:
        return follow(environment, chosen, cloud, options, style, since)
    here = present_in(environment, cloud)
    if only is None:
        chosen = here.names
    states = {name: state for name, state in here.states.items() if name in chosen}
    read = {name: cloud.events(state.id, since=since) if state else () for name, state in states.items()}
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
