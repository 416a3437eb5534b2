"""
Counts repeated attempts without progress, and ends them. The only place that does.

Progress is a change of the stack, not a successful request. Pure: callers report what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

REFUSALS_AT_MOST = 5
"""Refused requests for a stack that shows no progress between them …"""
FIRST_REST = 2.0
"""… with so many seconds after the first, and twice as many after each further one: together longer than the
observed delay of reads from AWS, 20 seconds."""
LONGEST_REST = 60.0
STRAINED_SECONDS = 600.0
"""How long the same request may be throttled, or stay unanswered."""
REQUESTS_AT_MOST = 40
"""For one stack in one run, whatever was answered: a successful run needs ten."""
UNSEEN_SECONDS, UNSEEN_LOOKS = 120.0, 30
"""How long, and in how many polls, a stack may show no trace of a request that AWS has accepted."""

Mark = tuple[str, ...]


@dataclass(frozen=True)
class Attempts:
    """The attempts for one stack of a run."""

    requests: int = 0
    refusals: int = 0
    """In a row, without progress."""
    mark: Mark = ()
    """The observed state of the stack at the last of them."""
    rests_until: float = float("-inf")
    strains: int = 0
    """In a row, without an answer."""
    strained_since: float | None = None

    def made(self) -> Attempts:
        """Count one more request."""
        return replace(self, requests=self.requests + 1)

    def answered(self) -> Attempts:
        """Note that it was accepted: AWS does not throttle any more."""
        return replace(self, strains=0, strained_since=None)

    def refused(self, mark: Mark, now: float) -> Attempts:
        """Note that it was refused because the observed state is outdated; *mark* identifies that state."""
        refusals = self.refusals + 1 if mark == self.mark else 1
        return replace(self, refusals=refusals, mark=mark, rests_until=now + _rest(refusals))

    def strained(self, now: float) -> Attempts:
        """Note that it was not answered, or throttled."""
        since = now if self.strained_since is None else self.strained_since
        strains = self.strains + 1
        return replace(self, strains=strains, strained_since=since, rests_until=now + _rest(strains))

    def rests(self, now: float) -> bool:
        """Whether it is too early to retry."""
        return now < self.rests_until

    @property
    def spent(self) -> bool:
        """Whether these are more requests than any successful run makes."""
        return self.requests >= REQUESTS_AT_MOST

    def over(self, now: float) -> bool:
        """Whether another attempt, after one without effect, is useless."""
        too_long = self.strained_since is not None and now - self.strained_since > STRAINED_SECONDS
        return too_long or self.refusals >= REFUSALS_AT_MOST or self.spent


def _rest(times: int) -> float:
    """Return the seconds before the same request is retried after so many *times* without effect."""
    return min(FIRST_REST * 2.0 ** (times - 1), LONGEST_REST)
