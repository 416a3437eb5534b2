"""Parses `events --since`, with the syntax of `aws logs tail --since`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""AWS CLI Command Reference, `aws logs tail`, --since."""
KEPT_DAYS = 90
"""So long CloudFormation keeps events (AWS CloudFormation User Guide, "View stack events")."""
_RELATIVE = re.compile(r"(\d{1,7})([smhdw])", re.ASCII)


def moment(text: str, now: datetime) -> datetime:
    """
    Return the moment that *text* names: so long before *now* (``30m``), or an ISO 8601 timestamp.

    One without an offset is UTC, as the times of events are shown.

    Raises:
        ValueError: it is neither; the message says what is.

    """
    found = _RELATIVE.fullmatch(text.strip())
    if found:
        ago = timedelta(**{UNITS[found[2]]: int(found[1])})
        return now - min(ago, timedelta(days=KEPT_DAYS))
    try:
        named = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a time before now (30s, 30m, 2h, 3d, 1w) nor an ISO 8601 timestamp "
            "(2026-11-28T20:00:00Z)"
        ) from None
    return named if named.tzinfo else named.replace(tzinfo=UTC)
