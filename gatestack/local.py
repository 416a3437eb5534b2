"""`local start|stop|status`: the sandbox as a background process of this checkout."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sandbox import local as sandbox

FOLDER = Path(".gatestack")


@click.group()
def local() -> None:
    """The sandbox: an AWS endpoint on this machine for ENV=local. Its state lives until `local stop`."""


@local.command()
def start() -> int:
    """Start it, or say where it already is."""
    click.echo(sandbox.start(FOLDER))
    return 0


@local.command()
def stop() -> int:
    """Stop it and forget everything in it."""
    click.echo("stopped" if sandbox.stop(FOLDER) else "not running", err=True)
    return 0


@local.command()
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
def status(style: str) -> int:
    """Say whether it runs, and where."""
    found = sandbox.status(FOLDER)
    if style == "json":
        click.echo(json.dumps({"running": found.running, "endpoint": found.endpoint}))
    else:
        click.echo(f"running at {found.endpoint}" if found.running else "not running")
    return 0
