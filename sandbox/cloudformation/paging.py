"""Pagination of lists, with opaque tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import invalid

SIZE = 100


def paged(name: str, items: Sequence[Any], token: str | None) -> Mapping[str, Any]:
    """Return the page of *items* that *token* names, as the member *name*, with the token of the next."""
    try:
        start = int(token.removeprefix("page-")) if token else 0
    except ValueError as error:
        raise invalid("NextToken is invalid.") from error
    rest = {"NextToken": f"page-{start + SIZE}"} if start + SIZE < len(items) else {}
    return {name: items[start : start + SIZE], **rest}
