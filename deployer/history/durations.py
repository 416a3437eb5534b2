"""How long resources and operations of a stack took before, from its events. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deployer.history.operations import Operation, operations, spans
from deployer.states import Change, StackEvent

Verb = Literal["create", "update", "delete"]
REPLACED = "creation of a new physical resource"
"""CloudFormation's words in the event of an update that replaces a resource, which is a creation."""


@dataclass(frozen=True)
class Touched:
    """What an operation does to one resource."""

    logical_id: str
    type: str
    verb: Verb


Key = tuple[str, str]
"""A verb and a logical id."""


@dataclass(frozen=True)
class Finished:
    """An operation that came to a good end."""

    verb: str
    """Of the stack: ``create``, ``update``, ``delete``, ``import``."""
    seconds: float
    resources: Mapping[Key, float]
    """The seconds of each resource."""

    @property
    def around(self) -> float:
        """The seconds beside its slowest resource."""
        return max(self.seconds - max(self.resources.values(), default=0.0), 0.0)


@dataclass(frozen=True)
class Past:
    """The operations on a stack that came to a good end, oldest first."""

    operations: tuple[Finished, ...] = ()
    resources: Mapping[Key, float] = field(default_factory=dict)
    """What each resource took when the same was done to it last, in seconds."""

    def whole(self, touched: Collection[Touched]) -> float | None:
        """Return the seconds of the last operation that did the same to the same resources."""
        wanted = {(one.verb, one.logical_id) for one in touched}
        same = [one.seconds for one in self.operations if one.resources.keys() == wanted]
        return same[-1] if same else None

    def of(self, one: Touched) -> float | None:
        """Return the seconds that the same took when it was done last; None: it was never done."""
        return self.resources.get((one.verb, one.logical_id))

    @property
    def around(self) -> float | None:
        """The seconds that the last operation took beside its slowest resource."""
        return self.operations[-1].around if self.operations else None


NOTHING = Past()


def past(events: Sequence[StackEvent]) -> Past:
    """
    Return what *events* of one stack, oldest first, say of operations that came to a good end.

    One that failed or was rolled back says how long it takes to fail. CloudFormation keeps events for 90 days
    (AWS CloudFormation User Guide, "View stack events").
    """
    found = tuple(_finished(one) for one in operations("", events) if one.state == "done")
    latest: dict[Key, float] = {}
    for one in found:
        latest |= one.resources
    return Past(found, latest)


def of_template(resources: Mapping[str, Any], verb: Verb) -> tuple[Touched, ...]:
    """Return that all *resources* of a template are created, or deleted."""
    return tuple(Touched(name, one["Type"], verb) for name, one in resources.items())


def of_changes(changes: Iterable[Change]) -> tuple[Touched, ...]:
    """Return what an update with *changes* does; a replacement is a creation."""
    verbs: Mapping[str, Verb] = {"Add": "create", "Remove": "delete"}
    return tuple(
        Touched(
            one.logical_id,
            one.type,
            "create" if one.replacement == "True" else verbs.get(one.action, "update"),
        )
        for one in changes
    )


def _finished(one: Operation) -> Finished:
    replaced = {event.logical_id for event in one.events if REPLACED in event.reason}
    took: dict[Key, float] = {}
    for name, each in spans(one, one.end).items():
        for span in each if name else ():
            verb = "create" if name in replaced and span.verb == "update" else span.verb
            if span.state == "done" and not (name in replaced and span.verb == "delete"):
                took[verb, name] = (span.end - span.start).total_seconds()
    return Finished(one.verb, (one.end - one.start).total_seconds(), took)
