"""Estimates for tests: of a shipped environment, of a file, of a template that is written down."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generator.cost.case import Row
from generator.cost.estimate import Estimate, estimate
from generator.cost.prices import PriceTable, load
from generator.cost.template import Template
from generator.cost.usage import Usage
from generator.manifest import Manifest
from generator.render import render
from stacks.environment import load as load_file
from stacks.environment import parse_settings
from tests.places import ROOT

HOME = load("us-east-1")


@cache
def shipped(name: str) -> Estimate:
    """Return the estimate of a shipped environment file, in us-east-1."""
    return of(render(load_file(ROOT / "environments" / f"{name}.yaml")))


def written(text: dict[str, Any]) -> Estimate:
    """Return the estimate of an environment file with *text*."""
    return of(render(parse_settings(yaml.safe_dump(text), Path("e.yaml"))))


def of(manifest: Manifest, prices: PriceTable = HOME) -> Estimate:
    """Return the estimate of a manifest."""
    templates = [Template.read(stack.name, stack.template) for stack in manifest.stacks]
    return estimate(templates, Usage.read(manifest.usage), prices)


def usage(**changed: float | None) -> Usage:
    """Return the assumptions of dev, with some *changed*."""
    return Usage.read(_of_dev() | changed)


@cache
def _of_dev() -> dict[str, Any]:
    return load_file(ROOT / "environments" / "dev.yaml").usage.model_dump()


def rows(resources: dict[str, Any], assumed: Usage | None = None, **parts: Any) -> tuple[Row, ...]:
    """Return the rows of one template, its *resources* as (type without AWS::, properties)."""
    made = {
        name: {"Type": f"AWS::{kind}", "Properties": properties, **parts.get(name, {})}
        for name, (kind, properties) in resources.items()
    }
    document = {"Resources": made, **{key: value for key, value in parts.items() if key not in made}}
    return estimate([Template.read("one", json.dumps(document))], assumed or usage(), HOME).rows


def usd(found: tuple[Row, ...]) -> dict[str, float | None]:
    """Return the figures by item."""
    return {row.item: row.monthly_usd for row in found}
