"""`schema`: prints the JSON Schema of environment files, for editors and other tools."""

from __future__ import annotations

import click

from gatestack import telling


@click.command()
def schema() -> int:
    """Print the JSON Schema of environment files, as this gatestack checks them."""
    from stacks.schema import FILE  # noqa: PLC0415 - --help needs no settings

    telling.document(FILE.read_text(encoding="utf-8").rstrip("\n"))
    return 0
