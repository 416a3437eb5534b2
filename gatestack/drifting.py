"""`drift`: what was changed behind CloudFormation's back. It changes nothing and renders nothing."""

from __future__ import annotations

from collections.abc import Mapping

import click

from deployer.aws.parameter_store import Parameters
from deployer.cloud import Cloud
from deployer.day2 import watch_report as look_report
from deployer.day2.drift import detect, without_own
from deployer.day2.drift import notes as drift_notes
from deployer.day2.drift_state import Drift
from gatestack import telling
from gatestack.account import clients, connect, poll_interval
from gatestack.cli import Options
from gatestack.environment import Environment, resolve
from gatestack.signals import host


@click.command()
@click.argument("env")
@click.option("--stack", "only", help="One stack, by its short name (network).")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def drift(options: Options, env: str, only: str | None, style: str) -> int:
    """Show which resources of ENV are no longer as they were deployed, property by property; 3 if any is."""
    environment = resolve(env, options.region)
    names = environment.chosen(only)
    found = _detected(environment, names, connect(environment, options), options)
    if style == "json":
        telling.document(look_report.drift_json(found))
    else:
        click.echo(look_report.drift_text(found))
    failed = [stack for stack in found.stacks if stack.verdict in {"failed", "busy"}]
    if failed:
        telling.error(f"{failed[0].name}: {failed[0].reason or 'drift could not be detected'}")
    return found.exit_code


def notes(environment: Environment, cloud: Cloud, options: Options) -> tuple[str, ...]:
    """Return what a plan should say of drift."""
    return drift_notes(_detected(environment, environment.stack_names, cloud, options))


def _detected(environment: Environment, names: Mapping[str, str], cloud: Cloud, options: Options) -> Drift:
    with host(lambda _: None) as here:
        interval = poll_interval(environment, options)
        found = detect(environment.name, names, cloud, here, poll_interval=interval)
    if found.interrupted or not any(stack.resources for stack in found.stacks):
        return found
    return without_own(found, Parameters(clients(environment, options), f"/{environment.prefix}").is_own)
