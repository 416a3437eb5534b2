"""Runs tasks, each after those it depends on, independent ones in parallel. Independent of resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Protocol


class Outcome(Enum):
    """How a task ended."""

    DONE = "done"
    FAILED = "failed"


Report = Callable[[Outcome], None]


class Task(Protocol):
    """An operation that takes time; it reports once, never within `start`."""

    def start(self, report: Report) -> None:
        """Start; call *report* at the end."""

    def cancel(self) -> None:
        """Cancel; `report` is ignored afterwards."""


class Run:
    """A set of tasks in progress."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        needs: Mapping[str, frozenset[str]],
        over: Callable[[list[str]], None],
        *,
        keep_going: bool = False,
    ) -> None:
        """*over* gets the names that failed or were cancelled; *keep_going* runs what does not need them."""
        self._waiting = dict(tasks)
        self._needs = needs
        self._over = over
        self._keep_going = keep_going
        self._running: dict[str, Task] = {}
        self._failed: list[str] = []
        self._closed = False

    def start(self) -> None:
        """Start tasks whose needs are done; end if nothing is left to do."""
        for name in [each for each in self._waiting if self._ready(each)]:
            task = self._waiting.pop(name)
            self._running[name] = task
            task.start(partial(self._reported, name))
        if not self._running and not self._closed:
            self._close()

    def cancel(self) -> list[str]:
        """Cancel everything without calling `over`; returns the names that were in progress."""
        self._closed = True
        under_way = list(self._running)
        for task in self._running.values():
            task.cancel()
        self._running.clear()
        return under_way

    def _ready(self, name: str) -> bool:
        needed = self._needs.get(name, frozenset())
        return not (
            needed & self._waiting.keys() or needed & self._running.keys() or needed & set(self._failed)
        )

    def _reported(self, name: str, outcome: Outcome) -> None:
        if self._closed or name not in self._running:
            return
        del self._running[name]
        if outcome is Outcome.FAILED:
            self._failed.append(name)
        if outcome is Outcome.DONE or self._keep_going:
            self.start()
        else:
            self._failed += self.cancel()
            self._close()

    def _close(self) -> None:
        self._closed = True
        self._over(self._failed)
