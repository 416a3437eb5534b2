"""A run tells how long a stack takes by what the same took before, as the stack's events say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployer.options import Options
from deployer.progress import StackExpected, StackFinished, StackStarted
from generator.manifest import Manifest
from tests.command import LOGIN
from tests.deployer.fakes import manifest
from tests.deployer.run.test_deploy_on_sandbox import World, made_of
from tests.sandbox.sandbox_fakes import SLOW, thing
from tests.sandbox.sandbox_fakes import world as box


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with box() as made:
        yield World(made)


def wanted(size: str) -> Manifest:
    return manifest(made_of("database", {"Db": thing(SLOW, Name="db", Size=size), "Key": thing(Name="key")}))


def foretold(world: World) -> list[float]:
    return [event.seconds for event in world.told if isinstance(event, StackExpected)]


def test_the_second_update_is_foretold_by_the_first(world: World) -> None:
    world.deploy(wanted("1"))
    assert foretold(world) == []  # a new stack has no past

    world.deploy(wanted("2"))
    usual = next(event for event in reversed(world.told) if isinstance(event, StackStarted))
    assert usual.expected == 30.0  # what is usual for a type that nobody knows
    assert len(foretold(world)) == 1
    before = world.box.sandbox.clock.now()
    world.calls()

    world.deploy(wanted("3"), poll_interval=20.0)

    took = world.box.sandbox.clock.now() - before
    assert foretold(world)[-1] == pytest.approx(took, abs=60)
    assert foretold(world)[-1] > 600
    order = [type(event) for event in world.told if isinstance(event, (StackExpected, StackFinished))]
    assert order[-2:] == [StackExpected, StackFinished]


def test_who_sees_no_events_is_told_no_past(world: World) -> None:
    world.deploy(wanted("1"))
    world.deploy(wanted("2"), show_events=Options().show_events)
    world.told.clear()

    world.deploy(wanted("3"), show_events=False)

    assert foretold(world) == []
