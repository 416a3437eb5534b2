"""
One rate limit for all of a run's calls to CloudFormation, and retries of what can be retried.

botocore's adaptive mode works per client, on the system clock, with its own sleeps. This one takes clock and
sleep as arguments, so that tests cover hours of throttling in a second. It counts throttled calls apart from
lost ones, and a run continues after it gives up on a call.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from deployer.aws.errors import THROTTLED
from deployer.errors import Transient

Found = TypeVar("Found")

PATIENCE = 8
"""Tries of one request. One that was not answered at all counts twice: it may never be …"""
LESS_PATIENCE = 3
"""… and tries after the same was given up on once, until it is answered."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds; the pause before a repetition is drawn between nothing and twice the one before."""
SLOWEST, FASTEST = 1.0, 20.0
"""Calls a second. Above the fastest there is no limit: AWS has not said that there is one."""
SLOWER = 0.7
"""What is left of the rate after a throttled call …"""
FASTER = 0.1
"""… and the calls a second that one which is answered gives back (as AIMD does for TCP, RFC 5681)."""


class Budget:
    """The calls of one run. Threads may share it."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """*chance* gives numbers between 0 and 1, so that agents which were throttled together part."""
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._next = 0.0
        self._slowed = float("-inf")
        self._recent: deque[float] = deque(maxlen=int(FASTEST))
        self._in_vain: set[str] = set()
        """What was given up on, and not answered since: the run itself repeats that."""

    @property
    def rate(self) -> float | None:
        """Calls a second at the moment; None without a limit."""
        return self._rate

    def ask(self, request: Callable[[], Found], what: str = "") -> Found:
        """
        Return the result of *request*, retried if that may help; it must be idempotent.

        *what* it is: once that was given up on there is less patience with it, until it is answered.

        Raises:
            Transient: it did not help for a while.

        """
        spent, pause = 0, FIRST_PAUSE
        patience = LESS_PATIENCE if what in self._in_vain else PATIENCE
        while True:
            self._take_turn()
            try:
                found = request()
            except Transient as error:
                if error.code in THROTTLED:
                    self._slow_down()
                spent += 1 if error.code else 2
                if spent >= patience:
                    self._in_vain.add(what)
                    raise
                self._sleep(pause * self._chance())
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._in_vain.discard(what)
                self._speed_up()
                return found

    def _take_turn(self) -> None:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            if self._rate is not None:
                self._next = turn + 1 / self._rate
            self._recent.append(turn)
        if turn > now:
            self._sleep(turn - now)

    def _slow_down(self) -> None:
        """Go slower; calls that were under way together are throttled together, and count once."""
        with self._lock:
            now = self._clock()
            usual = self._rate or max(SLOWEST, sum(at > now - 1 for at in self._recent))
            if self._rate is None or now - self._slowed >= 1 / usual:
                self._rate, self._slowed = max(SLOWEST, usual * SLOWER), now

    def _speed_up(self) -> None:
        with self._lock:
            if self._rate is not None:
                faster = self._rate + FASTER
                self._rate = faster if faster < FASTEST else None
