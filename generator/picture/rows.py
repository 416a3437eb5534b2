"""
The rows of a VPC in the diagram, from its entry point down to its data. Pure.

A row has a lane per availability zone, which is a subnet, and slots in columns: the path of requests, from
the load balancer through the tasks to the data, is one column, and outbound traffic is at the right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator.picture.cards import Card, Wardrobe, card_of
from generator.picture.drawing import TextStyle
from generator.picture.landscape import Landscape, Subnet, Thing
from generator.traffic import Group, Role, Rule, Traffic


@dataclass(frozen=True)
class Column:
    """A part of the page's width."""

    x: float
    width: float


LEFT, MIDDLE, RIGHT = Column(152, 228), Column(450, 190), Column(658, 190)
CACHE, DATABASE, DATABASE_ALONE = Column(152, 170), Column(342, 298), Column(242, 398)


MOST_LINES = 5


@dataclass(frozen=True)
class Slot:
    """The content of one column of a row, one below the other."""

    column: Column
    items: tuple[Wardrobe | Card, ...]
    subnets: tuple[str, ...]
    """Keys of the subnets that it spans; none: all of the row's."""


@dataclass(frozen=True)
class Row:
    """Slots over the subnets that they are in."""

    lanes: tuple[tuple[Subnet, ...], ...]
    """The subnets of a zone, zone by zone."""
    slots: tuple[Slot, ...]


def rows(landscape: Landscape, traffic: Traffic, arrows: Collection[Rule]) -> tuple[Row, ...]:
    """Return the rows from the top to the bottom of the VPC; rules without *arrows* are text."""
    dressed = _Dressing(landscape, traffic, arrows)
    public = [one.key for one in landscape.subnets if one.way_out == "internet"]
    balancer = dressed.slot(LEFT, "load balancer")
    nats = tuple(_nats(landscape))
    shared = not balancer or set(balancer.subnets) <= set(public)
    first = [(public, [*filter(None, [balancer if shared else None]), *nats])]
    entry = [] if shared or balancer is None else [(list(balancer.subnets), [balancer])]
    inner = [
        dressed.slot(LEFT, "service", "task"),
        dressed.slot(MIDDLE, "function"),
        dressed.slot(RIGHT, "endpoint", unworn=True),
    ]
    cache = dressed.slot(CACHE, "cache")
    data = [cache, dressed.slot(DATABASE if cache else DATABASE_ALONE, "database")]
    planned = [*first, *entry, *((_subnets(slots), [*filter(None, slots)]) for slots in (inner, data))]
    used = {key for keys, _ in planned for key in keys}
    planned.append(([one.key for one in landscape.subnets if one.key not in used], []))
    return tuple(Row(_lanes(landscape, keys), tuple(slots)) for keys, slots in planned if keys)


def _subnets(slots: Iterable[Slot | None]) -> list[str]:
    return list(dict.fromkeys(key for slot in slots if slot for key in slot.subnets))


def _lanes(landscape: Landscape, keys: Sequence[str]) -> tuple[tuple[Subnet, ...], ...]:
    chosen = [one for one in landscape.subnets if one.key in keys]
    zones = sorted({one.zone for one in chosen})
    return tuple(tuple(one for one in chosen if one.zone == zone) for zone in zones)


def _nats(landscape: Landscape) -> Iterator[Slot]:
    """Yield the NAT gateways side by side: each in its zone, alone in its column."""
    found = [thing for thing in landscape.things if thing.kind == "NAT gateway"]
    wide = (RIGHT.width - 12 * (len(found) - 1)) / max(len(found), 1)
    for place, thing in enumerate(found):
        yield Slot(Column(RIGHT.x + place * (wide + 12), wide), (card_of(thing),), thing.subnets)


class _Dressing:
    """Puts things into their security groups, each thing once."""

    def __init__(self, landscape: Landscape, traffic: Traffic, arrows: Collection[Rule]) -> None:
        self._things = {thing.key: thing for thing in landscape.things}
        self._traffic = traffic
        self._arrows = arrows
        self._dressed: set[str] = set()

    def slot(self, column: Column, *roles: Role, unworn: bool = False) -> Slot | None:
        """Return the groups of things with one of *roles*, and with *unworn* those without members."""
        items: list[Wardrobe] = []
        subnets: list[str] = []
        for group in self._traffic.groups:
            if _role(group) in roles or (unworn and not group.worn_by):
                worn = [self._things[one.key] for one in group.worn_by if one.key in self._things]
                subnets += [key for thing in worn for key in thing.subnets]
                items.append(self._wardrobe(group, worn))
        return Slot(column, tuple(items), tuple(dict.fromkeys(subnets))) if items else None

    def _wardrobe(self, group: Group, worn: Sequence[Thing]) -> Wardrobe:
        new = [thing for thing in worn if thing.key not in self._dressed]
        new.sort(key=lambda thing: not thing.entrance)
        self._dressed |= {thing.key for thing in new}
        ends = [thing for thing in new if thing.kind == "endpoint"]
        lines: list[tuple[TextStyle, str]] = [("name", "Interface endpoints")] if ends else []
        lines += [("detail", text) for text in _listed([thing.title for thing in ends])]
        lines += [("detail", f"also on {thing.title}") for thing in worn if thing not in new]
        lines += [("quiet", "nothing wears it")] if not worn else []
        lines += [("quiet", said) for said in self._said(group)]
        cards = tuple(card_of(thing) for thing in new if thing.kind != "endpoint")
        return Wardrobe(group, cards, tuple(lines))

    def _said(self, group: Group) -> Iterator[str]:
        """Yield the rules of *group* that no arrow shows, as text."""
        for rule in self._traffic.rules:
            if rule.group == group.key and not rule.matches_nothing and rule not in self._arrows:
                end = "from" if rule.direction == "in" else "to"
                yield f"{rule.direction} {rule.service} {end} {_named(rule)}"


def _listed(names: list[str]) -> list[str]:
    """Return a line for each of a few names, else one text with all."""
    return names if len(names) <= MOST_LINES else [", ".join(names)]


def _named(rule: Rule) -> str:
    return rule.peer.value.rpartition("/")[2] if rule.peer.kind == "group" else rule.peer.value


def _role(group: Group) -> Role | None:
    return group.worn_by[0].role if group.worn_by else None
