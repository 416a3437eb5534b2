"""Starts new tasks for every service of an environment, one after the other, and reports the results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from deployer.aws.stores.service_store import ServiceStore
from deployer.cloud import Cloud
from deployer.day2.rollout import Roller, Rollout
from deployer.day2.service import SERVICE_STACK, output, places_of
from deployer.day2.waiting import Patience
from deployer.errors import DeployError, Interrupted, LostSight
from deployer.options import Host
from deployer.progress import Step
from deployer.run.backoff import with_backoff
from deployer.states import StackState
from gatestack import telling
from gatestack.account import clients, poll_interval, speed
from gatestack.ending.text import listed
from gatestack.environment import Environment
from gatestack.options import Options

MINUTES = 45.0
"""Time limit of a rollout: health checks have ten minutes' grace, old tasks drain for ten and stop in two."""
TIMEOUT = click.option(
    "--timeout-minutes",
    "minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=MINUTES,
    show_default=True,
    help="Timeout of the wait for a service; AWS continues.",
)


@dataclass(frozen=True)
class Rolled:
    """The result of one service."""

    service: str
    rollout: Rollout

    @property
    def failed(self) -> bool:
        """Whether new tasks were started and do not run."""
        return self.rollout.status not in {"COMPLETED", "SKIPPED"}


def rollers_for(
    environment: Environment, called: str, cloud: Cloud, options: Options, here: Host, minutes: float
) -> tuple[tuple[Roller, ...], str]:
    """
    Return the rollers of the services of *environment*, and why the first one may have no tasks.

    Raises:
        DeployError: the services' stack does not exist.

    """
    names = environment.stack_names
    states = with_backoff(here, lambda: cloud.stacks(list(names.values())))
    places = places_of(states, names)
    if not places:
        raise DeployError(f"{environment.name} has no service: `gatestack deploy {called}` creates it")
    patience = Patience(minutes, poll_interval(environment, options), speed(environment, options))
    store = ServiceStore(clients(environment, options))
    found = tuple(Roller(store, place, here, patience, called) for place in places)
    return found, _idle(states, names, called)


def rolled(rollers: Sequence[Roller], idle: str, environment: Environment, style: str) -> tuple[Rolled, ...]:
    """
    Start new tasks of one service after the other and follow them; services after a failure are left alone.

    A cause that keeps tasks from starting mostly applies to all of them, and a service without load balancer
    has no old tasks beside the new ones. If an end is not seen, JSON still names the deployments.

    Raises:
        DeployError: the service that gets the requests does not exist, or is to run no tasks.

    """
    done: list[Rolled] = []
    for roller in rollers:
        if any(one.failed for one in done) or (done and _is_idle(roller)):
            done.append(_skipped(roller))
            continue
        began = roller.host.clock()
        begun = roller.begin(idle)
        try:
            done.append(Rolled(roller.place.service, roller.follow(begun)))
        except (Interrupted, LostSight):
            if style == "json":
                going = Rollout(begun.deployment, "IN_PROGRESS", roller.host.clock() - began)
                rest = map(_skipped, rollers[len(done) + 1 :])
                telling.document(
                    as_json(environment.name, [*done, Rolled(roller.place.service, going), *rest])
                )
            raise
    return tuple(done)


def _is_idle(roller: Roller) -> bool:
    """Whether the service of *roller* exists and is to run no tasks, which is reported then."""
    found = roller.look()
    idle = found is not None and found.status == "ACTIVE" and not found.desired
    if idle:
        roller.say("has a desired count of 0: no tasks are started", warning=True)
    return idle


def _skipped(roller: Roller) -> Rolled:
    return Rolled(roller.place.service, Rollout("", "SKIPPED", 0.0))


def ended(done: Sequence[Rolled], environment: Environment, style: str, again: str) -> int:
    """Print the result of a rollout: stdout has it, stderr the command *again* and the first cause."""
    failed = next((one for one in done if one.failed), None)
    if style == "json":
        telling.document(as_json(environment.name, done))
    else:
        for one in (one for one in done if one.rollout.status == "COMPLETED"):
            click.echo(f"{one.service}: new tasks run ({one.rollout.seconds:.1f} s)")
    if failed is None:
        return 0
    click.echo("\n".join(listed([Step("once the cause is fixed", again)])), err=True)
    back = failed.rollout.status == "ROLLED_BACK"
    what = "ECS rolled back to the previous tasks" if back else "the rollout failed"
    telling.error(f"{failed.service}: {what}: {failed.rollout.reason}")
    return 1


def as_json(environment: str, done: Sequence[Rolled]) -> str:
    """
    Return the result of a rollout, for machines: the service that gets the requests.

    With several, ``services`` has each of them, and ``status`` is the overall result.
    """
    found = {"environment": environment} | _record(done[0])
    if len(done) > 1:
        worst = next((one for one in done if one.failed), done[0])
        found |= {"status": worst.rollout.status, "services": [_record(one) for one in done]}
    return json.dumps(found, indent=2)


def _record(one: Rolled) -> dict[str, Any]:
    return {
        "service": one.service,
        "deployment": one.rollout.deployment,
        "status": one.rollout.status,
        "seconds": round(one.rollout.seconds, 1),
    }


def _idle(states: tuple[StackState, ...], names: Mapping[str, str], called: str) -> str:
    """Return why the service may have no tasks, and what to do."""
    stack = names.get(SERVICE_STACK, "")
    wanted = next((state.parameters.get("DesiredCount") for state in states if state.name == stack), None)
    deploy = f"then `gatestack deploy {called}`"
    if wanted == "0":
        repository = output(states, stack, "EcrRepositoryUri") or "its repository"
        why = "at the last deployment its image was missing, or service.desired_count is 0"
        return f"{why}: push the image to {repository} (or raise service.desired_count), {deploy}"
    return f"a user, or its scaling, has set the desired count to 0: raise service.min_tasks, {deploy}"
