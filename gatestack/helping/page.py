"""Renders the help of gatestack and of each command: usage, options by purpose, examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from gatestack.helping.texts import CONSENT, EXAMPLES, OPTIONS, OUTPUT, TROUBLE, WHAT

MANY = 6
"""From this many own options on, a command's are grouped under headings."""
OWN, GLOBAL = "Options", "Global options"


class Page(click.Context):
    """The context of a command with such a help page."""

    def get_help(self) -> str:
        """Return the page."""
        command, formatter = self.command, self.make_formatter()
        command.format_usage(self, formatter)
        command.format_help_text(self, formatter)
        if isinstance(command, click.Group):
            command.format_commands(self, formatter)
        for heading, rows in _options(self).items():
            with formatter.section(heading):
                formatter.write_dl(rows)
        _examples(formatter, EXAMPLES.get(_named(self), ()))
        return formatter.getvalue().rstrip("\n")


def _named(page: click.Context) -> str:
    """Return the command of *page*, without `gatestack`."""
    return page.command_path.partition(" ")[2]


def _options(page: click.Context) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the options by headings: its own, then those of all commands."""
    options = [one for one in page.command.get_params(page) if isinstance(one, click.Option)]
    own = [one for one in options if one.expose_value]
    found: dict[str, list[tuple[str, str]]] = {
        heading: [] for heading in (WHAT, CONSENT, TROUBLE, OWN, OUTPUT)
    }
    for one in own:
        heading = OPTIONS.get(one.name or "", OWN) if len(own) >= MANY else OWN
        found[heading] += filter(None, [one.get_help_record(page)])
    found[GLOBAL] = [row for one in options if one not in own and (row := one.get_help_record(page))]
    return {heading: rows for heading, rows in found.items() if rows}


def _examples(formatter: click.HelpFormatter, lines: Sequence[str]) -> None:
    if not lines:
        return
    with formatter.section("Examples"):
        for line in lines:
            formatter.write(f"{' ' * formatter.current_indent}{line}\n")
