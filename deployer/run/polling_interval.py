"""How long to wait before the next poll. Pure; the clock is an argument."""

from __future__ import annotations

SHORTEST = 0.2
LONGEST = 5.0
LEAST = 0.02
"""An endpoint on this machine may be asked again this soon …"""
PART_OF_TIME = 4
"""… and any other after so many times what an answer takes: AWS's take a tenth of a second, or more."""
CHANGE_SET_SECONDS = 1.0
"""AWS works no change set out faster than this; where it is quicker, the first question finds it done."""
PART_OF_AGE = 0.2
"""Of a change set's age, that passes between two questions for it."""


class PollingInterval:
    """
    Short pauses just after something happened, longer ones the longer nothing does.

    Half of the quiet time passes before the next look: what is waited for is seen after at most half as much
    time again. Every stack of a run shares the look, however many there are.
    """

    def __init__(self, fixed: float | None, now: float) -> None:
        self._fixed = fixed
        self._news = now
        self._slower = 1.0
        self._shortest = SHORTEST

    def took(self, seconds: float) -> None:
        """Something was answered after so long: where that is quick, to wait costs more than to ask."""
        if seconds > 0:  # else the clock stands still
            self._shortest = min(max(seconds * PART_OF_TIME, LEAST), self._shortest)

    def news(self, now: float) -> None:
        """Something happened: look again soon."""
        self._news = now

    def strained(self) -> None:
        """The endpoint refused to answer: give it more time, up to eight times as much."""
        self._slower = min(self._slower * 2, 8.0)

    def relaxed(self) -> None:
        """The endpoint answered."""
        self._slower = 1.0

    def worth_asking(self, age: float, since: float, asked: int = 1) -> bool:
        """
        Whether to ask for a change set that was made, or executed, *age* seconds ago.

        It was asked for *asked* times, and *since* seconds ago. The questions become rarer with its age: what
        takes long is seen a little later, and hundreds of them cost no more than a few.
        """
        young = self._fixed is None and age < CHANGE_SET_SECONDS
        return asked == 0 or (not young and since >= age * PART_OF_AGE)

    def worth_following(self, age: float, since: float, asked: int) -> bool:
        """The same for a task that began *age* seconds ago: once between two looks at most."""
        least = self._shortest if self._fixed is None else self._fixed / 2
        return asked == 0 or (since > 0 and since >= max(age * PART_OF_AGE, least))

    def pause(self, now: float) -> float:
        """Return the seconds until the next look."""
        if self._fixed is not None:
            return self._fixed * self._slower
        return min(max((now - self._news) / 2, self._shortest), LONGEST) * self._slower
