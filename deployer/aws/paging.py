"""Reads a paginated list to its end, and detects lists that never end. Independent of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.errors import CloudError


def pages(
    ask: Callable[..., Any],
    what: str,
    token: str = "NextToken",  # noqa: S107 - no secret: the name of a parameter
    sent: str = "",
) -> Iterator[Mapping[str, Any]]:
    """
    Yield every page that *ask* returns, called with the *token* of the previous page, if any.

    *sent*: the token's name in the request, if it differs from that in the response.

    Raises:
        CloudError: a page refers to an earlier one as the next: the list never ends.

    """
    more: dict[str, Any] = {}
    seen: set[str] = set()
    while True:
        page = ask(**more)
        yield page
        following = page.get(token)
        if not following:
            return
        if following in seen:
            raise CloudError(f"{what}: the list has no end, a page names one before it as the next")
        seen.add(following)
        more = {sent or token: following}
