"""How long to wait before the next look. Pure arithmetic over a clock that is handed in."""

from __future__ import annotations

SHORTEST = 0.2
LONGEST = 5.0
CHANGE_SET_SECONDS = 1.0
"""AWS works no change set out faster than this; where it is quicker, the first question finds it done."""


class Pace:
    """
    Short pauses just after something happened, longer ones the longer nothing does.

    Half of the quiet time passes before the next look: what is waited for is seen after at most half as much
    time again. Every stack of a run shares the look, however many there are.
    """

    def __init__(self, fixed: float | None, now: float) -> None:
        self._fixed = fixed
        self._news = now
        self._slower = 1.0

    def news(self, now: float) -> None:
        """Something happened: look again soon."""
        self._news = now

    def strained(self) -> None:
        """The endpoint refused to answer: give it more time, up to eight times as much."""
        self._slower = min(self._slower * 2, 8.0)

    def relaxed(self) -> None:
        """The endpoint answered."""
        self._slower = 1.0

    def worth_asking(self, age: float, asked: int) -> bool:
        """Whether to ask for a change set that was made *age* seconds ago and asked for *asked* times."""
        return self._fixed is not None or asked == 0 or age >= CHANGE_SET_SECONDS

    def pause(self, now: float) -> float:
        """Return the seconds until the next look."""
        if self._fixed is not None:
            return self._fixed * self._slower
        return min(max((now - self._news) / 2, SHORTEST), LONGEST) * self._slower
