"""A row for each stack, drawn at a terminal: never as long as it, in columns that stay where they are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.constrain import Constrain
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table
from rich.text import Text

ROOM = 5
"""
Columns of the terminal that stay free: it writes ``^C`` behind the last row, twice where it is pressed twice,
and a row that went on in the next line would be left behind at the next drawing.
"""
NARROW, TIGHT = 90, 55
"""Columns below which there is no rest of time and a shorter bar, and below which neither bar nor time."""
NAME_PART = 3
"""A stack's name gets at most this part of a row."""


class Rest(ProgressColumn):
    """What is left of the usual time; nothing once it is over, because then nobody knows."""

    def render(self, task: Task) -> Text:
        """Return the rest in minutes, in seconds when there are few."""
        left = task.fields["expected"] - (task.elapsed or 0.0)
        if task.finished or not task.started or left < 1:
            return Text("")
        return Text(f"~{left / 60:.0f} min" if left > 90 else f"~{left:.0f} s")


class Rows(Progress):
    """Resources done of total, elapsed time, expected rest, the resource that AWS works on."""

    def __init__(self, console: Console, *, redirect_stdout: bool) -> None:
        count, elapsed = MofNCompleteColumn(), TimeElapsedColumn()
        name = TextColumn("{task.description:<9}", markup=False)
        current = TextColumn(
            "{task.fields[current]}", markup=False, table_column=Column(no_wrap=True, ratio=1)
        )
        self._terminal = console
        self._wide = (name, BarColumn(bar_width=24), count, elapsed, Rest(), current)
        self._narrow = (name, BarColumn(bar_width=8), count, elapsed, current)
        self._tight = (name, count, current)
        super().__init__(*self._wide, console=console, redirect_stdout=redirect_stdout, expand=True)

    def get_renderables(self) -> Iterable[Constrain]:
        """Return the rows as wide as the terminal is now."""
        width = max(self._terminal.width - ROOM, 1)
        self.columns = self._tight if width < TIGHT else self._narrow if width < NARROW else self._wide
        yield Constrain(self._rows(width), width)

    def _rows(self, width: int) -> Table:
        table = self.make_tasks_table(self.tasks)
        table.columns[0].max_width = max(width // NAME_PART, 1)
        return table


def console(file: TextIO, *, plain: bool) -> Console:
    """
    Return the terminal *file*, *plain*: without colours.

    It is as wide as it says itself: COLUMNS and LINES may be another terminal's, or of another time.
    """
    own = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    return Console(
        file=file,
        force_terminal=True,
        color_system=None if plain else "auto",
        highlight=False,
        soft_wrap=True,
        _environ=own,
    )
