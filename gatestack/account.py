"""The AWS account of a command: the sandbox (`local`, --sandbox), or the one that the AWS settings select."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from functools import cache
from shutil import which
from typing import TYPE_CHECKING, TypeVar

import click

from deployer.cloud import Cloud
from deployer.day2.present import Present, present
from gatestack import telling
from gatestack.environment import SANDBOX_ENVIRONMENT, Environment, SettingsRefused
from gatestack.options import Options
from gatestack.sandbox_here import none_runs, refusing, state_folder
from sandbox import local as sandbox

if TYPE_CHECKING:  # botocore takes a third of a second, for which no --help waits
    from deployer.aws.sign_in.login import Clients, Login

Made = TypeVar("Made")

SANDBOX_POLL_SECONDS = 0.2
"""The sandbox is fast: a minute of AWS takes it a second."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def uses_sandbox(environment: Environment, options: Options) -> bool:
    """
    Return whether commands on *environment* go to this user's sandbox.

    Those with --sandbox do. `local` does, unless the AWS settings point every service to another endpoint
    than AWS; `local env` prints the sandbox's own.

    Raises:
        Refused: they point only some services to such an endpoint.
        SandboxRefused: there is a sandbox, and it cannot be used.

    """
    if options.sandbox:
        return True
    if environment.name != SANDBOX_ENVIRONMENT:
        return False
    from deployer.aws.sign_in.login import own_endpoint  # noqa: PLC0415 - as above

    own = once("own endpoint", lambda: own_endpoint(options.profile))
    if not own:
        return True
    with refusing():
        return own == {sandbox.endpoint_of(state_folder())}


def nowhere(environment: Environment, options: Options) -> bool:
    """Whether *environment* is the sandbox's, and none is running; raises as `uses_sandbox`."""
    if not uses_sandbox(environment, options):
        return False
    with refusing():
        return not sandbox.status(state_folder()).running


def speed(environment: Environment, options: Options) -> float:
    """Return how much faster than AWS the endpoint of *environment* is."""
    return sandbox.SPEED if uses_sandbox(environment, options) else 1.0


def poll_interval(environment: Environment, options: Options) -> float | None:
    """
    Return the seconds between two polls: the user's, the sandbox's, or None if the deployer adapts them.
    """
    if options.poll_interval is not None:
        return options.poll_interval
    return SANDBOX_POLL_SECONDS if uses_sandbox(environment, options) else None


def connect(environment: Environment, options: Options, *, starting: bool = False) -> Cloud:
    """
    Return the account and region of *environment*; *starting*: whether the sandbox is started if needed.

    Raises:
        Refused: there are no credentials, no such profile, or `local` would speak to AWS.
        SandboxRefused: there is no sandbox and none is to be started, or it cannot be used.

    """
    from deployer.aws.account import on  # noqa: PLC0415 - as above

    return on(login(environment, options, starting=starting))


def clients(environment: Environment, options: Options) -> Clients:
    """
    Return a factory of clients for services other than CloudFormation, for the same account and region.

    Raises:
        Refused, SandboxRefused: as `connect` does.

    """
    return login(environment, options).client


def login(environment: Environment, options: Options, *, starting: bool = False) -> Login:
    """Return the one login of this command to the account of *environment*; raises as `connect` does."""
    return once("login", lambda: _log_in(environment, options, starting=starting))


def once(what: str, make: Callable[[], Made]) -> Made:
    """Return the result of *make* at this command's first call for *what*."""
    context = click.get_current_context(silent=True)
    if context is None:
        return make()
    kept = context.meta.setdefault(__name__, {})
    if what not in kept:
        kept[what] = make()
    made: Made = kept[what]
    return made


def nothing_asked() -> bool:
    """Whether this command has only read from AWS, so that nothing of it is in progress."""
    context = click.get_current_context(silent=True)
    kept = context.meta.get(__name__, {}) if context else {}
    return "login" not in kept or not kept["login"].asked


def _log_in(environment: Environment, options: Options, *, starting: bool) -> Login:
    from deployer.aws.sign_in.login import log_in  # noqa: PLC0415 - as above

    if environment.name != SANDBOX_ENVIRONMENT and not options.sandbox:
        _tell_of_other_region(environment, options)
        seconds = environment.session_seconds
        return log_in(environment.region, profile=options.profile, session_seconds=seconds)
    if environment.name == SANDBOX_ENVIRONMENT:
        _refuse_namesake(environment)
    if endpoint := _endpoint(environment, options, starting=starting):
        return log_in(environment.region, endpoint=endpoint, never_aws=True)
    _keep_proxies_away()
    return log_in(environment.region, profile=options.profile, never_aws=True)


def _refuse_namesake(environment: Environment) -> None:
    """Refuse to let a copy of the sandbox's file change its stacks; raises SettingsRefused."""
    if environment.settings is None or environment.file is None:
        return
    from stacks.namesakes import namesake  # noqa: PLC0415 - a rendered folder does without settings

    if other := namesake(environment.file, environment.settings):
        what = f"{environment.file} says environment: {environment.name}, and so does {other}"
        raise SettingsRefused(
            f"{what}: it would change the same stacks in the sandbox. Use {other}, or write another name "
            f"behind environment: in {environment.file} and deploy it to an account"
        )


def check_account(environment: Environment, cloud: Cloud) -> None:
    """Refuse credentials of another account than that of *environment*; raises SettingsRefused."""
    source = environment.settings or environment.rendered
    if source and source.account:
        environment.check_account(cloud.account())


def _tell_of_other_region(environment: Environment, options: Options) -> None:
    """Warn if the user's variables name another region than the environment's file, which is used."""
    named = {name: os.environ.get(name, "").strip() for name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    others = {name: value for name, value in named.items() if value not in {"", environment.region}}
    if others and options.region is None:
        name, value = next(iter(others.items()))
        telling.warning(
            f"{name} is {value}, and the file of {environment.name} says {environment.region}: the file "
            f"takes precedence; use --region {value} to override it"
        )


def _endpoint(environment: Environment, options: Options, *, starting: bool) -> str | None:
    """
    Return the sandbox's endpoint if it is to be used; None if botocore finds one itself.

    The user's own login, settings and proxies are kept away from the sandbox: no request leaves this machine,
    and errors in them do not matter.
    """
    if not uses_sandbox(environment, options):
        return None
    with refusing():
        found = sandbox.start(state_folder()) if starting else sandbox.status(state_folder())
    if found.endpoint is None or found.key is None:
        raise none_runs()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    own = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= found.key.variables | own
    _keep_proxies_away()
    if starting and environment.settings:
        from gatestack.rehearsal.given import check  # noqa: PLC0415 - few commands rehearse

        check(environment.settings)
    if not options.quiet:
        _tell()
    return found.endpoint


def _keep_proxies_away() -> None:
    """Keep the user's proxies out of requests on this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))


@cache
def _tell() -> None:
    """Tell how other programs reach the sandbox, once for all of its clients."""
    click.echo(f'sandbox: eval "$({_program()} local env)"', err=True)


def _program() -> str:
    """Return the name of this program for a command line to paste into the same shell."""
    if which("gatestack"):
        return "gatestack"
    called = sys.argv[0]
    return f"{shlex.quote(sys.executable)} -m gatestack" if called.endswith(".py") else shlex.quote(called)


def present_in(environment: Environment, cloud: Cloud) -> Present:
    """Return the stacks that *environment* should have, and those that it no longer has."""
    return present(environment.name, environment.system, environment.stack_names, cloud)
