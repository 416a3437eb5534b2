"""
AWS prices from the Price List API, in dollars per unit.

Independent of templates and of gatestack's own prices. An ambiguous answer gives no price, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.errors import DeployError

HOME = "us-east-1"
"""Where the Price List API answers for all regions (AWS Billing User Guide, "Price List Query API")."""
PAGE = 100
"""Products in an answer, the most there may be (Price List API Reference, GetProducts)."""

_PREFIX = r"(?:(?:EU|CPT|[A-Z]{3}\d{1,2}|[a-z]{2}(?:-[a-z]+)+-\d)-)?"
"""What a usage type may begin with: its region as billing spells it (USE1, EU, EUC1), or in full (KMS)."""


@dataclass(frozen=True)
class Question:
    """One price that is asked for."""

    name: str
    """The asker's."""
    service: str
    """``AmazonECS``"""
    filters: tuple[tuple[str, str], ...]
    """Attributes of the product, and what they must be."""
    usage_type: str
    """Without the region's prefix."""
    everywhere: bool = False
    """Whether the product belongs to no region."""


@dataclass(frozen=True)
class Answer:
    """One price: US dollars for one of the Price List's own units."""

    usd: float
    published: date


@dataclass(frozen=True)
class Answers:
    """The answers to all questions."""

    prices: Mapping[str, Answer]
    """By the questions' names."""
    unanswered: Mapping[str, str]
    """Name -> why there is no price."""


class PriceList:
    """The Price List API."""

    def __init__(self, clients: Clients) -> None:
        """*clients* are those of `HOME`, whatever region is asked about."""
        self._clients = clients

    def ask(self, region: str, questions: Iterable[Question]) -> Answers:
        """
        Return the on-demand prices in *region*; an error becomes the reason for the questions it concerns.
        """
        groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Question]] = {}
        for one in questions:
            filters = one.filters if one.everywhere else (*one.filters, ("regionCode", region))
            groups.setdefault((one.service, filters), []).append(one)
        prices: dict[str, Answer] = {}
        unanswered: dict[str, str] = {}
        silent = ""
        for (service, filters), group in groups.items():
            products, why = ((), silent) if silent else self._listed(service, filters)
            silent = why
            for one in group:
                found = why or _answer(one, products)
                if isinstance(found, Answer):
                    prices[one.name] = found
                else:
                    unanswered[one.name] = found
        return Answers(prices, unanswered)

    def _listed(
        self, service: str, filters: Sequence[tuple[str, str]]
    ) -> tuple[tuple[Mapping[str, Any], ...], str]:
        """Return the products, or why AWS answers no further request: one refusal is enough."""
        try:
            return tuple(self._products(service, filters)), ""
        except DeployError as error:
            return (), str(error)
        except ValueError:
            return (), f"the Price List's answer for {service} is not understood"

    def _products(self, service: str, filters: Sequence[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        """Yield all products of *service* that have *filters*, page by page."""
        wanted = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters]
        question = partial(
            ask,
            self._clients("pricing"),
            "get_products",
            ServiceCode=service,
            Filters=wanted,
            FormatVersion="aws_v1",
            MaxResults=PAGE,
        )
        for page in pages(question, "pricing get_products"):
            yield from (json.loads(product) for product in page.get("PriceList", ()))


def _answer(question: Question, products: Iterable[Mapping[str, Any]]) -> Answer | str:
    """Return the one price of the products that have the question's usage type, or why there is none."""
    pattern = re.compile(_PREFIX + re.escape(question.usage_type))
    what = f"{question.service} {question.usage_type}"
    try:
        own = [
            one for one in products if pattern.fullmatch(one["product"]["attributes"].get("usagetype", ""))
        ]
        found = {price: _published(one) for one in own for price in _on_demand(one)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return f"the Price List's answer for {what} is not understood"
    if len(found) > 1:
        return f"the Price List has {len(found)} prices for {what}"
    return next((Answer(*one) for one in found.items()), f"the Price List has no price for {what}")


def _on_demand(product: Mapping[str, Any]) -> Iterator[float]:
    """Yield the first tier of a product's terms that costs something; a price of 0 where none does."""
    for term in product["terms"].get("OnDemand", {}).values():
        tiers = sorted(term["priceDimensions"].values(), key=lambda tier: float(tier.get("beginRange", 0)))
        usd = [float(tier["pricePerUnit"]["USD"]) for tier in tiers]
        yield from [next((one for one in usd if one), 0.0)] if usd else ()


def _published(product: Mapping[str, Any]) -> date:
    return date.fromisoformat(product["publicationDate"][:10])
