"""
AWS's Price List API as one web application: GetProducts over HTTP, in pages, filtered as AWS does.

Its products have the shape of recorded answers: JSON texts in `PriceList`, each with product, terms and
publication date (Price List API Reference, GetProducts; shape recorded for AmazonECS on 2022-11-25).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TARGET = "AWSPriceListService.GetProducts"
PUBLISHED = "2026-11-20T18:21:30Z"


@dataclass(frozen=True)
class Product:
    """A product of AWS, and its price by tiers: (from how many units on, dollars)."""

    service: str
    family: str
    attributes: Mapping[str, str]
    tiers: tuple[tuple[str, str], ...]
    unit: str = "Hrs"

    def text(self, sku: str) -> str:
        """Return the product in the API's form."""
        term = f"{sku}.JRTCKXETXF"
        dimensions = {
            f"{term}.{number}": {
                "unit": self.unit,
                "beginRange": begin,
                "endRange": "Inf",
                "description": "",
                "appliesTo": [],
                "rateCode": f"{term}.{number}",
                "pricePerUnit": {"USD": usd},
            }
            for number, (begin, usd) in enumerate(self.tiers)
        }
        attributes = {"servicecode": self.service, "locationType": "AWS Region", **self.attributes}
        terms = {"OnDemand": {term: {"priceDimensions": dimensions, "sku": sku, "termAttributes": {}}}}
        product = {"productFamily": self.family, "attributes": attributes, "sku": sku}
        return json.dumps(
            {
                "product": product,
                "serviceCode": self.service,
                "terms": terms,
                "version": "20261120182130",
                "publicationDate": PUBLISHED,
            }
        )

    def has(self, field_name: str, value: str) -> bool:
        """Whether a filter of the API selects the product."""
        own = {"productFamily": self.family, "ServiceCode": self.service, **self.attributes}
        return own.get(field_name) == value


@dataclass
class PriceList:
    """A WSGI application."""

    products: tuple[Product, ...] = ()
    page: int = 2
    """Products per page: few, so that there are several."""
    refusal: tuple[str, str] | None = None
    """AWS's error code and message, if it refuses everything."""
    raw: str | None = None
    """One price list entry that replaces all others."""
    calls: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        assert environ["HTTP_X_AMZ_TARGET"] == TARGET, environ["HTTP_X_AMZ_TARGET"]
        self.calls.append(asked)
        status, answer = "200 OK", self._answer(asked)
        if self.refusal:
            status = "400 Bad Request"
            answer = {"__type": self.refusal[0], "message": self.refusal[1]}
        start_response(status, [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answer).encode()]

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if self.raw is not None:
            return {"FormatVersion": "aws_v1", "PriceList": [self.raw]}
        wanted = [(one["Field"], one["Value"]) for one in asked["Filters"]]
        found = [
            product.text(f"SKU{number}")
            for number, product in enumerate(self.products)
            if product.service == asked["ServiceCode"] and all(product.has(*one) for one in wanted)
        ]
        start = int(asked.get("NextToken", 0))
        more = {"NextToken": str(start + self.page)} if start + self.page < len(found) else {}
        return {"FormatVersion": "aws_v1", "PriceList": found[start : start + self.page], **more}


def fargate(prefix: str, region: str, *, factor: float = 1) -> tuple[Product, ...]:
    """Return AmazonECS's products in *region*, with some that must not be taken for Fargate on demand."""
    rates = {
        "Fargate-ARM-GB-Hours": 0.00356,
        "Fargate-GB-Hours": 0.004445,
        "Fargate-vCPU-Hours:perCPU": 0.04048,
        "Fargate-ARM-vCPU-Hours:perCPU": 0.03238,
        "SpotUsage-Fargate-vCPU-Hours:perCPU": 0.0121,
        "Fargate-Windows-vCPU-Hours:perCPU": 0.09148,
        "ECS-EC2-vCPU-Hours": 0,
    }
    return tuple(
        Product(
            "AmazonECS",
            "Compute",
            {"regionCode": region, "usagetype": f"{prefix}{kind}", "tenancy": "Shared"},
            (("0", f"{usd * factor:.10f}"),),
            "hours",
        )
        for kind, usd in rates.items()
    )
