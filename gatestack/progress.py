"""Progress of a run on stderr: bars on a terminal, one line per event elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO, cast

import click
from rich.console import Console
from rich.progress import TaskID
from rich.text import Text

from deployer.outcomes import became
from deployer.progress import (
    Event,
    Notice,
    Owed,
    ResourceEvent,
    RunStarted,
    StackDecided,
    StackExpected,
    StackFinished,
    StackStarted,
    Stopping,
    Waiting,
)
from deployer.report import event_words
from gatestack import agents, gate, rows, telling
from gatestack.account import once
from gatestack.gate import Gate
from gatestack.options import Options
from gatestack.rows import Rows
from generator.escapes import one_line

OWED = "owed"
"""The key under which a command collects what it leaves to be done."""


@contextmanager
def shown(options: Options, *, speed: float = 1.0) -> Iterator[Callable[[Event], None]]:
    """
    Give the listener for a run: bars on a terminal, lines elsewhere, warnings alone with --quiet.

    *speed*: how much faster than AWS the endpoint is, for the remaining time.
    """
    if options.quiet or not _can_draw():
        yield _noting(Lines(quiet=options.quiet))
        return
    bars = Bars(_console(options), verbose=options.verbose, speed=speed)
    # output goes above the bars, after the output filter
    with bars.progress, gate.closed():
        yield _noting(bars)


def _noting(show: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener that collects what is owed, and passes everything else to *show*."""
    found = once(OWED, list[Owed])  # runs report from threads, which have no current command

    def tell(event: Event) -> None:
        if isinstance(event, Owed):
            found.append(event)
        else:
            show(event)

    return tell


def owed() -> tuple[Owed, ...]:
    """Return what this command's runs, and its plans, have left to be done."""
    return tuple(once(OWED, list[Owed]))


def _can_draw() -> bool:
    """Whether stderr is a terminal whose cursor moves, and no CI agent reads it."""
    dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
    return sys.stderr.isatty() and not dumb and agents.agent(os.environ) is None


def _console(options: Options) -> Console:
    """
    Return the console for bars: in colours, unless --no-color is given or NO_COLOR is set.

    Nothing else has colours, so FORCE_COLOR, which does not outrank those two, changes nothing in a pipe.
    """
    plain = options.no_color or bool(os.environ.get("NO_COLOR"))
    file = sys.stderr.plain() if isinstance(sys.stderr, Gate) else sys.stderr
    return rows.console(cast("TextIO", file), plain=plain)


class Lines:
    """One line per event, with its time and stack."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def __call__(self, event: Event) -> None:
        """Write *event*; with --quiet only those that need action."""
        important = isinstance(event, Stopping) or (isinstance(event, Notice) and event.warning)
        line = _line(event)
        if line and (important or not self._quiet) and not _told_agent(event):
            click.echo(line, err=True)


class Bars:
    """A row per stack, updated by events."""

    def __init__(self, console: Console, *, verbose: bool, speed: float = 1.0) -> None:
        self.progress = Rows(console, redirect_stdout=sys.stdout.isatty())
        self._verbose = verbose
        self._speed = speed
        self._tasks: dict[str, TaskID] = {}
        self._done: dict[str, set[str]] = {}
        self._open: dict[str, dict[str, str]] = {}
        """By stack, the resources in progress, with their status: the oldest first."""

    def __call__(self, event: Event) -> None:
        """Update the bars with *event*."""
        match event:
            case RunStarted():
                stacks = [stack for wave in event.waves for stack in wave]
                self.progress.longest = max([self.progress.longest, *map(len, stacks)])
                for stack in stacks:
                    self._add(stack, event.resources.get(stack) or None)
            case StackStarted():
                self._start(event)
            case StackExpected():
                self.progress.update(self._tasks[event.stack], expected=event.seconds / self._speed)
            case ResourceEvent():
                self._resource(event)
            case StackFinished():
                self._finish(event)
            case StackDecided():
                self._show(event.stack, f"{event.step}: {event.reason}")
            case Waiting():
                self._show(event.stack, event.reason)
            case _:
                self._print(_line(event))

    def _add(self, stack: str, total: int | None) -> None:
        """Add stacks; the passes of a deployment start several runs, in which a stack keeps its bar."""
        if stack not in self._tasks:
            task = self.progress.add_task(
                one_line(gate.told(stack)), start=False, total=total, current="", expected=0.0
            )
            self._tasks[stack] = task

    def _start(self, event: StackStarted) -> None:
        self._done[event.stack], self._open[event.stack] = set(), {}
        task = self._tasks[event.stack]
        self.progress.reset(task, start=True, total=event.resources or None)
        self.progress.update(task, expected=event.expected / self._speed)

    def _resource(self, event: ResourceEvent) -> None:
        said = event.event
        going = self._open.setdefault(event.stack, {})
        if not said.is_stack and said.status.endswith("_IN_PROGRESS"):
            going[said.logical_id] = said.status
        elif not said.is_stack:
            going.pop(said.logical_id, None)
        if said.status.endswith(("_COMPLETE", "_SKIPPED")) and not said.is_stack:
            self._done.setdefault(event.stack, set()).add(said.logical_id)
        task = self._tasks[event.stack]
        self.progress.update(task, completed=len(self._done.get(event.stack, ())))
        name, status = next(iter(going.items()), ("" if said.is_stack else said.logical_id, said.status))
        self._show(event.stack, f"{name} {status}".strip())
        if self._verbose or said.status.endswith("_FAILED"):
            self._print(_line(event))

    def _finish(self, event: StackFinished) -> None:
        result = event.result
        task = self._tasks[result.name]
        if result.outcome == "done":
            total = next(bar.total for bar in self.progress.tasks if bar.id == task) or 1
            self.progress.update(task, total=total, completed=total)
        self.progress.stop_task(task)
        self._show(result.name, became(result))

    def _show(self, stack: str, current: str) -> None:
        self.progress.update(self._tasks[stack], current=one_line(gate.told(current)))

    def _print(self, line: str) -> None:
        self.progress.console.print(Text(gate.told(line)))


def _line(event: Event) -> str:
    match event:
        case ResourceEvent():
            return _stamped(event.stack, event_words(event.stack, event.event))
        case StackDecided():
            return _stamped(event.stack, f"{event.step}: {event.reason}")
        case Waiting():
            return _stamped(event.stack, f"waits: {event.reason}")
        case StackFinished():
            result = event.result
            return _stamped(result.name, f"{became(result)} after {result.seconds:.1f} s")
        case Notice():
            return _stamped(event.stack or "", f"{'warning: ' if event.warning else ''}{event.text}")
        case Stopping():
            return _stopping(event)
        case _:
            return ""


def _told_agent(event: Event) -> bool:
    """Whether *event* is a warning that the CI agent has received."""
    if not (isinstance(event, Notice) and event.warning):
        return False
    return telling.to_agent("warning", f"{event.stack}: {event.text}" if event.stack else event.text)


def _stopping(event: Stopping) -> str:
    running = ", ".join(event.running)
    if event.leaving:
        return (
            f"exiting; AWS continues with: {running}" if running else "exiting; nothing is in progress in AWS"
        )
    if running:
        return f"starting nothing more; AWS continues with {running}: waiting until it ends (again: exit now)"
    return "starting nothing more"


def _stamped(stack: str, text: str) -> str:
    return f"{datetime.now(tz=UTC):%H:%M:%S}  {stack:<9} {text}"
