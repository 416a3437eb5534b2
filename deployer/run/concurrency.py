"""Does the same thing for several stacks in parallel, for calls that wait for AWS. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


class Workers:
    """A few threads, while a `with` block lasts; none at all where one is enough."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._pool = ThreadPoolExecutor(width) if width > 1 else None

    def each(self, do: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
        """Return what *do* returns for every item, in their order; what it raises is raised here."""
        these = list(items)
        if self._pool is None or len(these) < 2:
            return [do(item) for item in these]
        return list(self._pool.map(do, these))

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)
