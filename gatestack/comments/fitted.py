"""A comment's text: the marker that identifies it, its origin, and as much of the plan as fits. Pure."""

from __future__ import annotations

import re

CUT = "**This comment is cut**: {left} of {lines} lines do not fit. The run's summary has the whole plan."
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
ROOM = 400
"""Characters reserved for the note on omitted text, and for closing tags."""


def mark(name: str) -> str:
    """Return the marker line of a comment about the environment *name*; Markdown does not show it."""
    return f"[//]: # (gatestack plan {name})"


def fitted(name: str, source: str, markdown: str, most: int) -> str:
    """
    Return the comment about *name*, of *most* characters: its mark, *source*, and *markdown*.

    Excess text is cut between two lines, with a note at the top; open code and details are closed.
    """
    head = f"{mark(name)}\n\n{source}\n\n" if source else f"{mark(name)}\n\n"
    whole = head + markdown
    if len(whole) <= most:
        return whole
    lines = markdown.split("\n")
    room, kept = most - len(head) - ROOM, list[str]()
    for line in lines:
        if room < len(line) + 1:
            break
        room -= len(line) + 1
        kept.append(line)
    said = CUT.format(left=len(lines) - len(kept), lines=len(lines))
    return "\n".join([f"{head}{said}\n", *kept, *_closing(kept)])


def _closing(lines: list[str]) -> list[str]:
    """Return the end of code and details that *lines* leave open."""
    fence, details = "", 0
    for line in lines:
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        elif not fence:
            details += line.count("<details") - line.count("</details>")
    return [*([fence] if fence else []), *["", "</details>"] * max(details, 0)]
