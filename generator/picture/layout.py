"""Places a landscape and its traffic on a drawing. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from generator.picture.cards import chip, chip_width
from generator.picture.drawing import SIZES, Arrow, Box, Chip, Drawing, Label, Rect
from generator.picture.landscape import Landscape
from generator.picture.lettering import width
from generator.picture.rows import RIGHT, rows
from generator.picture.surroundings import PANEL_X, TOP, above, entry_rules, heading, joined, sections
from generator.picture.vpc import place
from generator.picture.ways import Ways, connect, door, out
from generator.traffic import Rule, Traffic

WIDTH = 1200
EDGE = 24
CORRIDOR = {"gateway": 886, "endpoint": 878, "route table": 892}
"""Area in which arrows out of the VPC bend, each at its own position."""


def layout(landscape: Landscape, traffic: Traffic) -> Drawing:
    """
    Return the drawing of an environment.

    A rule without a route for an arrow is listed as text in its group, which makes the group higher: so the
    layout is repeated with the routed arrows, until all have a route.
    """
    arrows = frozenset(traffic.rules)
    while True:
        drawing, shown = _attempt(landscape, traffic, arrows)
        if shown == arrows:
            return drawing
        arrows = shown


def _attempt(
    landscape: Landscape, traffic: Traffic, arrows: frozenset[Rule]
) -> tuple[Drawing, frozenset[Rule]]:
    """Return a drawing with no more *arrows* than these, and the rules that are arrows in it."""
    outer, panel = above(landscape, traffic), sections(landscape)
    top = max((box.place.bottom for box in outer), default=TOP - 46) + 46
    placed = place(landscape, rows(landscape, traffic, arrows), top)
    ways = Ways(placed)
    nats = [placed.places[one.key] for one in landscape.things if one.kind == "NAT gateway"]
    own_way = placed.bar.bottom if placed.bar and not landscape.gateway_stack else None
    shown = [
        *_enter(ways, landscape, traffic, outer),
        *connect(ways, traffic, arrows),
        *out(ways, traffic, nats, own_way, arrows),
    ]
    _routes(ways, landscape, traffic, {box.key: box.place for box in (*outer, *panel)})
    bottom = max([placed.frame.bottom, *(box.place.bottom for box in panel)])
    frames, lines, texts = _legend(bottom + 34)
    drawing = Drawing(
        WIDTH,
        bottom + 58,
        f"{landscape.name}: what is in it, and who talks to whom",
        description(landscape, traffic),
        (*outer, *placed.boxes, *panel, *frames),
        (*ways.arrows, *lines),
        (*_header(landscape), *heading(panel), *texts),
        tuple(_stacks(landscape)),
    )
    return drawing, arrows & frozenset(shown)


def description(landscape: Landscape, traffic: Traffic) -> str:
    """Return the picture as text, for screen readers."""
    names = {group.key: group.logical_id for group in traffic.groups}
    rules = [
        f"{names[rule.group]} {'from' if rule.direction == 'in' else 'to'}"
        f" {names.get(rule.peer.value, rule.peer.value)}: {rule.service}"
        for group in traffic.groups
        for direction in ("in", "out")
        for rule in traffic.of(group.key, "in" if direction == "in" else "out")
    ]
    things = ", ".join(f"{one.title} ({one.key})" for one in landscape.things)
    return f"In {landscape.vpc}: {things}. Security-group rules: {'; '.join(rules)}."


def _enter(ways: Ways, landscape: Landscape, traffic: Traffic, outer: Iterable[Box]) -> tuple[Rule, ...]:
    """
    Draw the path of requests: from the clients to the load balancer, through the gateway if there is one.

    Returns the rules that it shows.
    """
    source = next((box.place for box in outer if box.key == "clients"), None)
    rules = entry_rules(traffic)
    if source is None:
        return ()
    places = [ways.placed.places[key] for key in dict.fromkeys(rule.group for rule in rules)]
    bar = ways.placed.bar if not landscape.internal else None
    services = list(dict.fromkeys(rule.service for rule in rules))
    for target in places:
        x = round(target.x + 62)
        beside = Label(x + 8, (source.bottom + ways.placed.frame.y) / 2 + 4, joined(services), "flow")
        stops = [(source.bottom, bar.y), (bar.bottom, target.y)] if bar else [(source.bottom, target.y)]
        for start, end in stops:
            labels = (beside,) if start == source.bottom else ()
            told = f"Clients to the load balancer: {', '.join(services)}"
            ways.add(Arrow("rule", ((x, start), (x, end)), told, labels))
    return rules


def _routes(ways: Ways, landscape: Landscape, traffic: Traffic, by_key: Mapping[str, Rect]) -> None:
    """Draw the routes: from NAT gateways through the gateway out, and from endpoints to their services."""
    places = ways.placed.places
    _through_the_gateway(ways, landscape, by_key)
    ends = {key: one for one in landscape.services for key in one.ends}
    served = [
        by_key[f"service {one.title}"]
        for one in ends.values()
        if one.way == "endpoint" and not one.by_route_table
    ]
    for group in traffic.groups:
        worn = any(wearer.role == "endpoint" for wearer in group.worn_by)
        if worn and served and group.key in places:
            told = "Interface endpoints to AWS's services"
            ways.add(_across(places[group.key], served[0], CORRIDOR["endpoint"], told))
    for key, one in ends.items():
        if one.by_route_table and key in places:
            told = f"Gateway endpoint to {one.title}"
            ways.add(_across(places[key], by_key[f"service {one.title}"], CORRIDOR["route table"], told))


def _through_the_gateway(ways: Ways, landscape: Landscape, by_key: Mapping[str, Rect]) -> None:
    bar = ways.placed.bar
    if bar is None:
        return
    doors = [door(ways.placed.places[one.key]) for one in landscape.things if one.kind == "NAT gateway"]
    tops = [ways.placed.places[one.key].y for one in landscape.things if one.kind == "NAT gateway"]
    for x, y in zip(doors, tops, strict=True):
        ways.add(Arrow("route", ((x, y), (x, bar.bottom)), "NAT gateway to the internet gateway"))
    if "internet" in by_key:
        x = doors[0] if doors else RIGHT.x + 28
        ways.add(Arrow("route", ((x, bar.y), (x, by_key["internet"].bottom)), "To the internet"))
    if "section gateway" in by_key:
        ways.add(_across(bar, by_key["section gateway"], CORRIDOR["gateway"], "To AWS's services"))


def _across(source: Rect, target: Rect, bend: float, told: str) -> Arrow:
    """Return the arrow from the right edge of a box to the height of *target* beside the VPC."""
    y = source.middle
    end = min(max(y, target.y + 14), target.bottom - 14)
    if end == y:
        return Arrow("route", ((source.right, y), (PANEL_X, y)), told)
    return Arrow("route", ((source.right, y), (bend, y), (bend, end), (PANEL_X, end)), told)


def _header(landscape: Landscape) -> Iterator[Label]:
    kind = "production" if landscape.production else "not production"
    count = len(landscape.stacks)
    yield Label(EDGE, 44, landscape.name, "heading")
    said = f"{landscape.system}, {kind}, {landscape.region}: drawn from the templates of its {count} stacks"
    yield Label(EDGE, 68, said, "detail")
    right = WIDTH - EDGE - sum(chip_width(stack) + 6 for stack in landscape.stacks)
    yield Label(right - 8, 40, "Stacks", "detail", "end")


def _stacks(landscape: Landscape) -> Iterator[Chip]:
    right: float = WIDTH - EDGE
    for stack in reversed(landscape.stacks):
        one = chip(stack, right, 28, landscape.patches.get(stack, ()))
        yield one
        right = one.place.x - 6


def _legend(y: float) -> tuple[tuple[Box, ...], tuple[Arrow, ...], tuple[Label, ...]]:
    """Return the legend of lines and frames."""
    texts = (
        "security group",
        "let through by security groups, and on which port",
        "route, or endpoint",
    )
    x, places = float(EDGE), []
    for text in texts:
        places.append(x)
        x += 44 + width(text, SIZES["detail"]) + 28
    frame = Box("legend", "group", Rect(places[0], y - 12, 34, 18), "A dashed frame is a security group")
    lines = (
        Arrow(
            "rule",
            ((places[1], y - 3), (places[1] + 34, y - 3)),
            "A full line is what security groups let through",
        ),
        Arrow("route", ((places[2], y - 3), (places[2] + 34, y - 3)), "A dotted line is a route"),
    )
    labels = tuple(Label(at + 44, y + 1, text, "detail") for at, text in zip(places, texts, strict=True))
    return (frame,), lines, labels
