"""Which AWS account a command works on: the sandbox for `local`, else what AWS's own settings say."""

from __future__ import annotations

import os
from functools import cache

import click

from deployer.aws.account import connect as connect_to
from deployer.aws.login import Clients, log_in
from deployer.cloud import Cloud
from gatestack.cli import Options
from gatestack.environment import Environment
from gatestack.local import SANDBOX_FOLDER
from sandbox import local as sandbox

SANDBOX_ENVIRONMENT = "local"
SANDBOX_POLL_SECONDS = 0.2
"""The sandbox is fast: what takes AWS a minute takes it a second."""
SANDBOX_LOGIN = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}


def uses_sandbox(environment: Environment) -> bool:
    """Whether commands on *environment* go to the sandbox; an endpoint in the AWS settings outranks it."""
    return environment.name == SANDBOX_ENVIRONMENT and "AWS_ENDPOINT_URL" not in os.environ


def speed(environment: Environment) -> float:
    """Return how much faster than AWS the endpoint of *environment* is."""
    return sandbox.SPEED if uses_sandbox(environment) else 1.0


def poll_interval(environment: Environment, options: Options) -> float | None:
    """Return the seconds between two looks: the user's, the sandbox's, or None where the deployer adapts."""
    if options.poll_interval is not None:
        return options.poll_interval
    return SANDBOX_POLL_SECONDS if uses_sandbox(environment) else None


def connect(environment: Environment, options: Options) -> Cloud:
    """
    Return the account and region of *environment*; the sandbox is started where it is meant and not running.

    Raises:
        Refused: there are no credentials, or no such profile.

    """
    endpoint = _endpoint(environment, options)
    return connect_to(environment.region, profile=None if endpoint else options.profile, endpoint=endpoint)


def clients(environment: Environment, options: Options) -> Clients:
    """
    Return what makes the clients of other services than CloudFormation, for the same account and region.

    Raises:
        Refused: there are no credentials, or no such profile.

    """
    endpoint = _endpoint(environment, options)
    return log_in(environment.region, profile=None if endpoint else options.profile, endpoint=endpoint)


def check_account(environment: Environment, cloud: Cloud) -> None:
    """Refuse to go on with the credentials of another account than that of *environment*; SettingsRefused."""
    source = environment.settings or environment.rendered
    if source and source.account:
        environment.check_account(cloud.account())


def _endpoint(environment: Environment, options: Options) -> str | None:
    """
    Return the sandbox's endpoint where it is meant; None where botocore finds one by itself.

    The user's own login and proxies are kept away from the sandbox: nothing for it leaves this machine.
    """
    if not uses_sandbox(environment):
        return None
    endpoint = sandbox.start(SANDBOX_FOLDER)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= SANDBOX_LOGIN | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    if not options.quiet:
        _tell(endpoint)
    return endpoint


@cache
def _tell(endpoint: str) -> None:
    """Say where the sandbox is, once, however many clients are made of it."""
    click.echo(f"sandbox: {endpoint} (aws --endpoint-url {endpoint} ...)", err=True)
