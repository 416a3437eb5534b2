"""What ECS does next for tasks that roll."""

from __future__ import annotations

import pytest

from sandbox.gateway.tasks.moves import Bounds, Moves, breaks, moves

TWO = Bounds(2)


@pytest.mark.parametrize(
    ("bounds", "new", "old", "next_"),
    [
        pytest.param(TWO, [], [], Moves(2), id="a first deployment starts all"),
        pytest.param(TWO, [], [True, True], Moves(2), id="twice as many may run"),
        pytest.param(TWO, [False, False], [True, True], Moves(0), id="old ones stay until new ones are well"),
        pytest.param(TWO, [True, False], [True, True], Moves(0, (), (0,)), id="each takes the place of one"),
        pytest.param(TWO, [True, True], [True, False], Moves(0, (), (1, 0)), id="all are there: none stays"),
        pytest.param(Bounds(2, 50, 100), [], [True, True], Moves(0, (), (0,)), id="no room: one goes first"),
        pytest.param(Bounds(2, 50, 100), [], [True], Moves(1), id="then one starts"),
        pytest.param(Bounds(1), [True, False], [], Moves(0, (1,)), id="fewer: the one that is not well goes"),
        pytest.param(Bounds(0), [True], [], Moves(0, (0,)), id="none"),
        pytest.param(Bounds(1, 100, 200), [], [False], Moves(1, (), (0,)), id="what is not well is not kept"),
    ],
)
def test_moves(bounds: Bounds, new: list[bool], old: list[bool], next_: Moves) -> None:
    assert moves(bounds, new, old) == next_


@pytest.mark.parametrize(("wanted", "threshold"), [(1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_the_breaker_opens_at_half_the_tasks_within_its_bounds(wanted: int, threshold: int) -> None:
    assert [breaks(threshold - 1, wanted), breaks(threshold, wanted)] == [False, True]
