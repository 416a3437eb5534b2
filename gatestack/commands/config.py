"""`config get|set|list`: ENV's configuration values without secrets, in the SSM Parameter Store."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from deployer.aws.stores.parameter_store import Parameters
from deployer.day2 import parameters, report
from deployer.day2.names import near
from deployer.day2.parameters import SECURE, Parameter, ParameterStore
from deployer.errors import DeployError, Refused
from gatestack import telling
from gatestack.account import clients
from gatestack.environment import FOLDER, Environment, resolve
from gatestack.injected import parameters_taken
from gatestack.options import ENV, FORMAT, Options
from gatestack.setup.draft import objection
from stacks.application import LOG_LEVEL, Application


@click.group()
def config() -> None:
    """Show or set ENV's SSM parameters: those of the environment file, the log level, your own."""


@config.command(name="list")
@ENV
@FORMAT
@click.pass_obj
def list_(options: Options, env: str, style: str) -> int:
    """List ENV's parameters with value, owner and time of the last change."""
    environment = resolve(env, options.region)
    owners = _Owners(environment)
    there = _there(_store(environment, options), environment, options.called(env))
    found = [(one, owners.of(one.name)) for one in there]
    if style == "json":
        records = [report.parameter_record(one, owner) for one, owner in found]
        path = f"/{environment.prefix}"
        telling.document(
            json.dumps({"environment": environment.name, "path": path, "parameters": records}, indent=2)
        )
    else:
        click.echo(report.parameters_text(found))
    return 0


@config.command()
@ENV
@click.argument("name")
@FORMAT
@click.pass_obj
def get(options: Options, env: str, name: str, style: str) -> int:
    """Print the value of ENV's parameter NAME."""
    environment = resolve(env, options.region)
    store, name = _store(environment, options), _short(environment, name)
    found = store.get(name) if parameters.is_name(name) else None
    if found is None:
        there = [one.name for one in _there(store, environment, options.called(env))]
        raise Refused(f"no parameter {name!r}; {environment.name} has {', '.join(there)}{near(name, there)}")
    environment.check_account(found.account)
    if style == "json":
        record = report.parameter_record(found, _Owners(environment).of(name))
        telling.document(json.dumps({"environment": environment.name, **record}, indent=2))
    else:
        click.echo(found.value)
        if found.type == SECURE:
            click.echo(f"{name} is a SecureString: its value is not shown", err=True)
    return 0


@config.command(name="set")
@ENV
@click.argument("name")
@click.argument("value")
@click.pass_obj
def set_(options: Options, env: str, name: str, value: str) -> int:
    """Set ENV's parameter NAME: log-level, or one of your own; the others follow the environment's file."""
    environment = resolve(env, options.region)
    name = _short(environment, name)
    owners = _Owners(environment)
    value = _checked(owners, env, name, value)
    store = _store(environment, options)
    there = {one.name: one for one in _there(store, environment, options.called(env))}
    parameters.check_kind(there.get(name))
    if name in there and there[name].value == value:
        click.echo(f"{name} of {environment.name} is {value} already; nothing was changed", err=True)
        return 0
    marked = store.put(name, value)
    click.echo(f"{name} of {environment.name} is {value}", err=True)
    if not marked:
        telling.warning(
            "`gatestack drift` will report it as drift: grant the permission ssm:LabelParameterVersion"
        )
    click.echo(_effect(owners, name, _file(environment, env), options.called(env)), err=True)
    return 0


def _store(environment: Environment, options: Options) -> ParameterStore:
    return Parameters(clients(environment, options), f"/{environment.prefix}")


def _short(environment: Environment, name: str) -> str:
    """Return *name* below the environment's path: it may be given as AWS has it."""
    return name.removeprefix(f"/{environment.prefix}/")


def _there(store: ParameterStore, environment: Environment, called: str) -> tuple[Parameter, ...]:
    """Return all parameters; raises DeployError if the environment was never deployed, and so has none."""
    found = store.all()
    if not found:
        where = f"/{environment.prefix}/ in {environment.region}"
        raise DeployError(f"there are no parameters {where}: `gatestack deploy {called}` creates them")
    environment.check_account(found[0].account)
    return found


@dataclass(frozen=True)
class _Owners:
    """The owner and the readers of each parameter of an environment."""

    environment: Environment

    @property
    def application(self) -> Application:
        return self.environment.application

    @cached_property
    def read(self) -> Mapping[str, str]:
        """Name -> the tasks' variable."""
        return parameters_taken(self.environment)

    def of(self, name: str) -> str:
        """Return the owner of *name* as text."""
        if name in self.read:
            return f"tasks read it as {self.read[name]}"
        if self.key(name):
            return f"environment file: {self.key(name)}"
        return "database stack" if name in self.application.located else "yours"

    def key(self, name: str) -> str:
        """Return the key of the environment file that sets *name*; empty if none does."""
        if name in self.application.shown:
            return self.application.shown[name]
        return f"service.parameters.{name}" if name in self._own else ""

    @property
    def _own(self) -> Collection[str]:
        """The user's parameters in the file; of a folder, those that tasks read."""
        settings = self.environment.settings
        return settings.service.parameters if settings else self.read.keys() - self.application.located.keys()


def _checked(owners: _Owners, env: str, name: str, value: str) -> str:
    """Return the value to set *name* to; raises Refused if it is set elsewhere, or the value is invalid."""
    environment, key = owners.environment, owners.key(name)
    if name in owners.application.located:
        raise Refused(f"{name} says where something of the database stack is: a deployment sets it")
    if key and name not in owners.read:
        raise Refused(f"{name} follows {key} of {_file(environment, env)}: change it there and deploy")
    parameters.check_name(name)
    parameters.check_value(name, value)
    words = owners.application.log_levels if name == LOG_LEVEL else {}
    said = next((level for level, word in words.items() if value == word), value)
    tier = "production" if environment.production else "dev"
    wrong = objection({"system": environment.system, "tier": tier, key: said}, key) if key else None
    if wrong:
        raise Refused(f"{name}: {wrong}")
    return words.get(said, said)


def _effect(owners: _Owners, name: str, file: str, called: str) -> str:
    """Return what a user should know about a parameter that was set."""
    if name not in owners.read:
        title = owners.application.title
        return f"{title}'s tasks do not read it: it is for your own software"
    held = f"a deployment that changes {owners.key(name)} of {file} resets it"
    return f"tasks read it at their start: gatestack rollout {called}; {held}"


def _file(environment: Environment, env: str) -> str:
    """Return the file that the user edits."""
    if environment.settings is None:
        return f"the file that {env} was generated from"
    named = FOLDER / f"{env}.yaml"
    return str(named if named.is_file() else Path(env))
