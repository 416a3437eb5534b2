"""Parts of a page that are made from the code: they stand between two comments with their name."""

from __future__ import annotations

from collections.abc import Mapping


def with_parts(page: str, parts: Mapping[str, str]) -> str:
    """Return *page* with its generated *parts*, by name, replaced."""
    for name, text in parts.items():
        before, begin, rest = page.partition(f"<!-- begin {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page
