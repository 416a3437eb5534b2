"""`drift`: changes made outside CloudFormation. Read-only; it renders nothing."""

from __future__ import annotations

import click

from deployer.day2 import watch_report
from gatestack import telling
from gatestack.account import connect
from gatestack.drifting import detected
from gatestack.environment import resolve
from gatestack.notices.told import notify
from gatestack.options import ENV, FORMAT, Options


@click.command()
@ENV
@click.option("--stack", "only", help="One stack, by its short name (network).")
@FORMAT
@click.pass_obj
def drift(options: Options, env: str, only: str | None, style: str) -> int:
    """Show drift of ENV's resources, property by property; exit code 3 if any resource drifted."""
    environment = resolve(env, options.region)
    names = environment.chosen(only)
    found = detected(environment, names, connect(environment, options), options)
    if style == "json":
        telling.document(watch_report.drift_json(found))
    else:
        click.echo(watch_report.drift_text(found))
    failed = [stack for stack in found.stacks if stack.verdict in {"failed", "busy"}]
    if failed:
        telling.error(f"{failed[0].name}: {failed[0].reason or 'drift could not be detected'}")
    if drifted := [stack.name for stack in found.stacks if stack.verdict == "drifted"]:
        notify(environment, options, "drift", f"{', '.join(drifted)}: gatestack drift {options.called(env)}")
    return found.exit_code
