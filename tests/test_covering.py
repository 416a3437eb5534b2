"""The choice that `make test` runs has every value; nothing of a product is lost."""

from itertools import product
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import strategies as st

from tests.covering import covering, only, searched


def quick(parameters: list[ParameterSet]) -> list[tuple[Any, ...]]:
    return [tuple(one.values) for one in parameters if not one.marks]


def test_what_is_not_named_is_deep_and_nothing_is_lost() -> None:
    made = only({"b"}, "abc")

    assert [one.values for one in made] == [("a",), ("b",), ("c",)]
    assert [[mark.name for mark in one.marks] for one in made] == [["deep"], [], ["deep"]]


def test_a_name_that_is_no_value_is_refused() -> None:
    with pytest.raises(AssertionError, match="'d'"):
        only(("a", "d"), "abc")


@pytest.mark.parametrize("columns", [("abc",), ("ab", "xyzv"), ("abc", "xy", "pqrst"), ("ab", "xy")])
def test_each_value_of_each_column_is_in_the_choice_which_is_as_long_as_the_longest(
    columns: tuple[str, ...],
) -> None:
    made = covering(*columns)

    assert [one.values for one in made] == [*product(*columns)]
    assert len(quick(made)) == max(map(len, columns))
    for place, column in enumerate(columns):
        assert {row[place] for row in quick(made)} == set(column)


class Counted:
    """How often it was asked, and with what."""

    def __init__(self) -> None:
        self.numbers: list[int] = []


@pytest.fixture
def counted() -> Counted:
    return Counted()


def drawing(counted: Counted, number: int) -> None:
    counted.numbers.append(number)


def test_few_examples_are_the_same_at_each_run_and_many_are_deep() -> None:
    made: Any = searched(5, 40, st.integers())(drawing)
    (mark,) = made.pytestmark
    (few,), (many,) = (one.values for one in mark.args[1])
    assert [[each.name for each in one.marks] for one in mark.args[1]] == [[], ["deep"]]

    first, second, long = Counted(), Counted(), Counted()
    few(counted=first)
    few(counted=second)
    many(counted=long)

    assert (first.numbers, len(first.numbers)) == (second.numbers, 5)
    assert len(long.numbers) == 40


@searched(3, 30, st.integers(0, 9))
def test_what_is_not_drawn_is_a_fixture(counted: Counted, number: int) -> None:
    counted.numbers.append(number)
    assert 0 <= number <= 9
