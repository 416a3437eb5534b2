"""`rollout`: new tasks, of the same image or another one, followed until they run or are taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from deployer.aws.service_store import ServiceStore
from deployer.cloud import Cloud, StackState
from deployer.errors import DeployError, Interrupted, LostSight
from deployer.loop.patience import patiently
from deployer.options import Host
from deployer.upkeep.rollout import Roller, Rollout
from deployer.upkeep.service import SERVICE_STACK, output, place_of
from deployer.upkeep.waiting import Patience
from gatestack.account import check_account, clients, connect, poll_interval, speed
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.progress import shown
from gatestack.signals import host

MINUTES = 30.0
"""A rollout may take: health checks have ten minutes' grace, and old tasks drain for two."""
TIMEOUT = click.option(
    "--timeout-minutes",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=MINUTES,
    show_default=True,
    help="Stop waiting after this; AWS goes on.",
)


@click.command()
@click.argument("env")
@click.option("--image-tag", "tag", metavar="TAG", help="Run this image from now on, through CloudFormation.")
@click.option("--yes", is_flag=True, help="With --image-tag: do not ask.")
@TIMEOUT
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def rollout(options: Options, env: str, tag: str | None, minutes: float, style: str, *, yes: bool) -> int:
    """Start new tasks in ENV and wait until they are steady, or ECS has gone back to the old ones."""
    environment = resolve(env, options.region)
    if tag is not None:
        from gatestack.retagging import retag  # noqa: PLC0415 - what renders and deploys loads a lot

        return retag(options, environment, env, tag, minutes, style, yes=yes)
    cloud = connect(environment, options)
    check_account(environment, cloud)
    with shown(options) as tell, host(tell) as here:
        roller, idle = roller_for(environment, env, cloud, options, here, minutes)
        done = rolled(roller, idle, environment, style)
    return ended(done, environment, roller.place.service, style)


def roller_for(
    environment: Environment, env: str, cloud: Cloud, options: Options, here: Host, minutes: float
) -> tuple[Roller, str]:
    """
    Return what rolls the service of *environment*, and why it may have no tasks.

    Raises:
        DeployError: the service's stack is not there.

    """
    names = environment.stack_names
    states = patiently(here, lambda: cloud.stacks(list(names.values())))
    place = place_of(states, names)
    if place is None:
        raise DeployError(f"{environment.name} has no service: `gatestack deploy {env}` makes it")
    patience = Patience(minutes, poll_interval(environment, options), speed(environment))
    store = ServiceStore(clients(environment, options))
    return Roller(store, place, here, patience, env), _idle(states, names, env)


def ended(done: Rollout, environment: Environment, service: str, style: str) -> int:
    """Print what a rollout came to: stdout the result, stderr the first cause."""
    if style == "json":
        click.echo(as_json(environment.name, service, done))
    elif done.status == "COMPLETED":
        click.echo(f"{service}: new tasks run ({done.seconds:.1f} s)")
    if done.status == "COMPLETED":
        return 0
    what = "ECS has gone back to the tasks before" if done.status == "ROLLED_BACK" else "the rollout failed"
    click.echo(f"error: {service}: {what}: {done.reason}", err=True)
    return 1


def as_json(environment: str, service: str, done: Rollout) -> str:
    """Return what a rollout came to, for machines."""
    return json.dumps(
        {
            "environment": environment,
            "service": service,
            "deployment": done.deployment,
            "status": done.status,
            "seconds": round(done.seconds, 1),
        },
        indent=2,
    )


def rolled(roller: Roller, idle: str, environment: Environment, style: str) -> Rollout:
    """Start new tasks and follow them; where their end is not seen, JSON still says which they are."""
    began = roller.host.clock()
    begun = roller.begin(idle)
    try:
        return roller.follow(begun)
    except (Interrupted, LostSight):
        if style == "json":
            seconds = roller.host.clock() - began
            going = Rollout(begun.deployment, "IN_PROGRESS", seconds)
            click.echo(as_json(environment.name, roller.place.service, going))
        raise


def _idle(states: tuple[StackState, ...], names: Mapping[str, str], env: str) -> str:
    """Return why the service may have no tasks, and what to do."""
    stack = names.get(SERVICE_STACK, "")
    wanted = next((state.parameters.get("DesiredCount") for state in states if state.name == stack), None)
    deploy = f"then `gatestack deploy {env}`"
    if wanted == "0":
        repository = output(states, stack, "EcrRepositoryUri") or "its repository"
        why = "at the last deployment its image was missing, or service.desired_count is 0"
        return f"{why}: push the image to {repository} (or raise service.desired_count), {deploy}"
    return f"somebody, or its scaling, has set their number to 0: raise service.min_tasks, {deploy}"
