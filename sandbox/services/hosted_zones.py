"""Hosted zones as in Route 53: ids that begin with Z; and one that every account has from the start."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

ROUTE53 = "/2013-04-01/"
"""Prefix of Route 53's API; it signs for no region, and no other service has its paths."""
EXAMPLE = ("example.com", "Z0123456789ABCDEFGHIJ")
"""
The domain in copied, unedited environment files, so that they work as they are.

It is reserved (RFC 2606).
"""
LENGTH = 20


class Zones:
    """An account's zone that exists from the start."""

    def __init__(self, make: Callable[[str, str], str]) -> None:
        """*make* creates a public zone of a name, with an id."""
        self._make = make
        self._lock = threading.RLock()  # creating it calls Route 53 again, in the same thread
        self._made = False

    def before(self, path: str) -> None:
        """Create the zone before Route 53 answers the first request."""
        if not path.startswith(ROUTE53):
            return
        with self._lock:
            if self._made:
                return
            self._made = True
            name_as_aws_does()
            self._make(*EXAMPLE)

    def clear(self) -> None:
        """Forget that it was created."""
        self._made = False


@cache
def name_as_aws_does() -> None:
    """Let zones' ids begin with Z, once a process: moto's begin with anything, and files refuse them."""
    from moto.utilities.id_generator import moto_id_manager  # noqa: PLC0415 - takes most of a second to load

    moto_id_manager.add_id_source(_zone_id)


def _zone_id(context: Any) -> str | None:
    """Return a new id for a zone; None for everything else."""
    wanted = context.get("resource_identifier")
    if (getattr(wanted, "service", ""), getattr(wanted, "resource", "")) != ("route53", "hosted_zone"):
        return None
    return "Z" + "".join(secrets.choice(string.digits + string.ascii_uppercase) for _ in range(LENGTH))
