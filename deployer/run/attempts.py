"""
Counts repeated attempts without progress, and ends them. The only place that does.

Progress is a change of the stack, not a successful request. Pure: callers report what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

REFUSALS_AT_MOST = 5
"""Of requests for a stack that shows no progress between them …"""
FIRST_REST = 2.0
"""… with so many seconds after the first, and twice as many after each further one: together they take longer
than what is read from AWS was seen to be behind, 20 seconds."""
LONGEST_REST = 60.0
STRAINED_SECONDS = 600.0
"""How long the same request may find AWS too busy, or nobody at all."""
REQUESTS_AT_MOST = 40
"""For one stack in one run, whatever was answered: a run that ends well needs ten."""
UNSEEN_SECONDS, UNSEEN_LOOKS = 120.0, 30
"""How long, and in how many looks, a stack may show no trace of an order that AWS has taken."""

Mark = tuple[str, ...]


@dataclass(frozen=True)
class Attempts:
    """The attempts for one stack of a run."""

    requests: int = 0
    refusals: int = 0
    """In a row, without progress."""
    mark: Mark = ()
    """How the stack was seen at the last of them."""
    rests_until: float = float("-inf")
    strains: int = 0
    """In a row, without an answer."""
    strained_since: float | None = None

    def made(self) -> Attempts:
        """One more request is made."""
        return replace(self, requests=self.requests + 1)

    def answered(self) -> Attempts:
        """It was taken: AWS is not too busy any more."""
        return replace(self, strains=0, strained_since=None)

    def refused(self, mark: Mark, now: float) -> Attempts:
        """It was refused because the observed state is outdated; *mark* identifies that state."""
        refusals = self.refusals + 1 if mark == self.mark else 1
        return replace(self, refusals=refusals, mark=mark, rests_until=now + _rest(refusals))

    def strained(self, now: float) -> Attempts:
        """It was not answered, or AWS was too busy."""
        since = now if self.strained_since is None else self.strained_since
        strains = self.strains + 1
        return replace(self, strains=strains, strained_since=since, rests_until=now + _rest(strains))

    def rests(self, now: float) -> bool:
        """Whether it is too early to ask again."""
        return now < self.rests_until

    @property
    def spent(self) -> bool:
        """Whether no run that ends well makes so many requests."""
        return self.requests >= REQUESTS_AT_MOST

    def over(self, now: float) -> bool:
        """Whether another attempt, after one without effect, is useless."""
        too_long = self.strained_since is not None and now - self.strained_since > STRAINED_SECONDS
        return too_long or self.refusals >= REFUSALS_AT_MOST or self.spent


def _rest(times: int) -> float:
    """Return the seconds before the same request is made again after it was made in vain so many *times*."""
    return min(FIRST_REST * 2.0 ** (times - 1), LONGEST_REST)
