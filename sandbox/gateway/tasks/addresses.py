"""
A loopback address per task, as each has its own address in a VPC.

Linux accepts all of 127.0.0.0/8. macOS accepts only 127.0.0.1, unless others are configured: there the
gateway is refused before anything starts.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable

from sandbox.gateway.loopback import objection

_FIRST, _LAST = 1, 254
_PROBE = "127.64.0.1"


def there_are() -> bool:
    """Whether this machine has more loopback addresses than 127.0.0.1."""
    return not objection(_PROBE, 0)


class Addresses:
    """The addresses of one sandbox; those of two sandboxes rarely overlap, and are tested first."""

    def __init__(self) -> None:
        number = os.getpid()
        self._prefix = f"127.{64 + number // 250 % 64}.{number % 250 + 1}"
        self._next = _FIRST
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, ports: Iterable[int]) -> str:
        """Return an address at which nothing listens on *ports*; raises OSError where none is left."""
        wanted = list(ports)
        with self._lock:
            for _ in range(_FIRST, _LAST + 1):
                address = f"{self._prefix}.{self._next}"
                self._next = self._next % _LAST + 1
                if address not in self._taken and not any(objection(address, port) for port in wanted):
                    self._taken.add(address)
                    return address
        raise OSError(errno.EADDRNOTAVAIL, "no address is left for a task")

    def give_back(self, address: str) -> None:
        """Release the address."""
        with self._lock:
            self._taken.discard(address)
