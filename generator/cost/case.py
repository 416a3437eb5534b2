"""One resource with everything its price depends on, and the resulting rows of the estimate. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from generator.cost.prices import Price, PriceTable
from generator.cost.template import Template
from generator.cost.usage import Usage
from generator.references import Resource


@dataclass(frozen=True)
class Row:
    """What one thing of a resource costs in a month."""

    stack: str
    logical_id: str
    type: str
    item: str
    """What is paid for: ``Fargate vCPU``."""
    monthly_usd: float | None
    """None: not estimated; the assumption says why."""
    assumption: str
    """How the figure is calculated."""


@dataclass(frozen=True)
class Totals:
    """Totals of the whole environment, for resources that share an assumption."""

    nat_gateways: int
    endpoints: int
    """Interface endpoints."""
    task_logs: int
    """Log groups that services' tasks write to."""
    buckets: int
    repositories: int


@dataclass(frozen=True)
class Case:
    """One resource to be priced."""

    resource: Resource
    template: Template
    totals: Totals
    usage: Usage
    prices: PriceTable

    @property
    def hours(self) -> float:
        """How long everything runs in a month."""
        return self.usage.hours_per_month

    def value(self, name: str) -> Any:
        """Return the value of a property; None if it is missing, or only a deployment knows it."""
        return self.template.value(self.resource.properties.get(name))

    def number(self, name: str, otherwise: float = 0) -> float:
        """Return a property as an amount, *otherwise* for no number; raises ValueError for no amount."""
        return self.template.number(self.resource.properties.get(name), otherwise)

    def settings(self, name: str) -> Mapping[str, Any]:
        """Return a property with parts, empty if it is missing."""
        found = self.value(name)
        return found if isinstance(found, dict) else {}

    def priced(
        self, item: str, name: str, quantity: float, words: str, *, variant: str = "", note: str = ""
    ) -> Row:
        """Return the row of *quantity* units at the price *name*; *words* say what that is made of."""
        return self.at(item, self.prices.price(name, variant), quantity, words, note=note)

    def at(self, item: str, price: Price, quantity: float, words: str, *, note: str = "") -> Row:
        """Return the row of *quantity* units at *price*; *note*: a remark on it."""
        if price.usd is None:
            return self.open(item, price.doubt)
        each = f"{price.usd:.10f}".rstrip("0").rstrip(".")
        return self._row(item, quantity * price.usd, "; ".join(filter(None, [f"{words} x ${each}", note])))

    def free(self, item: str, why: str) -> Row:
        """Return the row of what costs nothing."""
        return self._row(item, 0.0, why)

    def open(self, item: str, why: str) -> Row:
        """Return the row of what is not estimated."""
        return self._row(item, None, why)

    def _row(self, item: str, usd: float | None, words: str) -> Row:
        one = self.resource
        rounded = None if usd is None else round(usd, 4)
        return Row(one.stack, one.logical_id, one.type, item, rounded, words)


Pricer: TypeAlias = Callable[[Case], Iterator[Row]]


def amount(number: float) -> str:
    """Return a number in its shortest form: ``730``, ``0.5``."""
    return f"{number:,.4f}".rstrip("0").rstrip(".")
