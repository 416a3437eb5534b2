"""The VPC in the diagram: rows of subnets, with the groups and resources at their positions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.picture.cards import PAD, Card, Wardrobe, card_of, stacked, tab
from generator.picture.drawing import LINE, SIZES, Box, BoxStyle, Label, Rect, TextStyle
from generator.picture.landscape import Landscape, Subnet
from generator.picture.lettering import fitted
from generator.picture.rows import LEFT, MIDDLE, RIGHT, Row, Slot

X, WIDTH = 24, 844
LANE_X, LANE_WIDTH = 36, 820
LANE_TEXT = LEFT.x - LANE_X - 2 * PAD
BETWEEN_LANES = 8
GUTTER = 62
"""Between rows: arrows have their labels there."""
BAR_HEIGHT = 32
MARGIN = 16
"""Between a lane's edge and its content."""
BETWEEN_ITEMS = 26
WAYS = {"internet": "public", "NAT": "private, by NAT", "none": "isolated", "unknown": ""}


@dataclass(frozen=True)
class Placed:
    """The VPC at its position."""

    frame: Rect
    boxes: tuple[Box, ...]
    bar: Rect | None
    """The gateway's box."""
    gutters: tuple[float, ...]
    """Where each row of lanes begins."""
    gateways: tuple[Rect, ...]
    """Endpoints in route tables."""

    @property
    def places(self) -> Mapping[str, Rect]:
        """Key -> position, of everything in subnets."""
        return {box.key: box.place for box in self.boxes if box.style in {"group", "card"}}


def place(landscape: Landscape, rows: Iterable[Row], top: float) -> Placed:
    """Return the VPC, its upper edge at *top*."""
    bar = _bar(landscape, top + 14)
    y = top + 14 + BAR_HEIGHT + 44
    boxes: list[Box] = []
    tops: list[float] = []
    for row in rows:
        heights = _heights(row)
        tops.append(y)
        boxes += _row(row, y, heights)
        y += sum(heights) + BETWEEN_LANES * (len(heights) - 1) + GUTTER
    strip = _strip(landscape, y - GUTTER + 26)
    bottom = (strip[0].place.bottom + 16) if strip else y - GUTTER + 18
    frame = Rect(X, top, WIDTH, bottom - top)
    outer = _frame(landscape, frame)
    gateways = tuple(box.place for box in strip)
    bars = (bar,) if bar else ()
    return Placed(frame, (outer, *bars, *boxes, *strip), bar.place if bar else None, tuple(tops), gateways)


def _frame(landscape: Landscape, frame: Rect) -> Box:
    named = landscape.vpc.split(maxsplit=1)
    lines: list[tuple[TextStyle, str]] = [("title", named[0])] if len(named) > 1 else [("title", "VPC")]
    lines.append(("detail", fitted(named[-1], LANE_TEXT, SIZES["detail"])))
    chips = (tab(landscape.vpc_stack, Rect(X, frame.y, LEFT.x - X - 24, 0)),) if landscape.vpc_stack else ()
    told = f"{landscape.vpc}{'' if landscape.vpc_stack else ', which was there already'}"
    labels = tuple(stacked(lines, frame.x + 20, frame.y + 10))
    return Box("vpc", "vpc", frame, told, labels, chips)


def _bar(landscape: Landscape, y: float) -> Box | None:
    if not landscape.gateway:
        return None
    x = MIDDLE.x if landscape.internal else LEFT.x
    frame = Rect(x, y, RIGHT.x + RIGHT.width - x, BAR_HEIGHT)
    label = Label(MIDDLE.x + 8, y + 21, landscape.gateway, "name")
    chips = (tab(landscape.gateway_stack, frame),) if landscape.gateway_stack else ()
    return Box("gateway", "gateway", frame, landscape.gateway, (label,), chips)


def _strip(landscape: Landscape, y: float) -> list[Box]:
    """Return the endpoints in no subnet, since they are in route tables."""
    found = [one for one in landscape.things if one.kind == "endpoint" and not one.subnets]
    return [card_of(one).at(RIGHT.x, y + 64 * place, RIGHT.width) for place, one in enumerate(found)]


def _heights(row: Row) -> list[float]:
    """Return the height of each lane: its own content fits, and what spans several does."""
    heights = [_lane_height(lane) for lane in row.lanes]
    for slot in sorted(row.slots, key=lambda slot: len(_spanned(row, slot))):
        over = _spanned(row, slot)
        there = sum(heights[lane] for lane in over) + BETWEEN_LANES * (len(over) - 1)
        missing = _slot_height(slot) + 2 * MARGIN - there
        for lane in over:
            heights[lane] += max(missing, 0) / len(over)
    return [round(height) for height in heights]


def _lane_height(lane: Iterable[Subnet]) -> float:
    return sum(LINE[style] for style, _ in _lane_lines(lane)) + 2 * PAD


def _lane_lines(lane: Iterable[Subnet]) -> Iterator[tuple[TextStyle, str]]:
    for subnet in lane:
        yield "name", f"Zone {subnet.zone}" if subnet.stack else f"Subnet {subnet.zone}"
        for text in (subnet.name, subnet.cidr):
            if text:
                yield "detail", fitted(text, LANE_TEXT, SIZES["detail"])
        if WAYS[subnet.way_out]:
            yield "quiet", WAYS[subnet.way_out]


def _slot_height(slot: Slot) -> float:
    heights = [item.height(slot.column.width) for item in slot.items]
    return sum(heights) + BETWEEN_ITEMS * (len(heights) - 1)


def _spanned(row: Row, slot: Slot) -> range:
    """Return the lanes that the slot spans, from the first to the last; all if none is named."""
    found = [place for place, lane in enumerate(row.lanes) if {one.key for one in lane} & set(slot.subnets)]
    return range(found[0], found[-1] + 1) if found else range(len(row.lanes))


def _row(row: Row, y: float, heights: Sequence[float]) -> Iterator[Box]:
    tops = [y + sum(heights[:place]) + BETWEEN_LANES * place for place in range(len(heights))]
    for lane, top, height in zip(row.lanes, tops, heights, strict=True):
        yield _lane(lane, Rect(LANE_X, top, LANE_WIDTH, height))
    for slot in row.slots:
        over = _spanned(row, slot)
        top, bottom = tops[over[0]], tops[over[-1]] + heights[over[-1]]
        alone = len(slot.items) == 1 and isinstance(slot.items[0], Wardrobe)
        height = bottom - top - 2 * MARGIN if alone else 0
        top += (bottom - top - max(height, _slot_height(slot))) / 2
        for item in slot.items:
            yield from _boxes(item, slot, round(top), round(height))
            top += item.height(slot.column.width) + BETWEEN_ITEMS


def _boxes(item: Wardrobe | Card, slot: Slot, y: float, height: float) -> list[Box]:
    """Return an item at its position; a group alone in its slot fills the lanes' height."""
    if isinstance(item, Card):
        return [item.at(slot.column.x, y, slot.column.width)]
    return item.at(slot.column.x, y, slot.column.width, height)


def _lane(lane: tuple[Subnet, ...], frame: Rect) -> Box:
    labels = tuple(stacked(_lane_lines(lane), frame.x + PAD, frame.y + PAD - 3))
    told = "; ".join(f"Subnet {one.key} {one.cidr} {WAYS[one.way_out]}".strip() for one in lane)
    style: BoxStyle = "public" if all(one.way_out == "internet" for one in lane) else "subnet"
    return Box(" ".join(one.key for one in lane), style, frame, told, labels)
