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
"""Attempts of one request. An attempt without any answer counts twice."""
LESS_PATIENCE = 3
"""Attempts once the run has given up on the same request, until it is answered."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds; the pause before a retry is random, between zero and twice the previous one."""
SLOWEST, FASTEST = 1.0, 20.0
"""Calls a second. Above the fastest there is no limit: AWS has not said that there is one."""
SLOWER = 0.7
"""Factor on the rate after a throttled call."""
FASTER = 0.1
"""Calls a second that each answered call adds to the rate (AIMD, as in TCP, RFC 5681)."""


class Budget:
    """The calls of one run. Threads may share it."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """*chance* returns numbers between 0 and 1, so that processes throttled together retry apart."""
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._next = 0.0
        self._slowed = float("-inf")
        self._recent: deque[float] = deque(maxlen=int(FASTEST))
        self._in_vain: set[str] = set()
        """Requests given up on and not answered since; the run itself repeats them."""

    @property
    def rate(self) -> float | None:
        """Calls a second at the moment; None without a limit."""
        return self._rate

    def ask(self, request: Callable[[], Found], what: str = "") -> Found:
        """
        Return the result of *request*, retried if that may help; it must be idempotent.

        *what* names the request: once given up on, it gets fewer attempts until it is answered.

        Raises:
            Transient: no attempt succeeded.

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
        """Reduce the rate; calls in flight together are throttled together, and count once."""
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
