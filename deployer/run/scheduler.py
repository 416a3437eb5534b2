"""The order in which a run processes its stacks between two polls. Pure bookkeeping: decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from deployer.graph import Graph
from deployer.run.work import Work

STEPS_AT_MOST = 12
"""Actions on one stack between two polls."""


class Scheduler:
    """Picks the next stack: first those that the longest path depends on, each until it has to wait."""

    def __init__(self, works: Mapping[str, Work], graph: Graph) -> None:
        ways = _ways(graph)
        self.order = tuple(sorted(works.values(), key=lambda work: -ways[work.name]))
        """The most urgent first."""
        self._next: list[Work] = []
        """The last entry is the next."""
        self._waiting: list[Work] = []
        self._steps: Counter[str] = Counter()
        self.cut_short = False
        """Whether the last pass ended before every stack was processed."""

    def begin(self) -> None:
        """Queue every open stack."""
        self._next = [work for work in reversed(self.order) if work.open]
        self._waiting = []
        self._steps.clear()
        self.cut_short = False

    def take(self) -> Work | None:
        """Return the next stack; None when none is left."""
        while self._next:
            work = self._next.pop()
            if work.open:
                return work
        return None

    def again(self, works: Sequence[Work]) -> None:
        """Queue *works* again after an action: they continue at once, in the same order."""
        for work in reversed(works):
            self._steps[work.name] += 1
            if self._steps[work.name] < STEPS_AT_MOST:
                self._next.append(work)

    def waits(self, work: Work) -> None:
        """Set *work* aside: nothing can be done for it now."""
        self._waiting.append(work)

    def changed(self) -> None:
        """Queue the waiting stacks again: they may have waited for one that has ended."""
        self._next = [*reversed(self._waiting), *self._next]
        self._waiting = []

    def cut(self) -> None:
        """End the pass here."""
        self.cut_short = bool(self._next)


def _ways(graph: Graph) -> dict[str, int]:
    """Return for every stack the length of the longest chain from it on."""
    ways = dict.fromkeys(graph.names, 1)
    for name in reversed(graph.names):
        for need in graph.needs[name]:
            ways[need] = max(ways.get(need, 1), ways[name] + 1)
    return ways
