"""
The last run, from CloudFormation's events: the stack operations that belong to it, and their spans.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from deployer.causes import operation
from deployer.states import StackEvent

State = Literal["done", "failed", "cancelled", "stopped", "going"]
"""``stopped``: later events show that it is over, and nothing shows how it ended."""
Phase = Literal["work", "rollback", "cleanup"]

PAUSE = timedelta(minutes=2)
"""Unmarked operations count as one run if no more than this passes between them."""
BEGINNING = re.compile(r"(CREATE|UPDATE|DELETE|IMPORT)_IN_PROGRESS")
_RUN = re.compile(r"([0-9A-Za-z]+?)(?:p\d+)?-[0-9a-f]{20}")
"""The tokens that gatestack gives its requests: run, phase if there are any, purpose."""
_STATUS = re.compile(r"(?P<verb>[A-Z_]+)_(?P<end>IN_PROGRESS|COMPLETE|FAILED|SKIPPED)")
_CONSEQUENCE = re.compile(r"cancell?ed", re.IGNORECASE)


@dataclass(frozen=True)
class Operation:
    """One operation on one stack, its rollback and its clean-up with it."""

    stack: str
    """Short name."""
    events: tuple[StackEvent, ...]
    """Oldest first; the first one is its beginning."""

    @property
    def start(self) -> datetime:
        """When it began."""
        return self.events[0].time

    @property
    def end(self) -> datetime:
        """When its last event was."""
        return self.events[-1].time

    @property
    def verb(self) -> str:
        """What was to be done: ``create``, ``update``, ``delete``, ``import``."""
        return self.events[0].status.partition("_")[0].lower()

    @property
    def status(self) -> str:
        """The stack's last status."""
        return next(event.status for event in reversed(self.events) if event.is_stack)

    @property
    def state(self) -> Literal["done", "failed", "rolled back", "going"]:
        """How it ended, or that it is in progress."""
        if self.status.endswith("_IN_PROGRESS"):
            return "going"
        if self.status.endswith("_FAILED"):
            return "failed"
        return "rolled back" if "ROLLBACK" in self.status else "done"

    @property
    def run(self) -> str:
        """What its requests have in common with those of the same run of gatestack; empty: not known."""
        found = _RUN.fullmatch(self.events[0].token)
        return found[1] if found else ""


@dataclass(frozen=True)
class Span:
    """A time in which CloudFormation did one thing to one resource, or to the stack itself."""

    start: datetime
    end: datetime
    verb: str
    """``create``, ``update``, ``delete``, ``rollback``, …: the status without its ending."""
    state: State
    phase: Phase


def operations(stack: str, events: Sequence[StackEvent]) -> tuple[Operation, ...]:
    """Return the operations on a *stack*, oldest first; change sets never executed are left out."""
    found: list[Operation] = []
    rest = tuple(events)
    while rest:
        newest = operation(rest)
        rest = rest[: -len(newest)]
        if newest[0].is_stack and BEGINNING.fullmatch(newest[0].status):
            found.append(Operation(stack, _until_its_end(newest)))
    return tuple(reversed(found))


def _until_its_end(events: tuple[StackEvent, ...]) -> tuple[StackEvent, ...]:
    """Leave out what came after the end of an operation: a deletion that was refused, weeks later."""
    going = [index for index, event in enumerate(events) if event.is_stack and _goes_on(event)]
    ends = (index for index, event in enumerate(events) if index > going[-1] and event.is_stack)
    return events[: next(ends, len(events)) + 1]


def _goes_on(event: StackEvent) -> bool:
    return event.status.endswith("_IN_PROGRESS")


def last_run(found: Collection[Operation]) -> tuple[Operation, ...]:
    """
    Return the operations of the run that began last, in the order of their beginnings.

    Operations whose requests gatestack has marked are of one run by that mark. Others are if they follow each
    other closely; of these only the last on each stack counts.
    """
    order = sorted(found, key=lambda one: (one.start, one.stack))
    if not order:
        return ()
    newest = order[-1]
    if newest.run:
        return tuple(one for one in order if one.run == newest.run)
    last = {one.stack: one for one in order}
    run: list[Operation] = []
    for one in sorted(last.values(), key=lambda one: one.start, reverse=True):
        near = not run or one.end + PAUSE >= min(other.start for other in run)
        if near and not one.run:
            run.insert(0, one)
    return tuple(run)


def spans(one: Operation, now: datetime) -> Mapping[str, tuple[Span, ...]]:
    """Return the spans of *one* by logical id, the stack itself under ``""``; those in progress end *now*."""
    rows: dict[str, list[tuple[StackEvent, Phase]]] = {}
    for event, phase in _with_phases(one.events):
        rows.setdefault("" if event.is_stack else event.logical_id, []).append((event, phase))
    over = one.end if one.state != "going" else None
    return {name: tuple(_spans(each, one, over, now)) for name, each in rows.items()}


def _with_phases(events: Sequence[StackEvent]) -> Iterator[tuple[StackEvent, Phase]]:
    phase: Phase = "work"
    for event in events:
        if event.is_stack and event.status.endswith("CLEANUP_IN_PROGRESS"):
            phase = "cleanup"
        elif event.is_stack and event.status.endswith("ROLLBACK_IN_PROGRESS"):
            phase = "rollback"
        yield event, phase


def _spans(
    rows: Sequence[tuple[StackEvent, Phase]], one: Operation, over: datetime | None, now: datetime
) -> Iterator[Span]:
    """Return the spans of one resource, or of the stack: a new one for each verb in each phase."""
    groups = [list(group) for _, group in groupby(rows, key=lambda row: (_verb(row[0], row[1], one), row[1]))]
    for index, group in enumerate(groups):
        (first, phase), (last, _) = group[0], group[-1]
        follower = groups[index + 1][0] if index + 1 < len(groups) else None
        after = follower[0].time if follower else over
        state = _state(last, follower[1] if follower else None, going=after is None)
        open_ = last.status.endswith("_IN_PROGRESS")
        end = max(now if after is None else after, first.time) if open_ else last.time
        yield Span(first.time, end, _verb(first, phase, one), state, phase)


def _verb(event: StackEvent, phase: Phase, one: Operation) -> str:
    if event.is_stack:
        return one.verb if phase == "work" else phase
    found = _STATUS.fullmatch(event.status)
    return (found["verb"] if found else event.status).lower().replace("_", " ")


def _state(last: StackEvent, follower: Phase | None, *, going: bool) -> State:
    """Return how a span ended; *follower*: the phase in which something else followed, if anything did."""
    if last.status.endswith(("_COMPLETE", "_SKIPPED")):
        return "done"
    if last.status.endswith("_FAILED"):
        return "cancelled" if _CONSEQUENCE.search(last.reason) else "failed"
    if last.is_stack and follower is not None:
        return "failed" if follower == "rollback" else "done"
    return "going" if going else "stopped"
