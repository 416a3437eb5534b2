"""Prints the last screen of a command: on stderr with the cause last; only the address goes to stdout."""

from __future__ import annotations

from collections.abc import Callable

import click

from deployer import report
from deployer.progress import Result
from gatestack import telling
from gatestack.ending.facts import Ending, Known, ending
from gatestack.ending.text import after, text


def ended(result: Result, style: str, known: Known | None = None) -> int:
    """Print the result of a run, with its outputs for an agent; returns its exit code."""
    telling.outputs(result.outputs)
    printed(ending(result, known or Known()), style, lambda: report.result_json(result))
    return result.exit_code


def printed(found: Ending, style: str, document: Callable[[], str]) -> None:
    """Print *found*, or *document* where *style* asks for JSON; the cause is on stderr in both."""
    if style == "json":
        telling.document(document())
    else:
        told(found)
    if found.cause:
        telling.error(found.cause)


def told(found: Ending) -> None:
    """Print *found* without its cause."""
    click.echo(text(found), err=True)
    if found.url:
        click.echo(found.url)
    if rest := after(found):
        click.echo(rest, err=True)
