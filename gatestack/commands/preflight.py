"""`preflight`: finds, before a deployment, what AWS would refuse. Read-only."""

from __future__ import annotations

import click

from deployer.aws.preflight_account import OnAws
from deployer.preflight.check import preflight as look
from gatestack import telling
from gatestack.account import connect, login
from gatestack.checks import checks_json, table
from gatestack.environment import resolve
from gatestack.options import ENV, FORMAT, Options
from gatestack.signals import host

REFUSED = 2
"""As for settings that are refused: nothing was changed."""


@click.command()
@ENV
@FORMAT
@click.pass_obj
def preflight(options: Options, env: str, style: str) -> int:
    """Check account, region, quotas, credentials and role for ENV, read-only; exit code 2 on any error."""
    environment = resolve(env, options.region)
    environment.warn()
    manifest, cloud = environment.manifest(), connect(environment, options, starting=True)
    account = OnAws(login(environment, options))
    with host(lambda _: None) as here:
        found = look(manifest, cloud, account, here, options.called(env))
    if style == "json":
        telling.document(checks_json(environment.name, found))
    else:
        click.echo(table(found))
    refused = [check for check in found if check.outcome == "refused"]
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        telling.error(f"{refused[0].name}: {refused[0].detail}: {refused[0].remedy}{more}")
    return REFUSED if refused else 0
