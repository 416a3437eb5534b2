"""`verify`: whether an environment is healthy, end to end. It changes nothing and renders nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property, partial

import click

from deployer.aws.endpoint import emulated
from deployer.aws.login import Clients
from deployer.aws.rotation_store import RotationStore
from deployer.aws.secret_store import SecretsManager
from deployer.aws.service_store import ServiceStore
from deployer.aws.target_store import TargetStore
from deployer.cloud import Cloud, StackState
from deployer.errors import NotOffered
from deployer.loop.patience import patiently
from deployer.options import Host
from deployer.upkeep import verification
from deployer.upkeep.health import Question, answers
from deployer.upkeep.probe import probe
from deployer.upkeep.service import Place, Service, TaskDefinition, output, place_of
from deployer.upkeep.verification import Check
from gatestack.account import check_account, clients, connect
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.signals import host
from stacks.checking import limits

ROTATED = {"database": "database-login", "master-key": "master-key"}
"""What `rotate` calls a secret -> its short name."""
NO_STACK = "its stack is not there"


@click.command()
@click.argument("env")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def verify(options: Options, env: str, style: str) -> int:
    """Check ENV end to end: stacks, tasks, load balancer, secrets, rotations, the gateway's own answer."""
    environment = resolve(env, options.region)
    cloud, services = connect(environment, options), clients(environment, options)
    check_account(environment, cloud)
    with host(lambda _: None) as here:
        found = checks(environment, env, cloud, services, here)
    click.echo(_json(environment.name, found) if style == "json" else _table(found))
    failed = [check for check in found if check.outcome == "failed"]
    if failed:
        click.echo(f"error: {failed[0].name}: {failed[0].detail}: {failed[0].remedy}", err=True)
    return 1 if failed else 0


def checks(
    environment: Environment, env: str, cloud: Cloud, services: Clients, here: Host
) -> tuple[Check, ...]:
    """
    Return everything that was looked at; *env* is how the user names the environment.

    Raises:
        LostSight, CloudError: AWS could not be asked at all.
        Interrupted: a signal came.

    """
    names = environment.stack_names
    states = patiently(here, lambda: cloud.stacks(list(names.values())))
    live = {state.name: state for state in states}
    stacks = tuple(verification.stack(name, live.get(full), env) for name, full in names.items())
    place = place_of(states, names)
    looks = _Looks(env, environment.prefix, _configured(environment), names, states, services, here)
    questions = [Question("service", partial(_service, looks, place))]
    questions += [
        Question("targets", partial(_targets, looks)),
        Question("provider keys", partial(_keys, looks, place)),
        Question("master key", partial(_master_key, looks)),
        *(Question(f"rotation {one}", partial(_rotation, looks, one)) for one in ROTATED),
        Question("database login", partial(_login, looks)),
        Question("config.yaml", partial(_config, looks, place)),
        Question("endpoint", partial(_endpoint, looks)),
    ]
    return stacks + answers(questions, here)


def _configured(environment: Environment) -> Sequence[str] | None:
    if environment.settings is None:
        return None
    keys = limits.PROVIDER_KEYS
    return [keys[one] for one in environment.settings.service.providers if one in keys]


@dataclass
class _Looks:
    """What several questions look at."""

    env: str
    prefix: str
    configured: Sequence[str] | None
    """Names of the providers' keys that the environment file asks for; None where there is no file."""
    names: Mapping[str, str]
    states: Sequence[StackState]
    clients: Clients
    host: Host

    @cached_property
    def services(self) -> ServiceStore:
        return ServiceStore(self.clients)

    @cached_property
    def secrets(self) -> SecretsManager:
        return SecretsManager(self.clients)

    def service(self, place: Place) -> Service | None:
        return self.services.look(place)

    def task(self, place: Place | None) -> TaskDefinition | None:
        """Return what the service's tasks are given; None where there is no service."""
        found = self.service(place) if place else None
        return self.services.task_definition(found.task_definition) if found else None

    def output(self, stack: str, key: str) -> str | None:
        return output(self.states, self.names.get(stack, ""), key)

    def secret(self, short: str) -> str:
        return self.secrets.read(f"{self.prefix}/{short}").text


def _service(looks: _Looks, place: Place | None) -> Sequence[Check]:
    if place is None:
        return (Check("service", "skipped", NO_STACK),)
    found = looks.service(place)
    check = verification.service(found, looks.env)
    if check.outcome == "failed" and found is not None and found.desired:
        check = verification.service(found, looks.env, looks.services.trouble(found))
    return (check,)


def _targets(looks: _Looks) -> Sequence[Check]:
    groups = [looks.output("alb", key) for key in ("TargetGroupArn", "AlternateTargetGroupArn")]
    if not any(groups):
        return (Check("targets", "skipped", NO_STACK),)
    store = TargetStore(looks.clients)
    found = [target for group in groups if group for target in store.targets(group)]
    return (verification.targets(found, looks.env),)


def _keys(looks: _Looks, place: Place | None) -> Sequence[Check]:
    name = f"{looks.prefix}/api-keys"
    try:
        task = looks.task(place)
    except NotOffered:
        task = None
    text = looks.secret("api-keys")
    needed = verification.needed_keys(task, name, text, looks.configured)
    return verification.provider_keys(name, text, needed, looks.env)


def _master_key(looks: _Looks) -> Sequence[Check]:
    return (verification.master_key(looks.secret("master-key"), looks.env),)


def _rotation(looks: _Looks, short: str) -> Sequence[Check]:
    store = RotationStore(looks.clients, since=time.time())
    name = f"{looks.prefix}/{ROTATED[short]}"
    found = store.look(name)
    since = store.pending_since(name) if found and found.pending else None
    return (verification.rotation(short, found, looks.env, datetime.now(UTC), since),)


def _login(looks: _Looks) -> Sequence[Check]:
    login, administrator = looks.secret("database-login"), looks.secret("database")
    return (verification.login(login, administrator, looks.env),)


def _config(looks: _Looks, place: Place | None) -> Sequence[Check]:
    task = looks.task(place)
    if task is None:
        return (Check("config.yaml", "skipped", NO_STACK),)
    bucket, key = (task.variables.get(one) for one in (verification.BUCKET, verification.KEY))
    there = bool(bucket and key and looks.services.has_object(bucket, key))
    return (verification.config(task, looks.env, there=there),)


def _endpoint(looks: _Looks) -> Sequence[Check]:
    url, balancer = looks.output("alb", "Url"), looks.output("alb", "AlbArn")
    if url is None or balancer is None:
        return (Check("endpoint", "skipped", NO_STACK),)
    if emulated(looks.clients("elbv2")):
        return (Check("endpoint", "skipped", "an emulated load balancer cannot be connected to"),)
    if TargetStore(looks.clients).internal(balancer):
        return (Check("endpoint", "skipped", f"{url} is reachable from inside the VPC only"),)
    return (verification.endpoint(probe(url, looks.host), looks.env),)


def _json(environment: str, found: Sequence[Check]) -> str:
    return json.dumps({"environment": environment, "checks": [asdict(check) for check in found]}, indent=2)


def _table(found: Sequence[Check]) -> str:
    width = max(len(check.name) for check in found)
    lines = []
    for check in found:
        lines.append(f"{check.outcome:<7}  {check.name:<{width}}  {check.detail}".rstrip())
        if check.remedy and check.outcome != "ok":
            lines.append(f"{'':<7}  {'':<{width}}  -> {check.remedy}")
    return "\n".join(lines)
