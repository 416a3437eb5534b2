"""How long a run waits before its next look: half of the quiet time, within bounds, longer under strain."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.run.polling_interval import (
    CHANGE_SET_SECONDS,
    LEAST,
    LONGEST,
    PART_OF_AGE,
    SHORTEST,
    PollingInterval,
)

SECONDS = st.floats(0, 1e6)


@given(SECONDS, SECONDS)
def test_what_is_waited_for_is_seen_after_half_as_much_time_again_or_five_seconds_late(
    quiet: float, begun: float
) -> None:
    pause = PollingInterval(None, begun).pause(begun + quiet)

    assert SHORTEST <= pause <= LONGEST
    assert pause <= max(quiet / 2, SHORTEST) + 1e-6
    assert pause == LONGEST or pause >= (quiet - 1e-6) / 2


def test_news_make_the_looks_frequent_again() -> None:
    interval = PollingInterval(None, 0.0)
    assert interval.pause(60.0) == LONGEST

    interval.news(60.0)

    assert [interval.pause(now) for now in (60.0, 61.0, 64.0)] == [SHORTEST, 0.5, 2.0]


@pytest.mark.parametrize(
    ("took", "shortest"), [(0.001, LEAST), (0.02, 0.08), (0.5, SHORTEST), (0.0, SHORTEST)]
)
def test_an_endpoint_that_answers_quickly_is_asked_again_sooner(took: float, shortest: float) -> None:
    interval = PollingInterval(None, 0.0)

    interval.took(took)

    assert interval.pause(0.0) == shortest


@pytest.mark.parametrize("fixed", [None, 2.0])
def test_an_endpoint_that_refuses_is_given_up_to_eight_times_as_long(fixed: float | None) -> None:
    interval = PollingInterval(fixed, 0.0)
    usual = interval.pause(4.0)

    pauses = []
    for _ in range(5):
        interval.strained()
        pauses.append(interval.pause(4.0) / usual)
    interval.relaxed()

    assert pauses == [2, 4, 8, 8, 8]
    assert interval.pause(4.0) == usual


@given(SECONDS)
def test_an_interval_that_is_given_holds_however_quiet_it_is(quiet: float) -> None:
    assert PollingInterval(7.0, 0.0).pause(quiet) == 7.0


def test_a_change_set_is_asked_for_at_once_then_not_before_it_can_be_there_then_ever_more_rarely() -> None:
    interval = PollingInterval(None, 0.0)
    now, asked = 0.0, [0.0]
    while now < 600.0:
        now += 0.1
        if interval.worth_asking(now, now - asked[-1]):
            asked.append(now)

    assert interval.worth_asking(0.0, 0.0, asked=0)
    assert asked[1] >= CHANGE_SET_SECONDS
    assert all(later - before >= later * PART_OF_AGE for before, later in pairwise(asked[1:]))
    assert len(asked) < 40, "ten minutes of a change set take a few questions"


@pytest.mark.parametrize(("fixed", "least"), [(None, SHORTEST), (10.0, 5.0)])
def test_a_task_is_followed_once_between_two_looks_and_more_rarely_with_its_age(
    fixed: float | None, least: float
) -> None:
    interval = PollingInterval(fixed, 0.0)

    assert interval.worth_following(0.0, 0.0, asked=0)
    assert not interval.worth_following(least, 0.0, asked=1)
    assert not interval.worth_following(least, least * 0.9, asked=1)
    assert interval.worth_following(least, least, asked=1)
    assert not interval.worth_following(100.0, 19.0, asked=9)
    assert interval.worth_following(100.0, 20.0, asked=9)
