"""
Escapes text from others: control characters are spelled out, and no text can leave its format.

Others are the authors of templates, tags and parameters, and AWS's reasons. Pure: text in, text out.
"""

from __future__ import annotations

import re

_CONTROLS = (
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)"
)
"""
What controls a terminal, starts a line, or changes the reading direction.

C0 but tab and newline, DEL, C1 (ECMA-48); a carriage return alone; line and paragraph separators and bidi
overrides (Unicode Standard Annex 9); halves of surrogate pairs, which no encoding can write.
"""
_MARKDOWN = r"([\\`*\[\]|~])"


def visible(text: str) -> str:
    r"""Return *text* with every control character written out (``\x1b``); tabs and newlines stay."""
    plain = text.replace("\n", "").isprintable()  # most texts have none, and need no pattern
    return text if plain else re.sub(_CONTROLS, _spelled, text)


def _spelled(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def visible_json(text: str) -> str:
    r"""Return JSON of the same data without control characters (``\u001b``); *text* is JSON."""
    return re.sub(_CONTROLS, lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Return *text* in one line, its control characters written out."""
    return visible(" ".join(text.split()))


def markdown(text: str) -> str:
    """
    Return *text* as one line of Markdown that shows it: no HTML, link, code, emphasis, cell or mention.

    ``_`` stays: names have it within words, where it means nothing (GitHub Flavored Markdown Spec, 6.2).
    """
    escaped = re.sub(_MARKDOWN, r"\\\1", one_line(text))
    for character in "&<>@":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped


def markdown_code(text: str) -> str:
    """Return *text* as a code span: its fence is longer than any in the text (CommonMark Spec, 6.1)."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{room}{line}{room}{fence}"


def dot_string(text: str) -> str:
    """Return *text* as a quoted string of Graphviz's DOT language, in which a backslash escapes as well."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mermaid_label(text: str) -> str:
    """Return *text* as a quoted label of Mermaid: everything that has a meaning there as its code."""
    return '"' + re.sub(r"[^\w .:/-]", lambda found: f"#{ord(found[0])};", one_line(text)) + '"'
