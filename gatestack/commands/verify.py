"""`verify`: whether an environment is healthy, end to end. It changes nothing and renders nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from urllib.parse import urlsplit

import click

from deployer.aws.endpoint import emulated, is_aws, is_here
from deployer.aws.keys import key_of
from deployer.aws.sign_in.login import Clients
from deployer.aws.stores.rotation_store import RotationStore
from deployer.aws.stores.secret_store import MISSING, SecretsManager
from deployer.aws.stores.service_store import ServiceStore
from deployer.aws.stores.target_store import TargetStore
from deployer.causes import first_cause, operation
from deployer.cloud import Cloud
from deployer.day2 import verification
from deployer.day2.health import Question, answers
from deployer.day2.probe import Balancer, get_by, probe
from deployer.day2.secrets import Objection
from deployer.day2.service import SERVICE_STACK, Place, TaskDefinition, output, places_of
from deployer.day2.verification import Check
from deployer.errors import CloudError, NotOffered
from deployer.options import Host
from deployer.progress import Cause
from deployer.run.backoff import with_backoff
from deployer.states import StackState
from gatestack.account import check_account, clients, connect
from gatestack.catalogue import placeholders, prefix_of, rotations
from gatestack.checks import checks_json, table
from gatestack.ending.day2 import of_checks
from gatestack.ending.printed import printed
from gatestack.environment import Environment, resolve
from gatestack.image import release
from gatestack.image.checks import release_check, version_check
from gatestack.injected import keys_taken, put_in
from gatestack.options import ENV, FORMAT, Options
from gatestack.sandbox_here import authority
from gatestack.signals import host
from stacks.application import ConfigFile, OwnSecret

NO_STACK = "its stack does not exist"


@click.command()
@ENV
@FORMAT
@click.pass_obj
def verify(options: Options, env: str, style: str) -> int:
    """Check ENV's health end to end: stacks, tasks, load balancer, secrets, rotations, the endpoint."""
    environment, called = resolve(env, options.region), options.called(env)
    cloud, services = connect(environment, options), clients(environment, options)
    check_account(environment, cloud)
    with host(lambda _: None) as here:
        found = checks(environment, called, cloud, services, here)
    if style != "json":
        click.echo(table(found, remedies=False))
    screen = of_checks(environment.name, called, found)
    printed(screen, style, lambda: checks_json(environment.name, found))
    return 1 if screen.cause else 0


def checks(
    environment: Environment, env: str, cloud: Cloud, services: Clients, here: Host
) -> tuple[Check, ...]:
    """
    Return every check; *env* is the environment's name in commands.

    Raises:
        LostSight, CloudError: AWS could not be asked at all.
        Interrupted: a signal came.

    """
    names = environment.stack_names
    states = with_backoff(here, lambda: cloud.stacks(list(names.values())))
    live = {state.name: state for state in states}
    by_name = {name: live.get(full) for name, full in names.items()}
    stacks, missing = verification.stacks(by_name, _causes(by_name, cloud), env)
    looks = _Looks(env, environment, places_of(states, names), states, services, here, cloud, release.today())
    return stacks + answers(list(_questions(looks)), here, missing)


def _causes(states: Mapping[str, StackState | None], cloud: Cloud) -> Mapping[str, Cause]:
    """Return the first cause of each stack that was never complete, if its events can be read."""
    found: dict[str, Cause] = {}
    for name, state in states.items():
        if state is not None and state.status in verification.NEVER_MADE:
            with suppress(CloudError):
                if cause := first_cause(operation(cloud.events(state.id))):
                    found[name] = cause
    return found


def _questions(looks: _Looks) -> Iterator[Question]:
    """Yield the queries, which follow from the system's parts."""
    application = looks.environment.application
    for place in looks.places or (None,):
        yield Question(place.title if place else "service", partial(_service, looks, place), SERVICE_STACK)
    yield Question("targets", partial(_targets, looks), SERVICE_STACK)
    yield Question("encryption key", partial(_key, looks), "security")
    if placeholders(application, put_in(looks.environment)):
        yield Question("provider keys", partial(_keys, looks), "security")
    for own in application.secrets:
        if own.objection:
            yield Question(
                f"secret {own.name}", partial(_own_rules, looks, own.name, own.objection), "security"
            )
        if application.rotation and own.name == application.rotation.secret:
            yield Question(own.name.replace("-", " "), partial(_own_key, looks, own), "security")
    for short, secret in rotations(application).items():
        yield Question(f"rotation {short}", partial(_rotation, looks, short, secret), _rotated_by(short))
    if application.releases:
        yield Question("release", partial(_release, looks), SERVICE_STACK)
    if application.database:
        yield Question("database login", partial(_login, looks), "database")
        yield Question("database version", partial(_version, looks), "database")
    if application.config:
        yield Question("config.yaml", partial(_config, looks, application.config), SERVICE_STACK)
    yield Question("endpoint", partial(_endpoint, looks), SERVICE_STACK)


def _rotated_by(short: str) -> str:
    """Return the stack with the rotation that `rotate` calls *short*."""
    return "database" if short == "database" else SERVICE_STACK


@dataclass
class _Looks:
    """Facts that several queries share."""

    env: str
    environment: Environment
    places: Sequence[Place]
    """The services, the one that gets the requests first; none without their stack."""
    states: Sequence[StackState]
    clients: Clients
    host: Host
    cloud: Cloud
    day: date

    @cached_property
    def services(self) -> ServiceStore:
        return ServiceStore(self.clients)

    @cached_property
    def secrets(self) -> SecretsManager:
        return SecretsManager(self.clients)

    def tasks(self, places: Sequence[Place]) -> Sequence[TaskDefinition]:
        """Return the settings of the services' tasks; a missing service has none."""
        found = (self.services.look(place) for place in places)
        return [self.services.task_definition(one.task_definition) for one in found if one]

    def output(self, stack: str, key: str) -> str | None:
        return output(self.states, self.environment.stack_names.get(stack, ""), key)

    def named(self, short: str) -> str:
        return f"{self.environment.prefix}/{short}"

    def secret(self, short: str) -> str:
        return self.secrets.read(self.named(short)).text

    def text_of(self, short: str) -> str | None:
        """Return the value of a secret; None where there is none of that name."""
        try:
            return self.secret(short)
        except CloudError as error:
            if error.code != MISSING:
                raise
            return None


def _service(looks: _Looks, place: Place | None) -> Sequence[Check]:
    if place is None:
        return (Check("service", "skipped", NO_STACK),)
    found = looks.services.look(place)
    settings = looks.environment.settings
    wanted = settings.service.min_tasks if settings and place.title == verification.ENTRANCE else 0
    check = verification.service(found, looks.env, name=place.title, at_least=wanted)
    if check.outcome == "failed" and found is not None and found.desired:
        trouble = looks.services.trouble(found)
        check = verification.service(found, looks.env, trouble, place.title, wanted)
    return (check,)


def _targets(looks: _Looks) -> Sequence[Check]:
    groups = [looks.output("alb", key) for key in ("TargetGroupArn", "AlternateTargetGroupArn")]
    if not any(groups):
        return (Check("targets", "skipped", NO_STACK),)
    store = TargetStore(looks.clients)
    found = [target for group in groups if group for target in store.targets(group)]
    return (verification.targets(found, looks.env),)


def _key(looks: _Looks) -> Sequence[Check]:
    if "security" not in looks.environment.stack_names or looks.output("security", "KmsKeyArn") is None:
        return (Check("encryption key", "skipped", NO_STACK),)
    alias = f"alias/{looks.environment.prefix}"
    return (verification.key(key_of(looks.clients, alias), alias, looks.env),)


def _keys(looks: _Looks) -> Sequence[Check]:
    try:
        tasks = looks.tasks(looks.places)
    except NotOffered:
        tasks = ()
    checks: list[Check] = []
    for own in placeholders(looks.environment.application, put_in(looks.environment)):
        name = looks.named(own.name)
        configured = keys_taken(looks.environment, own)
        text = looks.text_of(own.name)
        if text is None:
            checks.append(verification.no_secret(name, looks.env))
            continue
        of_tasks = () if own.reader == "nobody" else tasks
        needed = verification.needed_keys(of_tasks, name, text, configured)
        checks += verification.provider_keys(name, text, needed, looks.env)
    return checks


def _own_rules(looks: _Looks, short: str, objection: Objection) -> Sequence[Check]:
    return (verification.own_rules(short, looks.secret(short), objection, looks.env),)


def _own_key(looks: _Looks, own: OwnSecret) -> Sequence[Check]:
    title, key = looks.environment.application.title, own.value.keys[-1]
    text = looks.secret(own.name)
    return (verification.own_key(own.name, text, key, prefix_of(own), title, looks.env),)


def _rotation(looks: _Looks, short: str, secret: str) -> Sequence[Check]:
    store = RotationStore(looks.clients, since=time.time())
    name = looks.named(secret)
    found = store.look(name)
    since = store.pending_since(name) if found and found.pending else None
    return (verification.rotation(short, found, looks.env, datetime.now(UTC), since),)


def _login(looks: _Looks) -> Sequence[Check]:
    login, administrator = looks.secret("database-login"), looks.secret("database")
    return (verification.login(login, administrator, looks.env),)


def _release(looks: _Looks) -> Sequence[Check]:
    tasks = looks.tasks(looks.places[:1])
    if not tasks:
        return (Check("release", "skipped", NO_STACK),)
    environment, image = looks.environment, tasks[0].image
    described, settings = environment.application, environment.settings
    found = release.of_image(described, image, environment.prefix, looks.day, settings)
    fails = environment.production and settings is not None  # a folder does not have the accepted advisories
    return (release_check(found, image, fails=fails),)


def _version(looks: _Looks) -> Sequence[Check]:
    own = release.database_of(looks.environment)
    found = looks.cloud.database_version(own[1], cluster=own[0] != "postgres") if own else None
    if own is None or found is None:
        return (Check("database version", "skipped", "there is no database"),)
    return (version_check(own[0], found, looks.env, looks.day),)


def _config(looks: _Looks, file: ConfigFile) -> Sequence[Check]:
    tasks = looks.tasks(looks.places[:1])
    if not tasks:
        return (Check("config.yaml", "skipped", NO_STACK),)
    bucket, key = (tasks[0].variables.get(one) for one in (file.bucket_variable, file.key_variable))
    there = bool(bucket and key and looks.services.has_object(bucket, key))
    return (verification.config(bucket, key, looks.env, there=there),)


def _endpoint(looks: _Looks) -> Sequence[Check]:
    url, balancer = looks.output("alb", "Url"), looks.output("alb", "AlbArn")
    if url is None or balancer is None:
        return (Check("endpoint", "skipped", NO_STACK),)
    paths, store = looks.environment.application.answers_at, TargetStore(looks.clients)
    verifies = looks.output("alb", "ClientCertificates") == "verify"
    if emulated(looks.clients("elbv2")):
        name = urlsplit(f"//{store.name(balancer)}")
        if not is_here(f"//{name.netloc}") or name.port is None:
            return (Check("endpoint", "skipped", "an emulated load balancer cannot be connected to"),)
        here = Balancer(name.hostname or "", name.port, authority())
        answer = probe(url, paths, looks.host, partial(get_by, here))
        return (verification.endpoint(answer, looks.env, named_by_aws=False, verifies_clients=verifies),)
    if store.internal(balancer):
        return (Check("endpoint", "skipped", f"{url} is reachable from inside the VPC only"),)
    answer = probe(url, paths, looks.host)
    named = is_aws(url)
    return (verification.endpoint(answer, looks.env, named_by_aws=named, verifies_clients=verifies),)
