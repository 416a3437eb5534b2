"""
The content of the run page: rows, bars, the longest path, the root cause. Pure: frozen data in and out.

The last run is computed from events alone (`operations.last_run`); times are CloudFormation's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from deployer.causes import first_cause, readable
from deployer.history.operations import Operation, Span, spans
from deployer.pages.needs import resource_needs, reversed_needs, stack_needs
from deployer.pages.run_view import (
    STATES,
    BarView,
    CauseView,
    Line,
    Row,
    RunPage,
    StackRows,
    Step,
    Tick,
)
from deployer.pages.timeline import Axis, Bar, Path, axis, clock, longest_path, words
from deployer.states import StackEvent

NOUNS: Mapping[str, str] = {"create": "creation", "delete": "deletion"}
"""What a verb is called; an update and an import are called what they are."""
RESOURCES_NAMED = 6
"""How many resources of a stack the sentence on the longest path names, the slowest."""


@dataclass(frozen=True)
class Seen:
    """What was read of an environment."""

    environment: str
    region: str
    run: tuple[Operation, ...]
    """`operations.last_run`."""
    templates: Mapping[str, str]
    """By short name, of the stacks of the run; those that could not be read are missing."""
    now: datetime
    absent: tuple[str, ...] = ()
    """Short names of missing stacks: CloudFormation returns nothing for their names."""


@dataclass(frozen=True)
class _Chart:
    """The scale on which a run is drawn."""

    start: datetime
    now: datetime
    axis: Axis

    def seconds(self, moment: datetime) -> float:
        return (moment - self.start).total_seconds()

    def bar(self, span: Span) -> Bar:
        return Bar(self.seconds(span.start), self.seconds(span.end))


def run_page(seen: Seen) -> RunPage:
    """Return what the page says about the run *seen*."""
    if not seen.run:
        empty = f"CloudFormation has no events of {seen.environment}"
        return RunPage(seen.environment, empty, "none", (("Region", seen.region),), notes=_notes(seen))
    now = max(seen.now, *(one.end for one in seen.run))
    start = min(one.start for one in seen.run)
    end = max(now if one.state == "going" else one.end for one in seen.run)
    whole = (end - start).total_seconds()
    chart = _Chart(start, now, axis(whole))
    labels = _labels(seen.run)
    done = {label: spans(one, now) for label, one in zip(labels, seen.run, strict=True)}
    path = longest_path({label: _extent(chart, done[label][""]) for label in labels}, _needs(seen, labels))
    stacks, steps = [], {}
    for label, one in zip(labels, seen.run, strict=True):
        bars = _working(chart, done[label])
        inside = _path_inside(one, bars, seen.templates.get(one.stack, ""))
        on_path = label in path.names
        stacks.append(_stack(chart, label, one, done[label], inside if on_path else Path(), on_path=on_path))
        steps[label] = _step(label, _extent(chart, done[label][""]), bars, inside)
    return RunPage(
        seen.environment,
        _verdict(seen.run, labels, whole),
        _state(seen.run),
        _facts(seen, start, end),
        _cause(seen.run, chart),
        tuple(stacks),
        tuple(steps[label] for label in path.names),
        _path_words(path, whole),
        tuple(Tick(chart.axis.percent(second), clock(second)) for second in chart.axis.ticks),
        chart.axis.percent(chart.axis.step),
        _notes(seen),
    )


def _labels(run: Sequence[Operation]) -> tuple[str, ...]:
    """Return a name for each operation: its stack's, with a number if the stack has several in the run."""
    seen: dict[str, int] = {}
    labels = []
    for one in run:
        seen[one.stack] = seen.get(one.stack, 0) + 1
        labels.append(one.stack if seen[one.stack] == 1 else f"{one.stack} ({seen[one.stack]})")
    return tuple(labels)


def _needs(seen: Seen, labels: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Return what each operation waits for: those of stacks it imports of, and earlier ones on its own."""
    forth = stack_needs(seen.templates)
    back = reversed_needs(forth)
    rows = list(zip(labels, seen.run, strict=True))
    return {
        label: frozenset(
            other
            for other, each in rows
            if other != label
            and each.stack in {one.stack, *(back if one.verb == "delete" else forth).get(one.stack, ())}
        )
        for label, one in rows
    }


def _extent(chart: _Chart, found: Sequence[Span]) -> Bar:
    return Bar(chart.seconds(found[0].start), max(chart.seconds(span.end) for span in found))


def _working(chart: _Chart, found: Mapping[str, Sequence[Span]]) -> Mapping[str, Bar]:
    """Return when each resource of an operation was worked on, rollback and clean-up left out."""
    work = {name: [span for span in each if span.phase == "work"] for name, each in found.items() if name}
    return {name: _extent(chart, each) for name, each in work.items() if each}


def _path_inside(one: Operation, bars: Mapping[str, Bar], template: str) -> Path:
    """Return the longest path through the resources of one operation."""
    needs = resource_needs(template)
    return longest_path(bars, reversed_needs(needs) if one.verb == "delete" else needs)


def _stack(
    chart: _Chart,
    label: str,
    one: Operation,
    found: Mapping[str, tuple[Span, ...]],
    inside: Path,
    *,
    on_path: bool,
) -> StackRows:
    rows = []
    for name, each in found.items():
        events = [event for event in one.events if ("" if event.is_stack else event.logical_id) == name]
        row = _row(chart, name or label, events, each, on_path=name in inside.names if name else on_path)
        rows.append((each[0].start, bool(name), row))
    own = next(row for _, inner, row in rows if not inner)
    own = replace(own, state=one.state, type=one.events[0].stack_name)
    return StackRows(own, tuple(row for _, inner, row in sorted(rows, key=lambda row: row[0]) if inner))


def _row(
    chart: _Chart, name: str, events: Sequence[StackEvent], found: Sequence[Span], *, on_path: bool
) -> Row:
    extent = _extent(chart, found)
    worst = next((span.state for span in found if span.state in {"failed", "cancelled"}), found[-1].state)
    return Row(
        name,
        events[-1].type,
        tuple(_bar(chart, span) for span in found),
        clock(extent.start),
        words(sum(chart.bar(span).seconds for span in found)),
        ", then ".join(dict.fromkeys(_did(span) for span in found)),
        worst,
        on_path,
        next((event.physical_id for event in reversed(events) if event.physical_id), ""),
        tuple(
            Line(clock(chart.seconds(event.time)), event.status, readable(event.reason)) for event in events
        ),
    )


def _bar(chart: _Chart, span: Span) -> BarView:
    bar = chart.bar(span)
    left = chart.axis.percent(bar.start)
    text = f"{_did(span)}, {STATES[span.state]}: {clock(bar.start)} to {clock(bar.end)}, {words(bar.seconds)}"
    return BarView(round(left, 3), round(chart.axis.percent(bar.end) - left, 3), span.state, span.phase, text)


def _did(span: Span) -> str:
    done = NOUNS.get(span.verb, span.verb)
    more = {"work": "", "rollback": " in the rollback", "cleanup": " in the clean-up"}[span.phase]
    return done if span.verb == span.phase else done + more


def _step(label: str, whole: Bar, bars: Mapping[str, Bar], inside: Path) -> Step:
    slowest = sorted(inside.names, key=lambda name: bars[name].seconds, reverse=True)[:RESOURCES_NAMED]
    named = tuple((name, words(bars[name].seconds)) for name in inside.names if name in slowest)
    return Step(label, words(whole.seconds), named, words(inside.seconds))


def _path_words(path: Path, whole: float) -> str:
    part = 100 if whole <= 0 else round(100 * path.seconds / whole)
    return f"{words(path.seconds)} of {words(whole)} ({part} %)"


def _state(run: Sequence[Operation]) -> str:
    states = {one.state for one in run}
    return next((state for state in ("failed", "rolled back", "going") if state in states), "done")


def _verdict(run: Sequence[Operation], labels: Sequence[str], whole: float) -> str:
    stacks = len({one.stack for one in run})
    many = "1 stack" if stacks == 1 else f"{stacks} stacks"
    what = "Removal" if all(one.verb == "delete" for one in run) else "Deployment"
    rows = list(zip(labels, run, strict=True))
    ill = [f"{label} {one.state}" for label, one in rows if one.state in {"failed", "rolled back"}]
    going = sum(one.state == "going" for one in run)
    if going:
        return ", ".join([f"{what} of {many} in progress: {going} running", *ill, f"{words(whole)} so far"])
    if ill:
        return f"{what} of {many} failed after {words(whole)}: {', '.join(ill)}"
    return f"{what} of {many} done in {words(whole)}"


def _facts(seen: Seen, start: datetime, end: datetime) -> tuple[tuple[str, str], ...]:
    arn = seen.run[0].events[0].stack_id.split(":")
    account = (("Account", arn[4]),) if len(arn) > 5 else ()
    ended = "Seen last" if _state(seen.run) == "going" else "Ended"
    return (*account, ("Region", seen.region), ("Began", _when(start)), (ended, _when(end)))


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} {moment:%Z}".strip()


def _cause(run: Sequence[Operation], chart: _Chart) -> CauseView | None:
    """Return the cause that came first, of all operations that did not end well."""
    found = []
    for one in run:
        cause = first_cause(one.events) if one.state != "done" else None
        if cause is None:
            continue
        times = [
            event.time
            for event in one.events
            if (event.logical_id, event.status) == (cause.logical_id, cause.status)
        ]
        at = min(times, default=one.end)
        found.append((at, one.stack, cause))
    if not found:
        return None
    at, stack, cause = min(found, key=lambda row: row[:2])
    remedy = cause.remedy
    return CauseView(
        stack,
        cause.logical_id,
        cause.type,
        cause.status,
        clock(chart.seconds(at)),
        cause.reason,
        remedy,
    )


def _notes(seen: Seen) -> tuple[str, ...]:
    notes = []
    unread = sorted({one.stack for one in seen.run} - seen.templates.keys())
    if unread:
        notes.append(f"The dependencies of {', '.join(unread)} are unknown: the template could not be read.")
    if seen.absent:
        what = "CloudFormation does not list the events of a deleted stack by its name"
        notes.append(f"Not there: {', '.join(seen.absent)}. {what}.")
    return tuple(notes)
