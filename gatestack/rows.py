"""One row per stack on a terminal: never longer than the terminal, with columns that stay in place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.constrain import Constrain
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.table import Column, Table
from rich.text import Text

ROOM = 5
"""
Columns of the terminal that stay free: it writes ``^C`` behind the last row, twice where it is pressed twice,
and a row that went on in the next line would be left behind at the next drawing.
"""
WIDE, MIDDLE, NARROW = 90, 70, 50
"""
Columns from which a row has both times and a long bar, a short bar, and a time at all. Whatever its width, it
says how much is done and which resource AWS works on.
"""
SHORTEST = 9
"""Columns that the names have at least."""
NAME_PART = 3
"""A stack's name gets at most this part of a row."""
FIXED = 7
"""Columns of a count (`102/125`) and of a time (`0:12:34`, `~12 min`), so that no row moves as they grow."""


def _fixed() -> Column:
    return Column(width=FIXED, no_wrap=True, overflow="crop", justify="right")


class Count(ProgressColumn):
    """Resources done of those that the operation touches; ? where nobody has counted them."""

    def __init__(self) -> None:
        super().__init__(_fixed())

    def render(self, task: Task) -> Text:
        """Return both numbers."""
        return Text(f"{task.completed:.0f}/{'?' if task.total is None else f'{task.total:.0f}'}")


class Elapsed(ProgressColumn):
    """How long the stack has been worked on; of one that waits, nothing."""

    def __init__(self) -> None:
        super().__init__(_fixed())

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds."""
        seconds = task.finished_time if task.finished else task.elapsed
        return Text("" if seconds is None else str(timedelta(seconds=int(seconds))))


class Rest(ProgressColumn):
    """What is left of the usual time; nothing once it is over, because then nobody knows."""

    def __init__(self) -> None:
        super().__init__(_fixed())

    def render(self, task: Task) -> Text:
        """Return the rest in minutes, in seconds when there are few."""
        left = task.fields["expected"] - (task.elapsed or 0.0)
        if task.finished or not task.started or left < 1:
            return Text("")
        return Text(f"~{left / 60:.0f} min" if left > 90 else f"~{left:.0f} s")


class Time(Rest):
    """The rest where it is known, else what has elapsed: for rows that have room for one of them."""

    def render(self, task: Task) -> Text:
        """Return the one or the other."""
        return super().render(task) or Elapsed().render(task)


class Rows(Progress):
    """Resources done of total, elapsed time, expected rest, the resource that AWS works on."""

    def __init__(self, console: Console, *, redirect_stdout: bool) -> None:
        self.longest = 0
        """Characters of the longest name, of rows that are still to come as well."""
        name = TextColumn("{task.description}", markup=False)
        current = TextColumn(
            "{task.fields[current]}", markup=False, table_column=Column(no_wrap=True, ratio=1)
        )
        self._terminal = console
        self._layouts = {
            WIDE: (name, BarColumn(bar_width=24), Count(), Elapsed(), Rest(), current),
            MIDDLE: (name, BarColumn(bar_width=8), Count(), Time(), current),
            NARROW: (name, Count(), Time(), current),
            0: (name, Count(), current),
        }
        super().__init__(*self._layouts[WIDE], console=console, redirect_stdout=redirect_stdout, expand=True)

    def get_renderables(self) -> Iterable[Constrain]:
        """Return the rows as wide as the terminal is now."""
        width = max(self._terminal.width - ROOM, 1)
        self.columns = next(columns for least, columns in self._layouts.items() if width >= least)
        yield Constrain(self._rows(width), width)

    def _rows(self, width: int) -> Table:
        table = self.make_tasks_table(self.tasks)
        table.columns[0].width = max(min(max(self.longest, SHORTEST), width // NAME_PART), 1)
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
