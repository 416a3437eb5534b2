"""`secret get|set|list`: ENV's secrets. Values come from a prompt or stdin; only --reveal prints one."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from deployer.aws.stores.secret_store import SecretsManager
from deployer.day2 import report, secrets
from deployer.day2.report import SecretView
from deployer.day2.secrets import SecretInfo, SecretStore, SecretValue, Target
from deployer.errors import DeployError, NotAllowed, Refused
from gatestack import telling
from gatestack.account import clients
from gatestack.catalogue import catalogue
from gatestack.environment import Environment, resolve
from gatestack.injected import put_in
from gatestack.options import ENV, FORMAT, Options

APPLIED = {"rollout": "tasks read it at their start", "deploy": "a deployment brings it to where it is read"}
"""What is reported of a value that is set, by the command that applies it."""
ON_THE_COMMAND_LINE = (
    "a value is never given on the command line, where other users and the shell's history see it: give it "
    "at the prompt or on stdin. Nothing was changed; treat that value as exposed and create another one"
)


@click.group()
def secret() -> None:
    """Show or set ENV's secrets: api-keys, api-keys/OPENAI_API_KEY, or a value's name alone."""


@secret.command(name="list")
@ENV
@FORMAT
@click.pass_obj
def list_(options: Options, env: str, style: str) -> int:
    """List ENV's secrets: the values in each, whether they are set, the time of the last change."""
    environment = resolve(env, options.region)
    store = SecretsManager(clients(environment, options))
    kinds = catalogue(environment.application, put_in(environment))
    views = [_view(store, environment, name) for name in kinds]
    views = [view for view in views if view.info or not kinds[view.name].optional]
    if all(view.info is None for view in views):
        raise DeployError(_missing(environment, f"{environment.prefix}/...", options.called(env)))
    if style == "json":
        telling.document(report.secrets_json(environment.name, views))
    else:
        click.echo(report.secrets_text(views))
    return 0


@secret.command()
@ENV
@click.argument("name")
@click.option("--reveal", is_flag=True, help="Print the value itself, and nothing else.")
@FORMAT
@click.pass_obj
def get(options: Options, env: str, name: str, style: str, *, reveal: bool) -> int:
    """Show metadata of the secret NAME of ENV; with --reveal its value."""
    environment = resolve(env, options.region)
    target = secrets.find(name, environment.prefix, catalogue(environment.application, put_in(environment)))
    store = SecretsManager(clients(environment, options))
    info = _existing(store, environment, target, options.called(env))
    value = store.read(info.name)
    secrets.check_key(target, value.text)
    view = _shown(target.secret, info, value, only=target.key)
    if style == "json":
        shown = {"value": _plain(value, target)} if reveal else {}
        found = {"environment": environment.name, **view.record(), **shown}
        telling.document(json.dumps(found, indent=2), revealed=reveal)
    elif reveal:
        plain = _plain(value, target)
        telling.exact(plain if isinstance(plain, str) else json.dumps(plain, indent=2))
    else:
        click.echo(report.secret_text(view))
    return 0


@secret.command(name="set", context_settings={"ignore_unknown_options": True})
@ENV
@click.argument("name")
@click.argument("refused", nargs=-1, type=click.UNPROCESSED, metavar="")
@click.pass_obj
def set_(options: Options, env: str, name: str, refused: tuple[str, ...]) -> int:
    """
    Set the value NAME of ENV, from a prompt in a terminal, otherwise from stdin.

    Give a whole secret (api-keys) as a JSON object on stdin. Tasks read secrets when they start.
    """
    if refused or "=" in name or name.startswith("-") or env.startswith("-"):
        raise click.UsageError(ON_THE_COMMAND_LINE)
    environment = resolve(env, options.region)
    kinds = catalogue(environment.application, put_in(environment))
    target = secrets.find(name, environment.prefix, kinds)
    kind = kinds[target.secret]
    secrets.check_settable(target, kind, options.called(env))
    if sys.stdin.isatty():
        target = secrets.typed(target, kind)
    store = SecretsManager(clients(environment, options))
    info = _existing(store, environment, target, options.called(env))
    secrets.check_key(target, store.read(info.name).text)
    given = _given(target)
    written = secrets.update(store, info.name, lambda text: secrets.changed(text, target, given, kind))
    if not written:
        click.echo(f"{info.name}: that is its value already; nothing was changed", err=True)
        return 0
    click.echo(f"{target} of {environment.name} is set", err=True)
    click.echo(f"{APPLIED[kind.applied_by]}: gatestack {kind.applied_by} {options.called(env)}", err=True)
    return 0


def _existing(store: SecretStore, environment: Environment, target: Target, called: str) -> SecretInfo:
    """Return the secret of *target*; raises DeployError if it is missing, or scheduled for deletion."""
    name = f"{environment.prefix}/{target.secret}"
    info = store.describe(name)
    if info is None:
        raise DeployError(_missing(environment, name, called))
    environment.check_account(info.account)
    if info.deleted:
        restore = f"aws secretsmanager restore-secret --region {environment.region} --secret-id {name}"
        day = f"{info.deleted:%Y-%m-%d}"
        raise DeployError(f"{name} is scheduled for deletion ({day}): `{restore}` restores it")
    return info


def _missing(environment: Environment, name: str, called: str) -> str:
    make = f"`gatestack deploy {called}` creates it"
    return f"there is no secret {name} in {environment.region}: {make}"


def _view(store: SecretStore, environment: Environment, name: str) -> SecretView:
    """Read one of all secrets; an unreadable one does not hide the others."""
    info = store.describe(f"{environment.prefix}/{name}")
    if info is None:
        return SecretView(name, None, {}, None)
    environment.check_account(info.account)
    if info.deleted:
        return SecretView(name, info, {}, None, f"scheduled for deletion ({info.deleted:%Y-%m-%d})")
    try:
        return _shown(name, info, store.read(info.name))
    except NotAllowed as error:
        return SecretView(name, info, {}, None, f"not for these credentials ({error.code})")


def _shown(name: str, info: SecretInfo, value: SecretValue, only: str | None = None) -> SecretView:
    found = secrets.states(value.text)
    keys = {key: state for key, state in found.items() if only in {None, key}}
    return SecretView(name, info, keys, value.created)


def _plain(value: SecretValue, target: Target) -> Any:
    """Return the requested value: one as text, a whole secret as its JSON object or its text."""
    found = secrets.values(value.text)
    if found is None:
        return value.text
    if target.key is None:
        return found
    one = found[target.key]
    return one if isinstance(one, str) else json.dumps(one)


def _given(target: Target) -> str:
    """Return the user's input for *target*, which must name one value at a terminal; raises Refused."""
    if not sys.stdin.isatty():
        return _piped()
    key = target.key or ""
    return str(
        click.prompt(key, hide_input=True, confirmation_prompt=True, value_proc=_checked(key), err=True)
    )


def _checked(key: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            secrets.check_value(key, value)
        except Refused as error:
            raise click.BadParameter(str(error)) from None
        return value

    return check


def _piped() -> str:
    """Return stdin without the newline that a program adds at its end."""
    content = sys.stdin.buffer.read(secrets.MOST_BYTES + 1)
    text: str | None = None
    with suppress(UnicodeDecodeError):  # it contains the bytes: drop it here
        text = content.decode("utf-8-sig")
    if text is None or len(content) > secrets.MOST_BYTES:
        raise Refused(f"what is on stdin is no UTF-8 text of at most {secrets.MOST_BYTES} bytes")
    return re.sub(r"\r?\n\Z", "", text)
