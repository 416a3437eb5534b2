"""
A run as a tree of spans: the run, the operation of each stack, each resource. Pure.

Times of operations and resources are CloudFormation's; a parent lasts at least as long as its children.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from deployer.causes import first_cause, readable
from deployer.history.operations import BEGINNING, Operation, Span, operations, spans
from deployer.progress import StackResult
from deployer.states import StackEvent

QUIET = frozenset({"done", "skipped", "going-on"})
"""Outcomes of stacks whose operations say everything."""


@dataclass(frozen=True)
class Part:
    """One span, with the spans in it."""

    name: str
    """``update network``."""
    start: datetime
    end: datetime
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""
    """Why it failed; empty where it did not."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class StackRecord:
    """What a run was told of one stack."""

    name: str
    began: datetime
    ended: datetime
    """By this machine's clock; used if CloudFormation has no event."""
    events: tuple[StackEvent, ...] = ()
    """Oldest first, each once."""
    result: StackResult | None = None
    """None: the run ended before the stack did."""


def covering(part: Part) -> Part:
    """Return *part*, extended to its children: two clocks may differ, and AWS may have begun before."""
    start = min([part.start, *(one.start for one in part.parts)])
    end = max([part.end, *(one.end for one in part.parts)])
    return Part(part.name, start, end, part.attributes, part.error, part.parts)


def stack_parts(found: Iterable[StackRecord], now: datetime) -> tuple[Part, ...]:
    """Return what was done to stacks, by the time it began; those in progress end *now*."""
    parts = [part for one in found for part in _of_stack(one, now)]
    return tuple(sorted(parts, key=lambda part: part.start))


def _of_stack(one: StackRecord, now: datetime) -> list[Part]:
    done = [_of_operation(_resumed(each), now) for each in operations(one.name, one.events)]
    result = one.result
    if result is None or result.outcome in QUIET or any(part.error for part in done):
        return done
    known = {"cloudformation.stack_name": result.stack_name, "cloudformation.status": result.status}
    name = f"{result.action} {one.name}"
    return [
        *done,
        Part(name, one.began, max(one.began, one.ended), _told(known), result.why or result.outcome),
    ]


def _of_operation(one: Operation, now: datetime) -> Part:
    repaired = one.state == "rolled back" and not BEGINNING.fullmatch(one.events[0].status)
    failed = one.state in {"failed", "rolled back"} and not repaired
    cause = first_cause(one.events) if failed else None
    attributes = {
        "cloudformation.stack_name": one.events[0].stack_name,
        "cloudformation.operation": one.verb,
        "cloudformation.status": one.status,
    }
    end = max(now, one.end) if one.state == "going" else one.end
    parts = tuple(
        _of_resource(name, span, one.events)
        for name, each in spans(one, end).items()
        for span in (each if name else ())
    )
    ordered = tuple(sorted(parts, key=lambda part: part.start))
    error = (str(cause) if cause else one.status) if failed else ""
    return covering(Part(f"{one.verb} {one.stack}", one.start, end, attributes, error, ordered))


def _of_resource(name: str, span: Span, events: Sequence[StackEvent]) -> Part:
    within = [one for one in events if one.logical_id == name and span.start <= one.time <= span.end]
    failed = next((one for one in within if one.status.endswith("_FAILED")), None)
    attributes = {
        "cloudformation.stack_name": within[-1].stack_name,
        "cloudformation.logical_id": name,
        "cloudformation.resource_type": within[-1].type,
        "cloudformation.operation": span.verb,
        "cloudformation.status": (failed or within[-1]).status,
        "cloudformation.status_reason": readable(failed.reason) if failed else "",
        "cloudformation.phase": span.phase if span.phase != "work" else "",
    }
    error = (readable(failed.reason) or failed.status) if failed and span.state == "failed" else ""
    return Part(f"{span.verb} {name}", span.start, span.end, _told(attributes), error)


def _resumed(one: Operation) -> Operation:
    """Leave out of a rollback that was continued, or asked for, what had failed before that."""
    ends = [index for index, event in enumerate(one.events[:-1]) if event.is_stack and _failed(event)]
    return Operation(one.stack, one.events[ends[-1] + 1 :]) if ends else one


def _failed(event: StackEvent) -> bool:
    return event.status.endswith("_FAILED")


def _told(attributes: Mapping[str, str]) -> dict[str, str | int]:
    return {name: value for name, value in attributes.items() if value}
