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
Columns that stay free: the terminal writes ``^C`` behind the last row, once per press, and a row that wraps
would remain after the next drawing.
"""
WIDE, MIDDLE, NARROW = 90, 70, 50
"""
Columns from which a row has both times and a long bar, a short bar, and a time at all. At any width, it shows
the progress and the resource in progress.
"""
SHORTEST = 9
"""Least columns of the names."""
NAME_PART = 3
"""A stack's name gets at most this part of a row."""
FIXED = 7
"""Columns of a count (`102/125`) and of a time (`0:12:34`, `~12 min`), so that no row moves as they grow."""


def _fixed() -> Column:
    return Column(width=FIXED, no_wrap=True, overflow="crop", justify="right")


class Count(ProgressColumn):
    """Resources done of those that the operation touches; ? if unknown."""

    def __init__(self) -> None:
        super().__init__(_fixed())

    def render(self, task: Task) -> Text:
        """Return both numbers."""
        return Text(f"{task.completed:.0f}/{'?' if task.total is None else f'{task.total:.0f}'}")


class Elapsed(ProgressColumn):
    """How long the stack has been in progress; empty while it waits."""

    def __init__(self) -> None:
        super().__init__(_fixed())

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds."""
        seconds = task.finished_time if task.finished else task.elapsed
        return Text("" if seconds is None else str(timedelta(seconds=int(seconds))))


class Rest(ProgressColumn):
    """What is left of the usual time; empty after it, as the rest is unknown then."""

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
    """Resources done of total, elapsed time, expected rest, the resource in progress."""

    def __init__(self, console: Console, *, redirect_stdout: bool) -> None:
        self.longest = 0
        """Length of the longest name, including future rows."""
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

    Its own width counts: COLUMNS and LINES may be another terminal's, or outdated.
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
