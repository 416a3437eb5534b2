"""Which rows of a table, and how many drawn examples, `make test` runs; `make check-deep` runs the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from inspect import signature
from itertools import product
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy


def only(quick: Collection[Any], values: Iterable[Any]) -> list[ParameterSet]:
    """Return each of *values* as a parameter; those not in *quick* are deep."""
    every = list(values)
    unknown = [one for one in quick if one not in every]
    assert not unknown, f"{unknown} are no values"
    return [parameter(one, quick=one in quick) for one in every]


def covering(*columns: Iterable[Any]) -> list[ParameterSet]:
    """
    Return the product of *columns* as parameters, deep except for a few that cover each column's values.

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


def parameter(*values: Any, quick: bool) -> ParameterSet:
    """Return *values* as a parameter that is deep unless *quick*."""
    return pytest.param(*values, marks=() if quick else pytest.mark.deep)


def searched(
    few: int, many: int, *strategies: SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """
    Run a test on *few* examples of *strategies*, its last parameters, the same at each run.

    The deep twin runs it on *many*, others at each run. The test's other parameters are fixtures.
    """
    quiet = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))

    def over(test: Callable[..., None]) -> Callable[..., None]:
        same = settings(quiet, max_examples=few, derandomize=True)(given(*strategies)(test))
        others = settings(quiet, max_examples=many, print_blob=True)(given(*strategies)(test))

        @pytest.mark.parametrize(
            "search", [pytest.param(same, id="few"), pytest.param(others, id="many", marks=pytest.mark.deep)]
        )
        def look(request: pytest.FixtureRequest, search: Callable[..., None]) -> None:
            search(**{name: request.getfixturevalue(name) for name in signature(search).parameters})

        looking: Callable[..., None] = look
        looking.__name__, looking.__doc__, looking.__module__ = test.__name__, test.__doc__, test.__module__
        return looking

    return over
