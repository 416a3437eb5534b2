"""The sandbox's clock for health checks and draining."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.clock import SPEED


class Pace:
    """
    Follows the sandbox's clock, or its usual speed while that stands still, as in a test.

    Targets are processes: they start, and are waited for, even if nothing moves the clock.
    """

    def __init__(self, virtual: Callable[[], float], real: Callable[[], float] = time.monotonic) -> None:
        """*virtual* is the sandbox's clock, *real* the machine's."""
        self._virtual, self._real = virtual, real
        self._lock = threading.Lock()
        self._last, self._seen, self._ahead = virtual(), real(), 0.0

    def now(self) -> float:
        """
        Return virtual seconds; to be called often, since it detects a standing clock only between calls.
        """
        virtual, real = self._virtual(), self._real()
        with self._lock:
            if virtual == self._last:
                self._ahead += (real - self._seen) * SPEED
            self._last, self._seen = virtual, real
            return virtual + self._ahead
