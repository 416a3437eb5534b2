"""
Style sheet of the diagram, for light and dark mode, with the reader's own fonts.

Every pair of text and background has a contrast of at least 4.5 (`test_picture_in_a_browser.py`), and no
meaning depends on color alone: frames are dashed, routes dotted, chips have words.
"""

from __future__ import annotations

from generator.picture.drawing import BOLD, SIZES

_LIGHT = {
    "ground": "#ffffff",
    "ink": "#17202b",
    "quiet": "#4d5a67",
    "vpc": "#f6f8fa",
    "vpc-line": "#7b8998",
    "public": "#e6f3ea",
    "subnet": "#e9eef6",
    "subnet-line": "#c3cedb",
    "group": "#f6f8fc",
    "flow": "#1d56b0",
    "card": "#ffffff",
    "card-line": "#9aa8b7",
    "gateway": "#eef0f3",
    "route": "#5d6a78",
    "chip-ink": "#ffffff",
}
_DARK = {
    "ground": "#0e1319",
    "ink": "#e9eef3",
    "quiet": "#a9b6c3",
    "vpc": "#141a21",
    "vpc-line": "#5b6a79",
    "public": "#16281f",
    "subnet": "#1a2431",
    "subnet-line": "#32404f",
    "group": "#131b26",
    "flow": "#86bbff",
    "card": "#202a35",
    "card-line": "#566575",
    "gateway": "#202730",
    "route": "#9aa8b6",
    "chip-ink": "#0e1319",
}
_STACKS = (
    ("#6f2c91", "#d9a9ee"),
    ("#17568f", "#8fc4ff"),
    ("#8f4300", "#ffbd80"),
    ("#176045", "#7fd9b0"),
    ("#9c1550", "#ff9fc0"),
)
"""Colors of each stack's chip, in light and dark; a sixth stack reuses the first."""
STACK_COLOURS = len(_STACKS)

FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

_SHAPES = """
.picture .ground { fill: var(--ground); }
.picture .vpc { fill: var(--vpc); stroke: var(--vpc-line); stroke-width: 1.5; }
.picture .subnet, .picture .public { stroke: var(--subnet-line); }
.picture .subnet { fill: var(--subnet); }
.picture .public { fill: var(--public); }
.picture .group { fill: var(--group); stroke: var(--flow); stroke-width: 1.5; stroke-dasharray: 6 3; }
.picture .card, .picture .outside, .picture .section { fill: var(--card); stroke: var(--card-line); }
.picture .gateway { fill: var(--gateway); stroke: var(--vpc-line); }
.picture .row { fill: none; }
.picture .arrow { fill: none; stroke-width: 1.75; }
.picture .rule { stroke: var(--flow); }
.picture .route { stroke: var(--route); stroke-dasharray: 2 4; stroke-linecap: round; }
.picture .rule-head { fill: var(--flow); }
.picture .route-head { fill: var(--route); }
.picture .quiet { fill: var(--quiet); }
.picture .in-flow, .picture .in-group { fill: var(--flow); }
.picture .in-chip { fill: var(--chip-ink); }
"""


def sheet() -> str:
    """Return the style sheet."""
    text = [
        f".picture {{ font-family: {FONTS}; {_variables(_LIGHT, 0)} }}",
        f".picture text {{ fill: var(--ink); font-size: {SIZES['detail']}px; }}",
        *(f".picture .in-{style} {{ font-size: {size}px; }}" for style, size in SIZES.items()),
        f"{', '.join(f'.picture .in-{style}' for style in sorted(BOLD))} {{ font-weight: 600; }}",
        _SHAPES.strip().replace(".quiet", ".in-quiet"),
        *(f".picture .s{place} {{ fill: var(--s{place}); }}" for place in range(STACK_COLOURS)),
        f"@media (prefers-color-scheme: dark) {{ .picture {{ {_variables(_DARK, 1)} }} }}",
    ]
    return "\n".join(["", *text, ""])


def _variables(colours: dict[str, str], scheme: int) -> str:
    stacks = {f"s{place}": pair[scheme] for place, pair in enumerate(_STACKS)}
    return " ".join(f"--{name}: {colour};" for name, colour in (colours | stacks).items())
