"""`cost`: the monthly estimate of an environment."""

from __future__ import annotations

import click

from gatestack import telling
from gatestack.costing import elsewhere, templates_of
from gatestack.environment import Environment, SettingsRefused, resolve
from gatestack.options import ENV, FORMAT, Options
from generator.cost import report
from generator.cost.estimate import estimate, names
from generator.cost.prices import PriceTable, load
from generator.cost.report import Priced
from generator.cost.usage import Usage


@click.command()
@ENV
@click.option("--live", is_flag=True, help="Ask the AWS Price List API; its answers are cached for a day.")
@FORMAT
@click.pass_obj
def cost(options: Options, env: str, style: str, *, live: bool) -> int:
    """Estimate the monthly cost of ENV, with a row per billed item and its assumption."""
    environment = resolve(env, options.region)
    manifest = environment.manifest()
    try:
        usage, templates = Usage.read(manifest.usage), templates_of(manifest)
    except ValueError as error:
        raise SettingsRefused(f"{env}: {error}") from error
    prices, notices = load(manifest.region), elsewhere(manifest)
    if live:
        needed = names(templates, usage, prices)
        prices, notices = _asked(environment, options, prices.select(needed))
    found = estimate(templates, usage, prices)
    priced = Priced(environment.name, manifest.region, found, usage, prices, notices)
    if style == "json":
        telling.document(report.machine(priced))
    else:
        click.echo(report.text(priced))
    return 0


def _asked(
    environment: Environment, options: Options, prices: PriceTable
) -> tuple[PriceTable, tuple[str, ...]]:
    from gatestack.live_prices import fresh  # noqa: PLC0415 - botocore only with --live

    return fresh(environment, options, prices)
