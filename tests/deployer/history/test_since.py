"""Events since a moment: which moment, which events, and that older ones are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from deployer.day2.follow import follow
from deployer.history.since import moment
from deployer.states import StackEvent
from tests.command import LOGIN
from tests.deployer.run.test_deploy_on_sandbox import World
from tests.sandbox.sandbox_fakes import of, thing
from tests.sandbox.sandbox_fakes import world as box

NOW = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        (" 2h ", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
        ("9999999w", timedelta(days=90)),
        ("2026-11-28T19:59:00Z", timedelta(minutes=1)),
        ("2026-11-28T20:59:00+01:00", timedelta(minutes=1)),
        ("2026-11-28T19:59", timedelta(minutes=1)),
        ("2026-11-28", timedelta(hours=20)),
    ],
)
def test_a_moment_is_so_long_ago_or_a_timestamp(text: str, ago: timedelta) -> None:
    assert moment(text, NOW) == NOW - ago
    assert moment(text, NOW.astimezone(timezone(timedelta(hours=5)))) == NOW - ago


@pytest.mark.parametrize(
    "text", ["", "yesterday", "30", "m", "-5m", "1.5h", "5M", "1h30m", "2026-13-01", "٣m"]
)
def test_anything_else_is_refused_with_what_is_understood(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"neither a time before now \(30s, 30m, 2h, 3d, 1w\) nor an ISO 8601"
    ):
        moment(text, NOW)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stack that was created, and two days later changed."""
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with box() as made:
        made.deploy("dev-big", of({f"R{number}": thing() for number in range(60)}))
        made.sandbox.advance(2 * 86400)
        changed = {f"R{number}": thing(Size="2") if number == 7 else thing() for number in range(60)}
        made.deploy("dev-big", of(changed), kind="UPDATE")
        yield World(made)


def two_hours_ago(world: World) -> datetime:
    return datetime.fromtimestamp(world.box.sandbox.clock.now(), UTC) - timedelta(hours=2)


def test_what_is_older_is_neither_told_nor_read(world: World) -> None:
    world.calls()
    whole = world.aws.events("dev-big")
    assert world.calls()["DescribeStackEvents"] == 2

    found = world.aws.events("dev-big", since=two_hours_ago(world))

    assert found == whole[-len(found) :]
    assert next(one.status for one in found if one.is_stack) == "UPDATE_IN_PROGRESS"
    assert {one.logical_id for one in found if not one.is_stack} == {"R7"}
    assert world.calls()["DescribeStackEvents"] == 1
    assert world.aws.events("dev-big", since=whole[0].time) == whole
    assert world.aws.events("dev-big", found[0].id, two_hours_ago(world)) == found[1:]


@pytest.mark.parametrize("hours", [2, -1])
def test_following_begins_with_what_was_since_then(world: World, hours: int) -> None:
    clock = world.box.sandbox.clock
    since = datetime.fromtimestamp(clock.now(), UTC) - timedelta(hours=hours)
    rows: list[tuple[str, StackEvent]] = []

    def show(found: Sequence[tuple[str, StackEvent]]) -> None:
        rows.extend(found)

    world.signals = [30.0]
    follow({"big": "dev-big"}, world.aws, world.host(), show, poll_interval=5.0, since=since)

    assert [event.id for _, event in rows] == [event.id for event in world.aws.events("dev-big", since=since)]
    assert bool(rows) is (hours > 0)
