"""What is drawn around the VPC: clients and the internet above it, AWS services next to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from generator.picture.cards import PAD, Card, chip
from generator.picture.drawing import SIZES, Box, Chip, Label, Rect, TextStyle
from generator.picture.landscape import Landscape, Service, Way, counted
from generator.picture.lettering import fitted, width
from generator.picture.rows import LEFT, MIDDLE, RIGHT
from generator.traffic import Rule, Traffic

PANEL_X, PANEL_WIDTH = 904, 272
TOP = 96
ROW, SHORT_ROW = 41, 25
HEAD = 32
BETWEEN_SECTIONS = 18
MOST_CLIENTS = 6
"""Lines of clients that are shown; more are only counted."""


def entry_rules(traffic: Traffic) -> tuple[Rule, ...]:
    """Return who reaches the load balancer from addresses, not from groups."""
    return tuple(
        rule
        for group in traffic.groups
        if any(wearer.role == "load balancer" for wearer in group.worn_by)
        for rule in traffic.of(group.key, "in")
        if rule.peer.kind != "group"
    )


def joined(services: list[str]) -> str:
    """Return ``TCP 80, 443`` for services of one protocol."""
    protocols = {service.partition(" ")[0] for service in services}
    if len(protocols) == 1 and all(" " in service for service in services):
        return f"{protocols.pop()} {', '.join(service.partition(' ')[2] for service in services)}"
    return ", ".join(services)


def clients(landscape: Landscape, traffic: Traffic) -> Card | None:
    """Return who reaches the load balancer."""
    ports: dict[str, list[str]] = {}
    for rule in entry_rules(traffic):
        ports.setdefault(rule.peer.value, []).append(rule.service)
    if not ports:
        return None
    said = [f"{peer}: {joined(services)}" for peer, services in ports.items()]
    more = [f"and {counted(len(said) - MOST_CLIENTS, 'network')} more"] if len(said) > MOST_CLIENTS else []
    lines: list[tuple[TextStyle, str]] = [("title", "Private clients" if landscape.internal else "Clients")]
    lines += [("detail", text) for text in [*said[:MOST_CLIENTS], *more]]
    return Card("clients", "outside", tuple(lines), f"Clients: {'; '.join(said)}")


def internet(landscape: Landscape) -> Card | None:
    """Return what is called on the internet; None if there is no route."""
    reached = any(one.way == "gateway" for one in landscape.services) and landscape.gateway_stack
    if not landscape.internet and not reached:
        return None
    lines: list[tuple[TextStyle, str]] = [("title", "Internet")]
    lines += [("detail", text) for text in landscape.internet or ("no host is named in the templates",)]
    return Card("internet", "outside", tuple(lines), f"Internet: {', '.join(landscape.internet)}")


def above(landscape: Landscape, traffic: Traffic) -> tuple[Box, ...]:
    """Return the boxes above the VPC, of one height."""
    found = [(clients(landscape, traffic), LEFT.x, LEFT.width)]
    found.append((internet(landscape), MIDDLE.x, RIGHT.x + RIGHT.width - MIDDLE.x))
    cards = [(card, x, room) for card, x, room in found if card]
    height = max((card.height(room) for card, _, room in cards), default=0)
    return tuple(card.at(x, TOP, room, height) for card, x, room in cards)


TITLES: Mapping[Way, str] = {
    "gateway": "Through the internet gateway",
    "endpoint": "Through endpoints",
    "none": "No way there",
    "beside": "Not called from the VPC",
}


def sections(landscape: Landscape) -> tuple[Box, ...]:
    """Return AWS's services: a section for each route to them, one box each, and one for each service."""
    boxes: list[Box] = []
    y: float = TOP + 26
    for way in TITLES:
        members = sorted(
            (one for one in landscape.services if one.way == way), key=lambda one: one.by_route_table
        )
        if members:
            frame = Rect(PANEL_X, y, PANEL_WIDTH, HEAD + sum(map(_height, members)) + 4)
            title = _title(landscape, way)
            label = Label(frame.x + 12, y + 22, title, "name")
            boxes.append(Box(f"section {way}", "section", frame, f"AWS's services: {title}", (label,)))
            boxes += _rows(members, frame)
            y = frame.bottom + BETWEEN_SECTIONS
    return tuple(boxes)


def _height(one: Service) -> int:
    return ROW if one.held else SHORT_ROW


def heading(boxes: Iterable[Box]) -> tuple[Label, ...]:
    """Return the heading above the sections."""
    return (Label(PANEL_X, TOP + 12, "AWS, outside the VPC", "title"),) if list(boxes) else ()


def _title(landscape: Landscape, way: Way) -> str:
    own = way == "gateway" and not landscape.gateway_stack
    return "Through the VPC's own way out" if own else TITLES[way]


def _rows(members: Sequence[Service], frame: Rect) -> Iterator[Box]:
    y = frame.y + HEAD
    for one in members:
        yield _service(one, Rect(frame.x + 4, y, frame.width - 8, _height(one) - 3))
        y += _height(one)


def _service(one: Service, row: Rect) -> Box:
    """Return a service with its content; without callers, the first line names the stacks."""
    left, right = row.x + PAD, row.right - 6
    labels = [Label(left, row.y + 14, one.title, "name")]
    texts = [width(one.title, SIZES["name"], bold=True), width(one.held, SIZES["detail"])]
    beside = texts[1 if one.callers else 0]
    chips = tuple(_chips(one, right, row.y + (19 if one.callers else 2)))
    if chips and chips[0].place.x < left + beside + 6:
        chips = ()
        stacks = ", ".join(_stacks(one))
        if width(stacks, SIZES["quiet"]) > right - left - beside - 8:
            stacks = counted(len(_stacks(one)), "stack")
        labels.append(Label(right, row.y + (31 if one.callers else 14), stacks, "quiet", "end"))
    if one.held:
        room = (chips[0].place.x - 4 if chips and one.callers else right) - left
        labels.append(Label(left, row.y + 31, fitted(one.held, room, SIZES["detail"]), "detail"))
    if one.callers:
        said = fitted(", ".join(one.callers), right - left - texts[0] - 8, SIZES["quiet"])
        labels.append(Label(right, row.y + 14, said, "quiet", "end"))
    return Box(f"service {one.title}", "row", row, _told(one), tuple(labels), chips)


def _stacks(one: Service) -> list[str]:
    return list(dict.fromkeys(holding.stack for holding in one.holdings))


def _chips(one: Service, right: float, y: float) -> list[Chip]:
    """Return the chips of the stacks with resources in it, side by side up to *right*."""
    chips: list[Chip] = []
    for stack in reversed(_stacks(one)):
        chips.insert(0, chip(stack, right, y))
        right = chips[0].place.x - 4
    return chips


def _told(one: Service) -> str:
    details = [f"{counted(two.count, two.noun)} of stack {two.stack}" for two in one.holdings]
    callers = f"called by {', '.join(one.callers)}" if one.callers else ""
    return ". ".join(filter(None, [one.title, "; ".join(details) or one.held, callers]))
