"""The known name that is closest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of *known* that is most like *name*, by *cutoff* (0 to 1) at least; None: none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to load, and for who mistypes alone

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), None)
