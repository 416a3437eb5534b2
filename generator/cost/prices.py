"""
Prices with their sources: the dated file of a region, and later answers of the Price List API.

Reads only files of this package; sends no requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stacks.bases import LOADER

FOLDER = Path(__file__).parent / "prices"
HOME = "us-east-1"
"""The region whose prices are used for regions without a file."""


@dataclass(frozen=True)
class Ask:
    """The Price List API's query for one price (Price List API Reference, GetProducts)."""

    service: str
    """``AmazonECS``"""
    filters: Mapping[str, str]
    """Attributes that the product has, without its region."""
    usage_type: str
    """Without the prefix of the region: ``USE1-Fargate-GB-Hours`` is ``Fargate-GB-Hours``."""
    everywhere: bool = False
    """Whether the product belongs to no region."""


@dataclass(frozen=True)
class Price:
    """One price in US dollars."""

    name: str
    """``nat-hour``; with the variant: ``rds-hour/db.t3.micro``."""
    usd: float | None
    """For one unit; None: no source gives it."""
    unit: str
    source: str
    """AWS's page with the price."""
    seen: date
    """The date of that page, or of a copy of the Price List."""
    per: float = 1
    """How many of the Price List's units are one of ours."""
    ask: Ask | None = None
    """None: the Price List has no stable name for it."""
    live: bool = False
    """Whether it is a current answer of the Price List API."""
    doubt: str = ""
    """Why there is none, or why it may differ."""


@dataclass(frozen=True)
class PriceTable:
    """The prices of one region."""

    region: str
    """The region of these prices."""
    seen: date
    """The date of the file."""
    prices: Mapping[str, Price]
    families: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Prices with variants, like an instance's class: name -> what all of them share."""

    def price(self, name: str, variant: str = "") -> Price:
        """Return a price; without `usd` if no source gives it."""
        key = f"{name}/{variant}" if variant else name
        return self.prices[key] if key in self.prices else _of_family(self, name, variant)

    def select(self, names: Iterable[str]) -> PriceTable:
        """Return a table of the prices called *names* alone, those without a figure included."""
        parts = (name.partition("/") for name in names)
        return replace(
            self, prices={f"{one}{mark}{variant}": self.price(one, variant) for one, mark, variant in parts}
        )

    def updated(self, answers: Mapping[str, tuple[float, date]]) -> PriceTable:
        """Return the table with *answers* of the Price List API in place of its prices, and a date."""
        keys = (name.partition("/") for name in answers)
        known = {f"{name}{mark}{variant}": self.price(name, variant) for name, mark, variant in keys}
        fresh = {
            key: replace(known[key], usd=usd * known[key].per, seen=seen, live=True, doubt="")
            for key, (usd, seen) in answers.items()
        }
        return replace(self, prices={**self.prices, **fresh})


@dataclass(frozen=True)
class Noting(PriceTable):
    """A table that notes which prices it is asked for."""

    noted: dict[str, Price] = field(default_factory=dict)

    def price(self, name: str, variant: str = "") -> Price:
        """Return a price, noted."""
        found = super().price(name, variant)
        self.noted[found.name] = found
        return found


@cache
def load(region: str) -> PriceTable:
    """Return the prices of *region*; those of `HOME` where it has no file, as `PriceTable.region` says."""
    path = FOLDER / f"{region}.yaml"
    text = (path if path.is_file() else FOLDER / f"{HOME}.yaml").read_text(encoding="utf-8")
    content = yaml.load(text, LOADER)  # noqa: S506 - it is safe
    families = content["families"]
    prices = {name: _price(name, entry) for name, entry in content["prices"].items()}
    prices |= {price.name: price for name, entry in families.items() for price in _variants(name, entry)}
    return PriceTable(content["region"], content["seen"], prices, families)


def _variants(name: str, entry: Mapping[str, Any]) -> Iterator[Price]:
    for variant, said in entry["variants"].items():
        own = said if isinstance(said, dict) else {"usd": said}
        yield _price(f"{name}/{variant}", {**entry, **own}, variant)


def _of_family(table: PriceTable, name: str, variant: str) -> Price:
    doubt = f"no price of {variant} with a source: see --live"
    return _price(f"{name}/{variant}", {**table.families[name], "usd": None, "doubt": doubt}, variant)


def _price(name: str, entry: Mapping[str, Any], variant: str = "") -> Price:
    ask = entry.get("ask")
    return Price(
        name=name,
        usd=entry["usd"],
        unit=entry["unit"],
        source=entry["source"],
        seen=entry["seen"],
        per=entry.get("per", 1),
        ask=_ask(ask, variant) if ask else None,
        doubt=entry.get("doubt", ""),
    )


def _ask(entry: Mapping[str, Any], variant: str) -> Ask:
    given = {key: str(value).replace("{variant}", variant) for key, value in entry.items()}
    service, usage_type = given.pop("service"), given.pop("usage_type")
    everywhere = given.pop("everywhere", "") == "True"
    return Ask(service, given, usage_type, everywhere)
