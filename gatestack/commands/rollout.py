"""`rollout`: starts new tasks, of the same or another image, and follows them until they run or roll back."""

from __future__ import annotations

import click

from deployer.progress import again
from gatestack.account import check_account, connect
from gatestack.environment import resolve
from gatestack.options import ENV, FORMAT, Options
from gatestack.progress import shown
from gatestack.rolling import TIMEOUT, ended, rolled, rollers_for
from gatestack.signals import host


@click.command()
@ENV
@click.option("--image-tag", "tag", metavar="TAG", help="Deploy this image tag, through CloudFormation.")
@click.option(
    "--all-changes", is_flag=True, help="With --image-tag: also deploy the other changes of ENV's file."
)
@click.option("--yes", is_flag=True, help="With --image-tag: do not ask for confirmation.")
@TIMEOUT
@FORMAT
@click.pass_obj
def rollout(
    options: Options,
    env: str,
    tag: str | None,
    minutes: float,
    style: str,
    *,
    all_changes: bool,
    yes: bool,
) -> int:
    """Start new tasks in ENV and wait until they are steady, or ECS has rolled back."""
    environment, called = resolve(env, options.region), options.called(env)
    if tag is not None:
        from gatestack.retagging import retag  # noqa: PLC0415 - what renders and deploys loads a lot

        return retag(options, environment, env, tag, minutes, style, all_changes=all_changes, yes=yes)
    if all_changes:
        raise click.UsageError("--all-changes is for --image-tag; `gatestack deploy` deploys the file")
    cloud = connect(environment, options)
    check_account(environment, cloud)
    with shown(options) as tell, host(tell) as here:
        rollers, idle = rollers_for(environment, called, cloud, options, here, minutes)
        done = rolled(rollers, idle, environment, style)
    return ended(done, environment, style, again("rollout", called))
