"""`local start|stop|status`: the sandbox as a background process of this checkout."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatestack import telling
from sandbox import local as sandbox

SANDBOX_FOLDER = Path(".gatestack")
"""Of this checkout: two checkouts have two sandboxes."""


@click.group()
def local() -> None:
    """Run an AWS endpoint on this machine for ENV=local; what is in it lives until `local stop`."""


@local.command()
@click.option(
    "--speed", type=click.FloatRange(min=1), default=sandbox.SPEED, help="Its seconds in a real one."
)
def start(speed: float) -> int:
    """Start it, or say where it already is."""
    click.echo(sandbox.start(SANDBOX_FOLDER, speed=speed))
    return 0


@local.command()
def stop() -> int:
    """Stop it and forget everything in it."""
    click.echo("stopped" if sandbox.stop(SANDBOX_FOLDER) else "not running", err=True)
    return 0


@local.command()
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
def status(style: str) -> int:
    """Say whether it runs, and where."""
    found = sandbox.status(SANDBOX_FOLDER)
    if style == "json":
        telling.document(json.dumps({"running": found.running, "endpoint": found.endpoint}))
    else:
        click.echo(f"running at {found.endpoint}" if found.running else "not running")
    return 0
