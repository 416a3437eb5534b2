"""`rotate`: starts a secret's rotation and follows it until the tasks run with the new value."""

from __future__ import annotations

import json
import shlex
import time

import click

from deployer.aws.stores.rotation_store import RotationStore
from deployer.aws.stores.service_store import ServiceStore
from deployer.cloud import Cloud
from deployer.day2.names import near
from deployer.day2.rollout import Roller
from deployer.day2.rotation import Begun, Rotation, Rotator, standing
from deployer.day2.service import Service, place_of
from deployer.day2.waiting import Patience
from deployer.errors import DeployError, Interrupted, LostSight, NotOffered
from deployer.progress import again
from deployer.run.backoff import with_backoff
from gatestack import telling
from gatestack.account import check_account, clients, connect, poll_interval, speed
from gatestack.catalogue import rotated, rotations, unrotated
from gatestack.ending.day2 import Rotated, of_rotation
from gatestack.ending.printed import printed
from gatestack.environment import Environment, resolve
from gatestack.injected import put_in
from gatestack.options import ENV, FORMAT, Options
from gatestack.progress import shown
from gatestack.rolling import MINUTES
from gatestack.signals import host


@click.command()
@ENV
@click.argument("secret", metavar="SECRET")
@click.option(
    "--timeout-minutes",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=MINUTES,
    show_default=True,
    help="Timeout of the wait, for the rotation and again for the new tasks; AWS continues.",
)
@click.option(
    "--wait-rollout/--no-wait-rollout",
    "wait_rollout",
    default=True,
    help="Also wait until the tasks that take the new value run.",
)
@FORMAT
@click.pass_obj
def rotate(options: Options, env: str, secret: str, minutes: float, style: str, *, wait_rollout: bool) -> int:
    """Rotate SECRET of ENV now (database: the tasks' login; LiteLLM's master-key), and wait for it."""
    environment, called = resolve(env, options.region), options.called(env)
    name = f"{environment.prefix}/{_meant(secret, environment, called)}"
    cloud = connect(environment, options)
    check_account(environment, cloud)
    patience = Patience(minutes, poll_interval(environment, options), speed(environment, options))
    services = clients(environment, options)
    with shown(options) as tell, host(tell) as here:
        rotator = Rotator(RotationStore(services, since=time.time()), here, patience, called)
        roller = _roller(environment, cloud, ServiceStore(services), rotator) if wait_rollout else None
        before = _before(roller) if roller else None
        done = _rotated(rotator, roller, before, environment, name, style)
    flags = [f"--timeout-minutes {minutes:g}"] if minutes != MINUTES else []
    flags += [] if wait_rollout else ["--no-wait-rollout"]
    resume = again("rotate", called, shlex.quote(secret), *flags)
    screen = of_rotation(environment.name, called, resume, done)
    rotation = (name, done.rotation.version, done.rotation.status, done.rotation.seconds, done.rollout)
    printed(screen, style, lambda: _json(environment.name, *rotation))
    return 1 if screen.cause else 0


def _meant(secret: str, environment: Environment, env: str) -> str:
    """
    Return which secret *secret* means, by its name below the prefix.

    Raises:
        UsageError: it is none, or none that a function rotates.

    """
    short = secret.removeprefix(f"{environment.prefix}/")
    application = environment.application
    rotates, others = rotated(application), unrotated(application, put_in(environment))
    if short in rotates:
        return rotates[short]
    which = f"no secret of {environment.name} is rotated"
    if rotates:
        which = f"rotated are: {', '.join(rotations(application))}"
    if short in others:
        why = others[short].format(env=env)
        raise click.UsageError(f"{short} is not rotated: {why} ({which})")
    hint = near(short, [*rotates, *others])
    raise click.UsageError(f"no secret {secret!r}{hint} ({which})")


def _roller(environment: Environment, cloud: Cloud, store: ServiceStore, rotator: Rotator) -> Roller | None:
    names = environment.stack_names
    states = with_backoff(rotator.host, lambda: cloud.stacks(list(names.values())))
    place = place_of(states, names)
    return Roller(store, place, rotator.host, rotator.patience, rotator.environment) if place else None


def _before(roller: Roller) -> Service | None:
    """Return the service before the rotation; None if it has no tasks to wait for."""
    try:
        found = roller.look()
    except NotOffered as error:
        roller.say(f"{error}: new tasks are not waited for")
        return None
    return found if found and found.status == "ACTIVE" and found.desired else None


def _rotated(
    rotator: Rotator,
    roller: Roller | None,
    before: Service | None,
    environment: Environment,
    name: str,
    style: str,
) -> Rotated:
    """Rotate, then wait for the new tasks; if the wait times out, JSON still shows the state."""
    began = rotator.host.clock()
    begun = rotator.begin(name)
    try:
        rotation = rotator.follow(begun)
        if rotation.status == "FAILED" or roller is None or before is None:
            return Rotated(rotation, "SKIPPED")
        rotator.say("the new value is current")
        return _rolled(rotator, roller, before, begun, rotation)
    except (Interrupted, LostSight):
        if style == "json":
            seconds = rotator.host.clock() - began
            telling.document(_json(environment.name, name, begun.version, "IN_PROGRESS", seconds))
        raise


def _rolled(rotator: Rotator, roller: Roller, before: Service, begun: Begun, rotation: Rotation) -> Rotated:
    made = roller.noticed(before)
    if made is None:
        why = _why(rotator, begun)
        what = f"{begun.secret} is rotated, but no new tasks were started{why}"
        return Rotated(rotation, "MISSING", what)
    rollout = roller.follow(made)
    if rollout.status == "COMPLETED":
        return Rotated(rotation, rollout.status)
    what = f"{begun.secret} is rotated, but its new tasks do not run: {rollout.reason}"
    return Rotated(rotation, rollout.status, what)


def _why(rotator: Rotator, begun: Begun) -> str:
    """Return what the function logged about it; nothing if its log cannot be read."""
    try:
        failure = standing(rotator.rotations.records(begun.function, begun.version))
    except DeployError:
        return ""
    return f" ({failure.step}: {failure.error})" if failure else ""


def _json(
    environment: str, secret: str, version: str, status: str, seconds: float, rollout: str = "SKIPPED"
) -> str:
    found = {"environment": environment, "secret": secret, "version": version, "seconds": round(seconds, 1)}
    return json.dumps(found | {"status": status, "rollout": rollout}, indent=2)
