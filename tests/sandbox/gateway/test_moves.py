"""What ECS does next for tasks that roll."""

from __future__ import annotations

import pytest

from sandbox.gateway.tasks.moves import Bounds, Condition, Moves, breaks, moves

TWO = Bounds(2)


@pytest.mark.parametrize(
    ("bounds", "new", "old", "next_"),
    [
        pytest.param(TWO, "", "", Moves(2), id="a first deployment starts all"),
        pytest.param(TWO, "", "hh", Moves(2), id="twice as many may run"),
        pytest.param(TWO, "ss", "hh", Moves(0), id="old ones stay until new ones are well"),
        pytest.param(TWO, "hs", "hh", Moves(0, (), (0,)), id="each takes the place of one"),
        pytest.param(TWO, "hh", "hs", Moves(0, (), (1, 0)), id="all are there: none stays"),
        pytest.param(Bounds(2, 50, 100), "", "hh", Moves(0, (), (0,)), id="no room: one goes first"),
        pytest.param(Bounds(2, 50, 100), "", "h", Moves(1), id="then one starts"),
        pytest.param(Bounds(1), "hs", "", Moves(0, (1,)), id="fewer: the one that is not well goes"),
        pytest.param(Bounds(0), "h", "", Moves(0, (0,)), id="none"),
        pytest.param(Bounds(0), "u", "u", Moves(0, (0,), (0,)), id="none, the unhealthy ones too"),
        pytest.param(Bounds(1, 100, 200), "", "s", Moves(1, (), (0,)), id="what never got ready is not kept"),
        pytest.param(Bounds(1), "u", "", Moves(1), id="a replacement starts before an unhealthy one stops"),
        pytest.param(Bounds(1), "us", "", Moves(0), id="which stays until the replacement is well"),
        pytest.param(Bounds(1), "uh", "", Moves(0, (0,)), id="and stops then"),
        pytest.param(Bounds(1), "hs", "", Moves(0, (1,)), id="it has got well: the replacement stops"),
        pytest.param(TWO, "uhsh", "", Moves(0, (2, 0)), id="one more than wanted, and one replaced"),
        pytest.param(Bounds(1), "uu", "", Moves(0, (0,)), id="no room: one unhealthy one stops first"),
        pytest.param(Bounds(1), "u", "h", Moves(0, (0,)), id="no room beside the old one"),
        pytest.param(Bounds(1), "", "u", Moves(1), id="an unhealthy old one stays"),
        pytest.param(Bounds(1), "s", "u", Moves(0), id="until a new one is well"),
        pytest.param(Bounds(1), "h", "u", Moves(0, (), (0,)), id="and stops then, too"),
        pytest.param(Bounds(1, 0, 100), "", "u", Moves(0, (), (0,)), id="or where there is no room"),
    ],
)
def test_moves(bounds: Bounds, new: str, old: str, next_: Moves) -> None:
    assert moves(bounds, _conditions(new), _conditions(old)) == next_


def _conditions(letters: str) -> list[Condition]:
    named: dict[str, Condition] = {"h": "healthy", "s": "starting", "u": "unhealthy"}
    return [named[each] for each in letters]


@pytest.mark.parametrize(("wanted", "threshold"), [(1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_the_breaker_opens_at_half_the_tasks_within_its_bounds(wanted: int, threshold: int) -> None:
    assert [breaks(threshold - 1, wanted), breaks(threshold, wanted)] == [False, True]
