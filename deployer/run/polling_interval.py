"""How long to wait before the next poll. Pure; the clock is an argument."""

from __future__ import annotations

SHORTEST = 0.2
LONGEST = 5.0
LEAST = 0.02
"""Least pause for an endpoint on this machine …"""
PART_OF_TIME = 4
"""… and for any other, in times of its response time: AWS's is a tenth of a second, or more."""
CHANGE_SET_SECONDS = 1.0
"""AWS takes at least this long for a change set; a faster endpoint has it at the first poll."""
PART_OF_AGE = 0.2
"""Part of a change set's age that passes between two polls of it."""


class PollingInterval:
    """
    Short pauses just after something happened, longer ones the longer nothing does.

    The pause is half of the time without news, so that an event is seen with at most half its age in delay.
    All stacks of a run share one poll.
    """

    def __init__(self, fixed: float | None, now: float) -> None:
        self._fixed = fixed
        self._news = now
        self._slower = 1.0
        self._shortest = SHORTEST

    def took(self, seconds: float) -> None:
        """Note a response time: if it is short, waiting costs more than asking."""
        if seconds > 0:  # else the clock stands still
            self._shortest = min(max(seconds * PART_OF_TIME, LEAST), self._shortest)

    def news(self, now: float) -> None:
        """Note that something happened: poll again soon."""
        self._news = now

    def strained(self) -> None:
        """Note that the endpoint refused to answer: wait longer, up to eight times as long."""
        self._slower = min(self._slower * 2, 8.0)

    def relaxed(self) -> None:
        """Note that the endpoint answered."""
        self._slower = 1.0

    def worth_asking(self, age: float, since: float, asked: int = 1) -> bool:
        """
        Whether to read a change set that was created, or executed, *age* seconds ago.

        It was read *asked* times, last *since* seconds ago. Reads become rarer with its age: slow ones are
        seen a little later, and hundreds cost no more than a few.
        """
        young = self._fixed is None and age < CHANGE_SET_SECONDS
        return asked == 0 or (not young and since >= age * PART_OF_AGE)

    def worth_following(self, age: float, since: float, asked: int) -> bool:
        """The same for a task that began *age* seconds ago: once between two polls at most."""
        least = self._shortest if self._fixed is None else self._fixed / 2
        return asked == 0 or (since > 0 and since >= max(age * PART_OF_AGE, least))

    def pause(self, now: float) -> float:
        """Return the seconds until the next poll."""
        if self._fixed is not None:
            return self._fixed * self._slower
        return min(max((now - self._news) / 2, self._shortest), LONGEST) * self._slower
