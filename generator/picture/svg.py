"""
Renders a drawing as SVG: one self-contained file, for light and dark mode, with a title on every part.

The standard library writes the element tree, so no text can break out of its element; control characters,
which XML cannot represent, are spelled out.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from generator.escapes import visible
from generator.manifest import Manifest
from generator.picture.drawing import Arrow, Box, Chip, Drawing, Label
from generator.picture.layout import layout
from generator.picture.style import STACK_COLOURS, sheet
from generator.picture.survey import survey
from generator.traffic import traffic
from stacks import STACKS

NAMESPACE = "http://www.w3.org/2000/svg"
ROUND = {"vpc": 10, "subnet": 6, "public": 6, "group": 8, "card": 5, "gateway": 5, "outside": 8, "section": 8}
"""How round a box's corners are."""


def picture(manifest: Manifest) -> str:
    """Return the picture of an environment, as its templates have it."""
    return svg(layout(survey(manifest), traffic(manifest)))


def svg(drawing: Drawing) -> str:
    """Return *drawing* as an SVG document, in ASCII, which every program can show."""
    size = {"width": _number(drawing.width), "height": _number(drawing.height)}
    root = Element("svg", {"xmlns": NAMESPACE, **size})
    root.set("viewBox", f"0 0 {size['width']} {size['height']}")
    root.attrib |= {"class": "picture", "role": "img", "aria-labelledby": "picture-title"}
    root.set("aria-describedby", "picture-description")
    SubElement(root, "title", {"id": "picture-title"}).text = visible(drawing.title)
    SubElement(root, "desc", {"id": "picture-description"}).text = visible(drawing.description)
    SubElement(root, "style").text = sheet()
    _heads(root)
    SubElement(root, "rect", {"class": "ground", **size})
    for box in drawing.boxes:
        _box(root, box)
    for arrow in drawing.arrows:
        _arrow(root, arrow)
    for label in drawing.labels:
        _label(root, label)
    for one in drawing.chips:
        _chip(root, one)
    indent(root, " ")
    return str(tostring(root, encoding="us-ascii"), "us-ascii")


def _heads(root: Element) -> None:
    definitions = SubElement(root, "defs")
    for style in "rule", "route":
        head = SubElement(definitions, "marker", {"id": f"{style}-head", "viewBox": "0 0 10 10"})
        head.attrib |= {"refX": "9", "refY": "5", "markerWidth": "9", "markerHeight": "9"}
        head.attrib |= {"markerUnits": "userSpaceOnUse", "orient": "auto"}
        SubElement(head, "path", {"class": f"{style}-head", "d": "M 0 1 L 10 5 L 0 9 z"})


def _box(root: Element, box: Box) -> None:
    part = SubElement(root, "g", {"data-key": visible(box.key)})
    SubElement(part, "title").text = visible(box.told)
    place = box.place
    corners = {"x": place.x, "y": place.y, "width": place.width, "height": place.height}
    attributes = {name: _number(value) for name, value in corners.items()}
    SubElement(part, "rect", {"class": box.style, **attributes, "rx": str(ROUND.get(box.style, 0))})
    for label in box.labels:
        _label(part, label)
    for one in box.chips:
        _chip(part, one)


def _chip(parent: Element, one: Chip) -> None:
    known = STACKS.index(one.stack) if one.stack in STACKS else len(one.stack)
    colour = known % STACK_COLOURS
    place = one.place
    part = SubElement(parent, "g", {"class": "chip"})
    SubElement(part, "title").text = visible("; ".join([f"Stack {one.stack}", *one.patches]))
    corners = {"x": place.x, "y": place.y, "width": place.width, "height": place.height}
    attributes = {name: _number(value) for name, value in corners.items()}
    SubElement(part, "rect", {"class": f"s{colour}", **attributes, "rx": _number(place.height / 2)})
    middle = place.x + place.width / 2
    _label(part, Label(middle, place.y + place.height - 4.5, one.text, "chip", "middle"))


def _arrow(root: Element, arrow: Arrow) -> None:
    part = SubElement(root, "g")
    SubElement(part, "title").text = visible(arrow.told)
    path = " L ".join(f"{_number(x)} {_number(y)}" for x, y in arrow.points)
    line = SubElement(part, "path", {"class": f"arrow {arrow.style}", "d": f"M {path}"})
    if arrow.head:
        line.set("marker-end", f"url(#{arrow.style}-head)")
    for label in arrow.labels:
        _label(part, label)


def _label(parent: Element, label: Label) -> None:
    place = {"x": _number(label.x), "y": _number(label.y), "class": f"in-{label.style}"}
    text = SubElement(parent, "text", place)
    if label.anchor != "start":
        text.set("text-anchor", label.anchor)
    text.text = visible(label.text)


def _number(value: float) -> str:
    """Return a length in tenths of a unit: the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")
