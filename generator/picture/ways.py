"""
The arrows between groups: who connects to whom, and on which port. Pure.

An arrow is a straight line down, up or sideways between two groups that crosses nothing else; where none is
possible, the groups list the rules as text. Lines to any address join above the tasks into one, which leads
to the NAT gateways and to endpoints.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from generator.picture.drawing import SIZES, Arrow, Label, Rect
from generator.picture.lettering import width
from generator.picture.rows import RIGHT
from generator.picture.vpc import Placed
from generator.traffic import ANYWHERE, Flow, Group, Rule, Traffic

ROOM = 7
"""Free space at each side of an arrow."""
STEP = 6
BUS = 30
"""How far above its row the line out of the VPC is."""


@dataclass
class Ways:
    """Routes arrows; what is drawn blocks later ones."""

    placed: Placed
    taken: list[Rect] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def down(self, source: Rect, target: Rect, label: str, told: str) -> bool:
        """Draw an arrow straight down or up from one box to another, and tell whether there was room."""
        below = target.y >= source.bottom
        start, end = (source.bottom, target.y) if below else (source.y, target.bottom)
        first = max(source.x, target.x)
        across = min(source.right, target.right) - first
        if across <= 0 or not (below or source.y >= target.bottom):
            return False
        beside = Label(0, self._line_of_text(start, end), label, "flow")
        x = self.free(first, across, start, end, beside)
        if x is None:
            return False
        self.add(Arrow("rule", ((x, start), (x, end)), told, (_at(beside, x + 8),)))
        return True

    def sideways(self, source: Rect, target: Rect, label: str, told: str) -> bool:
        """Draw an arrow straight from one box to another beside it, and tell whether there was room."""
        right = target.x >= source.right
        start, end = (source.right, target.x) if right else (source.x, target.right)
        first, last = max(source.y, target.y), min(source.bottom, target.bottom)
        if last <= first or not (right or source.x >= target.right):
            return False
        for y in _steps(first + 42, first + 24, last - 12):
            line = Rect(min(start, end), y - ROOM, abs(end - start), 2 * ROOM)
            middle = Label((start + end) / 2, y - 7, label, "flow", "middle")
            if not any(one.meets(line) or one.meets(room_of(middle)) for one in self._others(source, target)):
                self.add(Arrow("rule", ((start, y), (end, y)), told, (middle,)))
                return True
        return False

    def free(
        self, first: float, across: float, start: float, end: float, beside: Label | None
    ) -> float | None:
        """Return where in [first, first + across] a line from *start* to *end* meets nothing."""
        top, height = min(start, end) + 1, abs(end - start) - 2
        for x in _steps(first + min(62, across / 2), first + ROOM, first + across - ROOM):
            wanted = [Rect(x - ROOM, top, 2 * ROOM, height)]
            if beside:
                wanted.append(room_of(_at(beside, x + 8)))
            if not any(one.meets(rect) for one in self._solid() for rect in wanted):
                return x
        return None

    def add(self, arrow: Arrow) -> None:
        """Draw *arrow*, and keep others off it."""
        self.arrows.append(arrow)
        self.taken += [_inflated(piece) for piece in arrow.pieces]
        self.taken += [room_of(label) for label in arrow.labels]

    def _line_of_text(self, start: float, end: float) -> float:
        """Return the baseline of a label beside an arrow: above the row that is below it."""
        low, high = min(start, end), max(start, end)
        between = [top for top in self.placed.gutters if low < top <= high]
        return (between[0] - 12) if between else (low + high) / 2 + 4

    def _solid(self) -> list[Rect]:
        boxes = [box for box in self.placed.boxes if box.style in {"group", "card", "gateway"}]
        chips = [chip.place for box in self.placed.boxes for chip in box.chips]
        texts = [room_of(label) for box in self.placed.boxes if box.style != "card" for label in box.labels]
        return [*(box.place for box in boxes), *chips, *texts, *self.taken]

    def _others(self, *ends: Rect) -> list[Rect]:
        return [one for one in self._solid() if not any(end.holds(one) for end in ends)]


def connect(ways: Ways, traffic: Traffic, wanted: Collection[Rule]) -> Iterator[Rule]:
    """Draw the flows between groups, those of *wanted* rules; yield the rules of those that were routed."""
    places = ways.placed.places
    names = {group.key: group.logical_id for group in traffic.groups}
    for flow in traffic.flows:
        ends = [rule for rule in traffic.rules if _is_end(rule, flow)]
        source, target = places.get(flow.source), places.get(flow.target)
        if source and target and source != target and set(ends) <= set(wanted):
            told = f"{names[flow.source]} to {names[flow.target]}: {flow.service}"
            for way in ways.sideways, ways.down:
                if way(source, target, flow.service, told):
                    yield from ends
                    break


def _is_end(rule: Rule, flow: Flow) -> bool:
    ends = (rule.group, rule.peer.value) if rule.direction == "out" else (rule.peer.value, rule.group)
    return (*ends, rule.service) == (flow.source, flow.target, flow.service)


def out(
    ways: Ways, traffic: Traffic, nats: Sequence[Rect], exit_at: float | None, wanted: Collection[Rule]
) -> tuple[Rule, ...]:
    """
    Draw the lines to any address: up from each group with such a rule, joined, then to their targets.

    *nats*: where the NAT gateways are; *exit_at*: the lower edge of the way out of a VPC without them.
    Returns the rules that are shown by it.
    """
    places = ways.placed.places
    rules = tuple(rule for rule in traffic.rules if rule in wanted and _leaves(traffic, rule))
    leaving = [group for group in traffic.groups if any(rule.group == group.key for rule in rules)]
    if not rules or any(group.key not in places for group in leaving):
        return ()
    bus = min(_row_of(ways.placed, places[group.key]) for group in leaving) - BUS
    ends = [*_endpoint_legs(ways, traffic, rules, bus), *_gateway_legs(ways, nats, exit_at, bus)]
    if not ends:
        return ()
    starts = [_riser(ways, group, rules, bus) for group in leaving]
    _draw(ways, rules, bus, starts, ends)
    return rules


def _draw(
    ways: Ways,
    rules: Sequence[Rule],
    bus: float,
    starts: Sequence[tuple[float, float, Label]],
    ends: Sequence[tuple[float, float]],
) -> None:
    xs = [*(x for x, _, _ in starts), *(x for x, _ in ends)]
    said = [f"{rule.group.rpartition('/')[2]} {rule.service}" for rule in rules]
    told = f"Out of the VPC: {', '.join(said)}"
    peers = " and ".join(sorted({rule.peer.value for rule in rules}))
    label = Label(RIGHT.x - 12, bus - 7, f"to {peers}", "flow", "end")
    ways.add(Arrow("rule", ((min(xs), bus), (max(xs), bus)), told, (label,), head=False))
    for x, y, beside in starts:
        ways.add(Arrow("rule", ((x, y), (x, bus)), told, (beside,), head=False))
    for x, y in ends:
        ways.add(Arrow("rule", ((x, bus), (x, y)), told))


def _leaves(traffic: Traffic, rule: Rule) -> bool:
    """Tell whether the rule lets tasks or functions out to any address."""
    roles = {one.role for group in traffic.groups if group.key == rule.group for one in group.worn_by}
    anywhere = rule.direction == "out" and rule.peer.value in ANYWHERE
    return anywhere and bool(roles & {"service", "task", "function"})


def _riser(ways: Ways, group: Group, rules: Sequence[Rule], bus: float) -> tuple[float, float, Label]:
    place = ways.placed.places[group.key]
    services = dict.fromkeys(rule.service for rule in rules if rule.group == group.key)
    label = Label(0, bus + 19, ", ".join(services), "flow")
    x = ways.free(place.x + 90, place.width - 90, place.y, bus, label) or place.x + place.width / 2
    return x, place.y, _at(label, x + 8)


def _endpoint_legs(
    ways: Ways, traffic: Traffic, rules: Sequence[Rule], bus: float
) -> Iterator[tuple[float, float]]:
    """Yield where the line goes down into groups of endpoints that admit it."""
    going = {rule.service for rule in rules}
    for group in traffic.groups:
        inbound = {rule.service for rule in traffic.of(group.key, "in") if rule.peer.kind == "cidr"}
        place = ways.placed.places.get(group.key)
        if place and inbound & going and any(one.role == "endpoint" for one in group.worn_by):
            yield ways.free(place.x, place.width, bus, place.y, None) or place.x + 40, place.y


def _gateway_legs(
    ways: Ways, nats: Sequence[Rect], exit_at: float | None, bus: float
) -> Iterator[tuple[float, float]]:
    for place in nats:
        yield door(place), place.bottom
    if not nats and exit_at is not None:
        yield ways.free(RIGHT.x, RIGHT.width, exit_at, bus, None) or RIGHT.x + 28, exit_at


def door(place: Rect) -> float:
    """Return where lines come and go at a NAT gateway, beside its chip."""
    return round(place.x + min(28, place.width / 5))


def _row_of(placed: Placed, place: Rect) -> float:
    """Return the upper edge of the row that *place* is in."""
    return max((top for top in placed.gutters if top <= place.y), default=place.y)


def room_of(label: Label) -> Rect:
    """Return the area of a label."""
    size = SIZES[label.style]
    wide = width(label.text, size, bold=True)
    x = label.x - {"start": 0, "middle": wide / 2, "end": wide}[label.anchor]
    return Rect(x, label.y - size, wide, size * 1.3)


def _at(label: Label, x: float) -> Label:
    return Label(x, label.y, label.text, label.style, label.anchor)


def _steps(wanted: float, first: float, last: float) -> Iterator[float]:
    """Yield places in [first, last], those near *wanted* first."""
    for far in range(0, int(last - first) + STEP, STEP):
        for place in dict.fromkeys((wanted + far, wanted - far)):
            if first <= place <= last:
                yield round(place)


def _inflated(rect: Rect) -> Rect:
    return Rect(rect.x - 3, rect.y - 3, rect.width + 6, rect.height + 6)
