"""How long a new environment takes until its gateway answers, in express mode beside standard mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from bench.endpoint import Timed
from bench.table import Row, compared
from deployer.aws.account import connect
from deployer.deploy import deploy
from deployer.options import Host, Options
from generator.render import render
from stacks.environment import parse_settings

ENVIRONMENTS = {"with a database": "litellm", "without one": "llm-testing"}
"""Systems; their images are public ones: nothing has to be pushed before tasks start."""


def rows() -> Iterator[Row]:
    """Measure it, on the sandbox's clock."""
    for what, system in ENVIRONMENTS.items():
        express, standard = _seconds(system, "express"), _seconds(system, "standard")
        figures = f"{express:.0f} s of the sandbox", f"standard mode: {standard:.0f} s", express / standard
        yield compared(f"new environment {what} until it answers, in express mode", *figures)


def _seconds(system: str, mode: str) -> float:
    """Return the sandbox's seconds until the first deployment has ended: its tasks answer by then."""
    file = {
        "system": system,
        "environment": "dev",
        "network": {"nat_gateways": 1},
        "service": {"image": "ghcr.io/berriai/litellm-database"},
        "deployment": {"mode": mode},
    }
    manifest = render(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))
    with Timed() as sandbox:
        os.environ |= sandbox.variables
        host = Host(lambda _: None, sandbox.clock.now, sandbox.sleep, "bench")
        return deploy(manifest, connect(manifest.region, endpoint=sandbox.endpoint), Options(), host).seconds
