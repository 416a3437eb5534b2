"""An estimate as text or JSON. Pure: frozen data in, one string out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields

from generator.cost.case import Row, amount
from generator.cost.estimate import Estimate, total
from generator.cost.prices import PriceTable
from generator.cost.usage import Usage


@dataclass(frozen=True)
class Priced:
    """An estimate with its basis."""

    environment: str
    region: str
    """Where the environment is."""
    estimate: Estimate
    usage: Usage
    prices: PriceTable
    notices: tuple[str, ...] = ()
    """Notices about the prices."""


def of_another_region(region: str, prices: PriceTable) -> str:
    """Return that the prices are not those of *region*; empty where they are."""
    if region == prices.region:
        return ""
    return (
        f"no price file for {region}: the figures are {prices.region}'s; --live asks AWS for {region}'s own"
    )


def text(priced: Priced) -> str:
    """Return an estimate for a terminal: a block a stack, what is not estimated, assumptions, dates."""
    found = priced.estimate
    lines = [line for name, rows in found.stacks.items() for line in _block(name, rows)]
    lines.append(f"{priced.environment}: {_usd(found.monthly_usd)} a month ({_whose(priced)})")
    if found.not_estimated:
        lines += ["", "not estimated:", *_open(found.not_estimated)]
    lines += ["", "a month is taken to bring (usage in the environment file):", *_assumptions(priced.usage)]
    lines += [f"note: {notice}" for notice in priced.notices]
    return "\n".join(lines)


def machine(priced: Priced) -> str:
    """Return an estimate for machines: rows, their sum, and their basis."""
    found, prices = priced.estimate, priced.prices
    content = {
        "environment": priced.environment,
        "region": priced.region,
        "monthly_usd": found.monthly_usd,
        "rows": [asdict(row) for row in found.rows],
        "stacks": {name: total(rows) for name, rows in found.stacks.items()},
        "not_estimated": len(found.not_estimated),
        "prices": {"region": prices.region, "seen": prices.seen.isoformat(), "live": _live(prices)},
        "usage": asdict(priced.usage),
        "notices": list(priced.notices),
    }
    return json.dumps(content, indent=2)


def _block(name: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"{name}: {_usd(total(rows))}"
    shown = [row for row in rows if row.monthly_usd is not None]
    widths = [
        max((len(cell) for cell in column), default=0) for column in zip(*map(_cells, shown), strict=True)
    ]
    for row in shown:
        logical_id, item, usd = _cells(row)
        places = f"{logical_id:<{widths[0]}}  {item:<{widths[1]}}  {usd:>{widths[2]}}"
        yield f"  {places}  {row.assumption}"
    yield ""


def _cells(row: Row) -> tuple[str, str, str]:
    return row.logical_id, row.item, _usd(row.monthly_usd or 0)


def _open(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is not estimated, a line for each reason."""
    for item, why in dict.fromkeys((row.item, row.assumption) for row in rows):
        places = [
            f"{row.stack}/{row.logical_id}" for row in rows if (row.item, row.assumption) == (item, why)
        ]
        yield f"  {item} ({', '.join(places)}): {why}"


def _assumptions(usage: Usage) -> Iterator[str]:
    values = {one.name: getattr(usage, one.name) for one in fields(usage)}
    said = [f"{name} {'none' if value is None else amount(value)}" for name, value in values.items()]
    for start in range(0, len(said), 5):
        yield f"  {', '.join(said[start : start + 5])}"


def _whose(priced: Priced) -> str:
    prices = priced.prices
    if not _live(prices):
        return f"{prices.region}, prices of {prices.seen.isoformat()}"
    latest = max(price.seen for price in prices.prices.values() if price.live)
    return f"{priced.region}, the Price List API's prices of {latest.isoformat()}"


def _live(prices: PriceTable) -> int:
    return sum(price.live for price in prices.prices.values())


def _usd(value: float) -> str:
    return f"${value:,.2f}"
