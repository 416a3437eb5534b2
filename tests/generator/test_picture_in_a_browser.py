"""What a browser makes of the pictures: text in its box with real fonts, colours one can read, no request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from generator.picture.svg import picture
from generator.render import render
from stacks.environment import load
from tests.browser import Browser, Page, Scheme
from tests.places import ROOT
from tests.rewrite_golden import PICTURED, PICTURES

SLACK = 1.5
"""Pixels by which a browser's measure of a line may be more than the letters in it."""
READABLE = 4.5
"""Contrast of text and ground (Web Content Accessibility Guidelines 2.2, criterion 1.4.3, level AA)."""

MEASURE = """
const box = (one) => { const b = one.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
const rgb = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
const rects = [...document.querySelectorAll("rect")].filter((one) => getComputedStyle(one).fill !== "none");
const ground = (text) => {
  const [left, top, right, bottom] = box(text);
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const under = rects.filter((one) => {
    const [l, t, r, b] = box(one);
    return l <= x && x <= r && t <= y && y <= b && one.compareDocumentPosition(text) & 4;
  });
  return rgb(getComputedStyle(under.at(-1)).fill);
};
return [...document.querySelectorAll("text")].map((text) => {
  const own = text.parentNode.querySelector(":scope > rect:not(.ground)");
  return {
    text: text.textContent,
    box: box(text),
    around: own ? box(own) : null,
    ink: rgb(getComputedStyle(text).fill),
    ground: ground(text),
  };
});
"""

LINES = """
return [...document.querySelectorAll("path.arrow")].map((path) =>
  path.getAttribute("d").match(/[0-9.]+/g).map(Number));
"""

GROUND = """
return getComputedStyle(document.querySelector(".ground")).fill.match(/[0-9.]+/g).map(Number);
"""

Measured = list[dict[str, Any]]


def more() -> Iterator[str]:
    """The environments whose pictures are looked at: the documentation's, and some with what those lack."""
    yield from PICTURED
    yield "llm-proxy-medium"
    yield "litellm-benchmark-production"


@pytest.fixture(scope="module", params=more())
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A picture, open; when it is left, nothing has asked the network."""
    manifest = render(load(ROOT / "environments" / f"{request.param}.yaml"))
    with browser.open(picture(manifest), width=1200) as opened:
        yield opened


def test_text_is_inside_its_box(page: Page) -> None:
    out = [one["text"] for one in measured(page) if one["around"] and not inside(one["box"], one["around"])]

    assert out == []


def test_no_text_lies_over_another(page: Page) -> None:
    texts = measured(page)
    over = [
        (one["text"], other["text"])
        for place, one in enumerate(texts)
        for other in texts[:place]
        if meets(one["box"], other["box"])
    ]

    assert len(texts) > 40
    assert over == []


def test_no_line_goes_through_text(page: Page) -> None:
    boxes = [(one["text"], one["box"]) for one in measured(page)]
    crossed = [
        text
        for points in page.script(LINES)
        for piece in pieces(points)
        for text, box in boxes
        if meets(box, piece)
    ]

    assert crossed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(page: Page, scheme: Scheme) -> None:
    page.scheme(scheme)

    poor = {
        (one["text"], round(contrast(one["ink"], one["ground"]), 1))
        for one in measured(page)
        if contrast(one["ink"], one["ground"]) < READABLE
    }

    assert poor == set()


def test_light_and_dark_are_two_pictures(page: Page, tmp_path: Path) -> None:
    shots = {}
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        shots[scheme] = page.screenshot(tmp_path / f"{scheme}.png").read_bytes()

    assert shots["light"] != shots["dark"]
    assert all(len(shot) > 20_000 for shot in shots.values())


def test_the_ground_is_light_for_one_reader_and_dark_for_the_other(page: Page) -> None:
    bright = {}
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        bright[scheme] = luminance(page.script(GROUND))

    assert bright["light"] > 0.8
    assert bright["dark"] < 0.05


def test_a_picture_fills_its_width_and_needs_no_more(page: Page) -> None:
    assert page.overflow() == 0


def test_a_picture_in_a_page_asks_for_nothing_either(browser: Browser) -> None:
    """As the documentation shows it: an image, whose style sheet and fonts are its own."""
    source = (PICTURES / "prod.svg").as_uri()

    with browser.open(f'<!doctype html><meta charset="utf-8"><img src="{source}" alt="prod">') as opened:
        loaded = opened.script("const i = document.images[0]; return [i.complete, i.naturalWidth]")

    assert loaded == [True, 1200]


# --- measuring ---------------------------------------------------------------------------------------


def measured(page: Page) -> Measured:
    found: Measured = page.script(MEASURE)
    return found


def inside(box: list[float], around: list[float]) -> bool:
    left, top, right, bottom = around
    within = left - SLACK <= box[0] and box[2] <= right + SLACK
    return within and top - SLACK <= box[1] and box[3] <= bottom + SLACK


def meets(one: list[float], other: list[float]) -> bool:
    across = one[0] + SLACK < other[2] and other[0] + SLACK < one[2]
    return across and one[1] + SLACK < other[3] and other[1] + SLACK < one[3]


def pieces(points: list[float]) -> Iterator[list[float]]:
    corners = list(zip(points[::2], points[1::2], strict=True))
    for (x, y), (to_x, to_y) in pairwise(corners):
        yield [min(x, to_x) - 1, min(y, to_y) - 1, max(x, to_x) + 1, max(y, to_y) + 1]


def contrast(one: list[float], other: list[float]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[float]) -> float:
    """Return the relative luminance of a colour (WCAG 2.2, "relative luminance")."""
    parts = [value / 255 for value in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
