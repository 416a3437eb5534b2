"""The arithmetic behind the chart of a run: for any bars, and any needs between them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.pages.timeline import TICKS, Bar, axis, clock, longest_path, words

NAMES = st.sampled_from("abcdefgh")
MOMENTS = st.integers(0, 10_000).map(lambda tenths: tenths / 10)
BARS = st.dictionaries(
    NAMES, st.tuples(MOMENTS, MOMENTS).map(lambda two: Bar(min(two), max(two))), min_size=1
)
NEEDS = st.dictionaries(NAMES, st.frozensets(NAMES))


@given(BARS, NEEDS)
def test_a_path_is_no_shorter_than_any_bar_and_no_longer_than_the_whole(
    bars: Mapping[str, Bar], needs: Mapping[str, frozenset[str]]
) -> None:
    path = longest_path(bars, needs)

    whole = max(bar.end for bar in bars.values()) - min(bar.start for bar in bars.values())
    assert max(bar.seconds for bar in bars.values()) - 1e-6 <= path.seconds <= whole + 1e-6


@given(BARS, NEEDS)
def test_each_bar_on_a_path_needs_the_one_before_it_which_began_no_later(
    bars: Mapping[str, Bar], needs: Mapping[str, frozenset[str]]
) -> None:
    path = longest_path(bars, needs)

    for before, after in zip(path.names, path.names[1:], strict=False):
        assert before in needs[after]
        assert bars[before].start <= bars[after].start
    assert len(set(path.names)) == len(path.names)


def test_the_longest_path_is_the_one_that_took_the_longest_not_the_one_with_the_most_bars() -> None:
    bars = {"network": Bar(0, 60), "alb": Bar(60, 80), "database": Bar(61, 661), "service": Bar(662, 700)}
    needs = {"alb": {"network"}, "database": {"network"}, "service": {"alb", "database"}}

    path = longest_path(bars, needs)

    assert path.names == ("network", "database", "service")
    assert path.seconds == 60 + 600 + 38


def test_time_in_which_two_bars_of_a_path_overlap_counts_once() -> None:
    path = longest_path({"a": Bar(0, 10), "b": Bar(4, 20)}, {"b": {"a"}})

    assert (path.names, path.seconds) == (("a", "b"), 20)


def test_what_began_later_was_not_waited_for() -> None:
    assert longest_path({"a": Bar(5, 9), "b": Bar(0, 8)}, {"b": {"a"}}).names == ("b",)


def test_without_bars_there_is_no_path() -> None:
    assert longest_path({}, {"a": {"b"}}).names == ()


@given(st.floats(0, 10_000_000))
def test_an_axis_has_few_ticks_all_on_it_from_the_beginning(seconds: float) -> None:
    scale = axis(seconds)

    assert 1 <= len(scale.ticks) <= TICKS
    assert scale.ticks[0] == 0
    assert scale.ticks[-1] <= scale.end


@given(st.floats(0, 100_000), st.floats(-10, 200_000))
def test_nothing_is_drawn_beside_the_axis(whole: float, moment: float) -> None:
    assert 0 <= axis(whole).percent(moment) <= 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.9, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
    ],
)
def test_durations_are_told_as_people_do(seconds: float, text: str) -> None:
    assert words(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.9, "1:05"), (3725, "1:02:05")])
def test_moments_are_told_as_by_a_stop_watch(seconds: float, text: str) -> None:
    assert clock(seconds) == text
