"""`local start|stop|status|env`: the sandbox as a background process of this user."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from pathlib import Path

import click

from gatestack import telling
from gatestack.options import FORMAT
from gatestack.rehearsal import told
from gatestack.rehearsal.commands import COMMANDS
from gatestack.rehearsal.gateway import prepared
from gatestack.rehearsal.given import provide
from gatestack.sandbox_here import REGION, asked, none_runs, refusing, state_folder, what_runs
from sandbox import local as sandbox


@click.group()
def local() -> None:
    """Run the sandbox, an AWS endpoint on this machine, and have it fail; it lives until `local stop`."""


@local.command()
@click.option(
    "--speed", type=click.FloatRange(min=1), default=sandbox.SPEED, help="Sandbox seconds per real second."
)
@click.option("--gateway", is_flag=True, help="Run the tasks: LiteLLM itself, installed once from PyPI.")
@click.option("--replace", is_flag=True, help="With --gateway: end a sandbox that runs no tasks first.")
def start(*, speed: float, gateway: bool, replace: bool) -> int:
    """Start the sandbox, or print its endpoint if it already runs; one of another version is replaced."""
    with refusing():
        programs = _programs(replace=replace) if gateway else None
        try:
            found = sandbox.start(state_folder(), speed=speed, gateway=programs, replacing=replace)
        except sandbox.OtherVersion as other:
            telling.warning(str(other))
            found = sandbox.start(state_folder(), speed=speed, replacing=True, gateway=programs)
    click.echo(found.endpoint)
    return 0


def _programs(*, replace: bool) -> Path:
    """Return the folder of what tasks run; raises SandboxRefused, LocalError before anything is installed."""
    with suppress(sandbox.OtherVersion):
        found = sandbox.status(state_folder())
        if found.running and not found.gateway and not replace:
            raise sandbox.LocalError(sandbox.WITHOUT_GATEWAY)
    return prepared(state_folder())


@local.command()
def stop() -> int:
    """Stop the sandbox and delete its state."""
    with refusing():
        click.echo("stopped" if sandbox.stop(state_folder()) else "not running", err=True)
    return 0


@local.command()
@FORMAT
def status(style: str) -> int:
    """Show whether the sandbox runs, what is in it, and what is switched on; json includes its access key."""
    with refusing():
        found = sandbox.status(state_folder())
    faults = told.everything(asked) if found.running else []
    stacks = asked("stacks") if found.running else {}
    environments = told.environments(stacks)
    listeners = asked("load-balancers") if found.running else []
    databases = asked("databases") if found.running else {}
    if style == "json":
        key = found.key
        status_ = {
            "running": found.running,
            "endpoint": found.endpoint,
            "access_key_id": key.access_key_id if key else None,
            "secret_access_key": key.secret_access_key if key else None,
            "folder": str(state_folder()),
            "version": sandbox.version() if found.running else None,
            "gateway": found.gateway,
            "environments": environments,
            "load_balancers": listeners,
            "databases": databases.get("servers", []),
            "faults": [{"kind": one.kind, "text": one.text} for one in faults],
        }
        telling.document(json.dumps(status_), revealed=True)
    else:
        click.echo(f"running at {found.endpoint}" if found.running else "not running")
        click.echo(f"folder: {state_folder()}")
        if found.running:
            click.echo(f"version: {sandbox.version()}")
            click.echo(f"tasks: {'; '.join(what_runs()) or 'they run'}")
            click.echo(f"environments: {', '.join(environments) or 'none'}")
        for line in told.databases(databases, stacks):
            click.echo(f"database: {line}")
        for line in (*told.addresses(listeners), *map(str, faults)):
            click.echo(line)
    return 0


@local.command()
def env() -> int:
    """Print the export lines for `aws` and boto3: eval "$(gatestack local env)"."""
    with refusing():
        found = sandbox.status(state_folder())
    if found.endpoint is None or found.key is None:
        raise none_runs()
    exported = {"AWS_ENDPOINT_URL": found.endpoint, **found.key.variables, "AWS_DEFAULT_REGION": REGION}
    for name, value in exported.items():
        telling.exact(f"export {name}={shlex.quote(value)}")
    click.echo(f"unset {' '.join(OTHER_LOGINS)}")
    return 0


OTHER_LOGINS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that make botocore use another login than the sandbox's key."""

for _command in (*COMMANDS, provide):
    local.add_command(_command)
