"""Cost of KMS keys, secrets, and the models that a role may call. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.cost.case import Case, Row, amount

_MODEL = re.compile(r":(?:inference-profile|foundation-model)/([\w.:-]+)")


def key(case: Case) -> Iterator[Row]:
    """Yield a customer key."""
    turned = (
        "$1 more after each of the first two yearly rotations; " if case.value("EnableKeyRotation") else ""
    )
    yield case.priced("customer key", "kms-key-month", 1, "1", note=f"{turned}requests not counted")


def secret(case: Case) -> Iterator[Row]:
    """Yield a secret."""
    yield case.priced("secret", "secret-month", 1, "1", note="reads not counted")


def role(case: Case) -> Iterator[Row]:
    """Yield the tokens of the models that a role may call; a role itself costs nothing."""
    models = tuple(dict.fromkeys(_models(case.resource.properties)))
    use = case.usage
    for model in models:
        if not use.input_tokens_million and not use.output_tokens_million:
            yield case.open(
                f"Bedrock tokens: {model}", "usage-based: usage.input_tokens_million says how many"
            )
            continue
        for way, total in (("input", use.input_tokens_million), ("output", use.output_tokens_million)):
            share = total / len(models)
            words = f"{amount(share)} million {way} tokens"
            yield case.priced(
                f"Bedrock {way} tokens: {model}", f"bedrock-{way}-million", share, words, variant=model
            )


def _models(value: Any) -> Iterator[str]:
    """Yield the models of a role by the names that it calls; those behind a profile have a condition."""
    if isinstance(value, list):
        for one in value:
            yield from _models(one)
    elif isinstance(value, Mapping):
        if "bedrock:InvokeModel" not in json.dumps(value.get("Action", "")):
            yield from _models([*value.values()])
        elif "Condition" not in value:
            yield from _MODEL.findall(json.dumps(value.get("Resource")))
