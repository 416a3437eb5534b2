"""Which rows of a table `make test` runs; all of them run in `make check-deep`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import product
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def only(quick: Collection[Any], values: Iterable[Any]) -> list[ParameterSet]:
    """Return each of *values* as a parameter; what is not in *quick* is deep."""
    every = list(values)
    unknown = [one for one in quick if one not in every]
    assert not unknown, f"{unknown} are no values"
    return [parameter(one, quick=one in quick) for one in every]


def covering(*columns: Iterable[Any]) -> list[ParameterSet]:
    """
    Return the product of *columns* as parameters; beside as few as have each value of each column, deep.

    These go through the columns side by side, a shorter one again from its beginning.
    """
    tables: list[Sequence[Any]] = [tuple(one) for one in columns]
    longest = max(map(len, tables))
    quick = {tuple(number % len(table) for table in tables) for number in range(longest)}
    places = product(*(range(len(table)) for table in tables))
    return [
        parameter(*(table[place] for table, place in zip(tables, row, strict=True)), quick=row in quick)
        for row in places
    ]


def each_once(rows: Iterable[tuple[Any, ...]]) -> list[ParameterSet]:
    """Return *rows* as parameters; one all of whose values earlier rows have, each in its column, is deep."""
    met: set[tuple[int, Any]] = set()
    made = []
    for row in rows:
        values = set(enumerate(row))
        made.append(parameter(*row, quick=not values <= met))
        met |= values
    return made


def parameter(*values: Any, quick: bool) -> ParameterSet:
    """Return *values* as a parameter that is deep unless it is *quick*."""
    return pytest.param(*values, marks=() if quick else pytest.mark.deep)
