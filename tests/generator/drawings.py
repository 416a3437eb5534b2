"""
What is wrong with a drawing, in sentences: boxes over each other, text out of its box, lines through text.

It reads the drawing before it is SVG, with the widths that the drawing itself reckons with;
`test_picture_in_a_browser.py` measures what a browser makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from generator.manifest import Manifest
from generator.picture.drawing import BOLD, SIZES, Box, Drawing, Label, Rect
from generator.picture.layout import layout
from generator.picture.lettering import width
from generator.picture.survey import survey
from generator.traffic import Rule, traffic

LANES = {"subnet", "public"}
INSIDE = {"card": {"group", "vpc"}, "row": {"section"}, "group": {"vpc"}, "gateway": {"vpc"}}
"""Style of a box -> styles of those that it may be in, wholly; it may lie over lanes as well."""


def drawing(manifest: Manifest) -> Drawing:
    """Return the drawing of an environment."""
    return layout(survey(manifest), traffic(manifest))


def faults(manifest: Manifest) -> list[str]:
    """Return the errors in the picture of an environment."""
    return flaws(drawing(manifest), manifest)


def flaws(drawn: Drawing, manifest: Manifest) -> list[str]:
    """Return the errors in *drawn* as a picture of that environment."""
    return [
        *_outside(drawn),
        *_overlaps(drawn),
        *_long_texts(drawn),
        *_crossed(drawn),
        *_missing(drawn, manifest),
        *_misplaced(drawn, manifest),
    ]


def room(label: Label) -> Rect:
    """Return the area of a label."""
    wide = width(label.text, SIZES[label.style], bold=label.style in BOLD)
    before = {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
    return Rect(label.x - before, label.y - SIZES[label.style] * 0.75, wide, SIZES[label.style])


def words(drawn: Drawing) -> list[str]:
    """Return all texts of a drawing."""
    labels = [label for box in drawn.boxes for label in box.labels]
    labels += [label for arrow in drawn.arrows for label in arrow.labels]
    return [label.text for label in (*labels, *drawn.labels)]


def _outside(drawn: Drawing) -> Iterator[str]:
    page = Rect(0, 0, drawn.width, drawn.height)
    for box in drawn.boxes:
        if not page.holds(box.place):
            yield f"{box.key} is off the page"
    for arrow in drawn.arrows:
        if not all(page.holds(piece) for piece in arrow.pieces):
            yield f"the arrow {arrow.told!r} is off the page"


def _overlaps(drawn: Drawing) -> Iterator[str]:
    for one, other in combinations(drawn.boxes, 2):
        if one.place.meets(other.place) and not (_may_be_in(one, other) or _may_be_in(other, one)):
            yield f"{one.key} ({one.style}) and {other.key} ({other.style}) overlap"
    chips = [(box, chip) for box in drawn.boxes for chip in box.chips]
    for (box, chip), (other_box, other) in combinations(chips, 2):
        if chip.place.meets(other.place):
            yield f"the chips of {box.key} and {other_box.key} overlap"
    for box in drawn.boxes:
        for label in box.labels:
            for owner, chip in chips:
                if chip.place.meets(room(label)):
                    yield f"the chip of {owner.key} covers {label.text!r}"


def _may_be_in(inner: Box, outer: Box) -> bool:
    if outer.style in LANES:
        return inner.style in {"group", "card"}
    if outer.style == "vpc" and inner.style in LANES:
        return outer.place.holds(inner.place)
    return outer.style in INSIDE.get(inner.style, set()) and outer.place.holds(inner.place)


def _long_texts(drawn: Drawing) -> Iterator[str]:
    for box in drawn.boxes:
        for label in box.labels:
            if not box.place.holds(room(label)):
                yield f"{label.text!r} does not fit into {box.key}"


def _crossed(drawn: Drawing) -> Iterator[str]:
    """Yield the arrows through text or through a box: they may touch the edges of their ends."""
    labels = [label for box in drawn.boxes for label in box.labels]
    labels += [label for arrow in drawn.arrows for label in arrow.labels]
    boxes = [box for box in drawn.boxes if box.style not in LANES | {"vpc"}]
    for arrow in drawn.arrows:
        for piece in arrow.pieces:
            yield from (
                f"{arrow.told!r} goes through {label.text!r}" for label in labels if piece.meets(room(label))
            )
            for box in boxes:
                inner = Rect(box.place.x + 2, box.place.y + 2, box.place.width - 4, box.place.height - 4)
                if piece.meets(inner):
                    yield f"{arrow.told!r} goes through {box.key}"
    for one, other in combinations([label for arrow in drawn.arrows for label in arrow.labels], 2):
        if room(one).meets(room(other)):
            yield f"{one.text!r} and {other.text!r} lie over each other"


def _missing(drawn: Drawing, manifest: Manifest) -> Iterator[str]:
    """Yield the groups and the rules missing in the picture."""
    found = traffic(manifest)
    keys = {box.key for box in drawn.boxes}
    yield from (f"{group.key} is not drawn" for group in found.groups if group.key not in keys)
    said = " ".join([*words(drawn), *(arrow.told for arrow in drawn.arrows)])
    for rule in found.rules:
        if not rule.matches_nothing and not all(part in said for part in _parts(rule)):
            yield f"{rule} is not told"
        if not rule.matches_nothing and rule.ports not in " ".join(words(drawn)):
            yield f"no text has the port of {rule}"


def _parts(rule: Rule) -> tuple[str, ...]:
    return rule.ports, rule.protocol if rule.protocol != "all" else "all"


def _misplaced(drawn: Drawing, manifest: Manifest) -> Iterator[str]:
    """Yield the things that do not lie over exactly their subnets."""
    lanes = [box for box in drawn.boxes if box.style in LANES]
    places = {box.key: box.place for box in drawn.boxes if box.style in {"group", "card"}}
    around = {card.key: _around(card, drawn) for card in drawn.boxes if card.style == "card"}
    for thing in survey(manifest).things:
        place = around.get(thing.key) or places.get(thing.key)
        if thing.subnets and place:
            over = {key for lane in lanes if lane.place.meets(place) for key in lane.key.split()}
            if not set(thing.subnets) <= over:
                yield f"{thing.key} is in {thing.subnets}, and lies over {over}"
            if over - set(thing.subnets) and len(thing.subnets) == 1 and place == places.get(thing.key):
                yield f"{thing.key} is in {thing.subnets} alone, and lies over {over}"


def _around(card: Box, drawn: Drawing) -> Rect | None:
    groups = [box.place for box in drawn.boxes if box.style == "group" and box.place.holds(card.place)]
    return groups[0] if groups else None


def moved(drawn: Drawing, key: str, right: float) -> Drawing:
    """Return a drawing with one box moved: `faults` has to notice it."""
    boxes = tuple(
        replace(box, place=replace(box.place, x=box.place.x + right)) if box.key == key else box
        for box in drawn.boxes
    )
    return replace(drawn, boxes=boxes)
