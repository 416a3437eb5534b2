"""`schema`: prints the JSON Schema of environment files or of plans, for editors and other tools."""

from __future__ import annotations

import click

from gatestack import telling


@click.command()
@click.option(
    "--of",
    type=click.Choice(["environment", "plan"]),
    default="environment",
    help="What it describes: environment files (default), or plan --format json.",
)
def schema(of: str) -> int:
    """Print the JSON Schema of environment files, or of what plan --format json prints."""
    telling.document((_plan() if of == "plan" else _environment()).rstrip("\n"))
    return 0


def _environment() -> str:
    from stacks.schema import FILE  # noqa: PLC0415 - --help needs no settings

    return FILE.read_text(encoding="utf-8")


def _plan() -> str:
    from deployer.facts.document import schema as of_plan  # noqa: PLC0415 - an environment's needs no plan

    return of_plan()
