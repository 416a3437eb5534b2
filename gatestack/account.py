"""Which AWS account a command works on: the sandbox for `local`, else what AWS's own settings say."""

from __future__ import annotations

import os
import shlex
import sys
from functools import cache
from shutil import which

import click

from deployer.aws.account import connect as connect_to
from deployer.aws.login import Clients, log_in
from deployer.cloud import Cloud
from gatestack.cli import Options
from gatestack.environment import Environment
from gatestack.local import OTHER_LOGINS, SANDBOX_FOLDER, none_runs, refusing
from sandbox import local as sandbox

SANDBOX_ENVIRONMENT = "local"
SANDBOX_POLL_SECONDS = 0.2
"""The sandbox is fast: what takes AWS a minute takes it a second."""


def uses_sandbox(environment: Environment) -> bool:
    """
    Whether commands on *environment* go to this folder's sandbox.

    Another endpoint in the AWS settings outranks it; its own is what `local env` says.
    """
    if environment.name != SANDBOX_ENVIRONMENT:
        return False
    given = os.environ.get("AWS_ENDPOINT_URL")
    if given is None:
        return True
    with refusing():
        return given == sandbox.endpoint_of(SANDBOX_FOLDER)


def nowhere(environment: Environment) -> bool:
    """Whether *environment* is the sandbox's, and none runs in this folder; raises SandboxRefused."""
    if not uses_sandbox(environment):
        return False
    with refusing():
        return not sandbox.status(SANDBOX_FOLDER).running


def speed(environment: Environment) -> float:
    """Return how much faster than AWS the endpoint of *environment* is."""
    return sandbox.SPEED if uses_sandbox(environment) else 1.0


def poll_interval(environment: Environment, options: Options) -> float | None:
    """Return the seconds between two looks: the user's, the sandbox's, or None where the deployer adapts."""
    if options.poll_interval is not None:
        return options.poll_interval
    return SANDBOX_POLL_SECONDS if uses_sandbox(environment) else None


def connect(environment: Environment, options: Options, *, starting: bool = False) -> Cloud:
    """
    Return the account and region of *environment*; *starting*: where the sandbox is meant, it is started.

    Raises:
        Refused: there are no credentials, or no such profile.
        SandboxRefused: there is no sandbox and none is to be started, or it cannot be used.

    """
    endpoint = _endpoint(environment, options, starting=starting)
    return connect_to(environment.region, profile=None if endpoint else options.profile, endpoint=endpoint)


def clients(environment: Environment, options: Options) -> Clients:
    """
    Return what makes the clients of other services than CloudFormation, for the same account and region.

    Raises:
        Refused: there are no credentials, or no such profile.
        SandboxRefused: it is the sandbox's, and there is none, or it cannot be used.

    """
    endpoint = _endpoint(environment, options, starting=False)
    return log_in(environment.region, profile=None if endpoint else options.profile, endpoint=endpoint)


def check_account(environment: Environment, cloud: Cloud) -> None:
    """Refuse to go on with the credentials of another account than that of *environment*; SettingsRefused."""
    source = environment.settings or environment.rendered
    if source and source.account:
        environment.check_account(cloud.account())


def _endpoint(environment: Environment, options: Options, *, starting: bool) -> str | None:
    """
    Return the sandbox's endpoint where it is meant; None where botocore finds one by itself.

    The user's own login, settings and proxies are kept away from the sandbox: nothing for it leaves this
    machine, and nothing that is wrong with them is in its way.
    """
    if not uses_sandbox(environment):
        return None
    with refusing():
        found = sandbox.start(SANDBOX_FOLDER) if starting else sandbox.status(SANDBOX_FOLDER)
    if found.endpoint is None or found.key is None:
        raise none_runs()
    for name in OTHER_LOGINS:
        os.environ.pop(name, None)
    own = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= found.key.variables | own | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    if not options.quiet:
        _tell()
    return found.endpoint


@cache
def _tell() -> None:
    """Say how other programs get to the sandbox, once, however many clients are made of it."""
    click.echo(f'sandbox: eval "$({_program()} local env)"', err=True)


def _program() -> str:
    """Return what this program is called by, in a line that somebody pastes into the same shell."""
    if which("gatestack"):
        return "gatestack"
    called = sys.argv[0]
    return f"{shlex.quote(sys.executable)} -m gatestack" if called.endswith(".py") else shlex.quote(called)
