"""`cost --live`: current prices from the Price List API, cached in the checkout for a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from deployer.aws.prices import HOME, Answer, PriceList, Question
from deployer.errors import DeployError
from gatestack.account import login, uses_sandbox
from gatestack.environment import Environment
from gatestack.options import Options
from generator.cost.prices import Price, PriceTable
from generator.foreign import write_private

FOLDER = Path(".gatestack") / "prices"
KEPT = timedelta(days=1)
"""How long answers are cached: AWS may change the Price List at any time, but rarely twice a day."""

Found = tuple[PriceTable, tuple[str, ...]]


def fresh(environment: Environment, options: Options, prices: PriceTable) -> Found:
    """Return *prices* with AWS's current ones in the environment's region, and notices about them."""
    region = environment.region
    if uses_sandbox(environment, options):
        return prices, (
            f"{environment.name} is the sandbox, which has no price list: the figures are the file's",
        )
    file = FOLDER / f"{region}.json"
    kept = _kept(file)
    wanted = {name: price for name, price in prices.prices.items() if name not in kept}
    new, reasons = _ask(environment, options, wanted)
    answers = {name: kept[name] for name in prices.prices if name in kept} | new
    if new:
        _keep(file, kept | new)
    table = prices.updated({name: (one.usd, one.published) for name, one in answers.items()})
    return table, _told(region, table, reasons)


def _ask(
    environment: Environment, options: Options, wanted: Mapping[str, Price]
) -> tuple[dict[str, Answer], Mapping[str, str]]:
    """Return the answers, and the reasons for missing ones."""
    unnamed = {
        name: "not asked: the Price List has no steady name for it"
        for name, one in wanted.items()
        if not one.ask
    }
    questions = [
        Question(
            name, one.ask.service, tuple(one.ask.filters.items()), one.ask.usage_type, one.ask.everywhere
        )
        for name, one in wanted.items()
        if one.ask
    ]
    try:
        found = PriceList(login(environment, options).elsewhere(HOME)).ask(environment.region, questions)
    except DeployError as error:
        return {}, unnamed | {question.name: str(error) for question in questions}
    return dict(found.prices), unnamed | dict(found.unanswered)


def _told(region: str, table: PriceTable, reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Return how many prices are AWS's current ones, and which are the file's for each reason."""
    live = sum(price.live for price in table.prices.values())
    told = [f"{live} of {len(table.prices)} prices are {region}'s by the Price List API"]
    whose = f"{table.region}'s of {table.seen.isoformat()}"
    for reason in dict.fromkeys(reasons.values()):
        missing = ", ".join(name for name, why in reasons.items() if why == reason)
        told.append(f"from the file ({whose}): {missing}: {reason}")
    return tuple(told)


def _kept(file: Path) -> dict[str, Answer]:
    """Return the answers of less than a day ago; none if the file is not in our format."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if datetime.now(UTC) - datetime.fromisoformat(content["asked"]) > KEPT:
            return {}
        return {
            name: Answer(float(one["usd"]), date.fromisoformat(one["published"]))
            for name, one in content["prices"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _keep(file: Path, answers: Mapping[str, Answer]) -> None:
    prices = {name: {"usd": one.usd, "published": one.published.isoformat()} for name, one in answers.items()}
    content = {"asked": datetime.now(UTC).isoformat(), "prices": prices}
    write_private(file, (json.dumps(content, indent=1) + "\n").encode())
