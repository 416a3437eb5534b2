"""The snapshot of the database before its migration: taken once, waited for, found again, pruned."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deployer.changes.preview import plan
from deployer.errors import CloudError, NotAllowed, Transient
from deployer.options import Options
from deployer.progress import Waiting
from deployer.report import plan_markdown, plan_text
from deployer.run.snapshots import (
    ATTEMPT_TAG,
    MOST_NAME,
    TARGET_TAG,
    DatabaseSnapshot,
    attempt,
    name,
    outdated,
    serving,
)
from generator.manifest import Manifest
from tests.deployer.fakes import Fault, host
from tests.deployer.run.migrations import FAILED, FIRST, gateway, migration, notices, of_service, ran
from tests.deployer.run.runs import World, outcomes


def guarded(tag: str = "v2", **more: Any) -> Manifest:
    return gateway(tag, migration=migration(tag, snapshot=FIRST, **more))


@pytest.fixture
def world() -> World:
    made = World()
    made.cloud.images = {"dev-litellm:v1", "dev-litellm:v2", "dev-litellm:v3"}
    return made


@pytest.fixture
def running(world: World) -> World:
    """With v1 deployed, and what that took forgotten."""
    assert world.deploy(guarded("v1")).exit_code == 0
    world.forget()
    return world


def taken(world: World) -> list[DatabaseSnapshot]:
    return [one for one, _ in world.cloud.taken_snapshots or ()]


def test_a_migration_that_cannot_be_undone_has_a_snapshot_before_it(running: World) -> None:
    result = running.deploy(guarded())

    assert outcomes(result)["service"] == ("update", "done")
    (one,) = taken(running)
    assert one.id.startswith("dev-litellm-db-before-")
    assert one.tags[TARGET_TAG] == "dev-litellm:v2"
    assert one.tags["Environment"] == "dev"
    task = list(running.cloud.tasks.values())[-1]
    assert task.began >= (running.cloud.taken_snapshots or [])[0][1] + running.cloud.snapshot_seconds
    assert notices(running) == [
        f"takes the snapshot {one.id} of the database before its migration",
        f"the snapshot {one.id} of the database is complete",
        "migrates the database for dev-litellm:v2 in a one-off task: the tasks that run have dev-litellm:v1",
        "the database is migrated for dev-litellm:v2",
    ]
    waits = [event.reason for event in running.said(Waiting) if event.stack == "service"]
    assert f"the snapshot of the database ({one.id})" in waits


def test_a_database_that_is_new_has_nothing_to_save(world: World) -> None:
    assert world.deploy(guarded("v1")).exit_code == 0

    assert world.cloud.count("database_snapshots", "take_snapshot") == 0


def test_a_new_service_on_a_database_that_was_there_has_one(running: World) -> None:
    service = next(one for one in running.cloud.live.values() if one.state.name == "dev-service")
    running.cloud.live.pop(service.state.id)

    assert outcomes(running.deploy(guarded("v1")))["service"] == ("create", "done")

    assert len(taken(running)) == 1


def test_no_migration_no_snapshot(running: World) -> None:
    wanted = gateway("v1", size="2", migration=migration("v1", snapshot=FIRST))

    assert outcomes(running.deploy(wanted))["service"] == ("update", "done")

    assert taken(running) == []


# resumed


@pytest.mark.parametrize("signal_after", [1.0, 30.0, 90.0, 130.0])
def test_a_run_that_goes_on_after_an_interruption_takes_no_second_one(
    running: World, signal_after: float
) -> None:
    running.cloud.task_seconds = 60.0
    running.signals = [running.clock.now + 10 + signal_after]
    running.deploy(guarded())
    running.signals = []

    assert outcomes(running.deploy(guarded()))["service"][1] == "done"

    assert len(taken(running)) == 1
    assert ran(running)[-1] == "dev-litellm:v2"


def test_a_request_whose_answer_was_lost_is_not_made_twice(running: World) -> None:
    running.cloud.loses["take_snapshot"] = [Transient("no connection")]

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    assert len(taken(running)) == 1


def test_after_a_failed_migration_the_snapshot_of_an_hour_ago_is_not_the_last_word(running: World) -> None:
    running.cloud.task_ends = [FAILED]
    running.deploy(guarded())
    running.clock.sleep(4000)

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    first, second = taken(running)
    assert first.tags == second.tags
    assert running.cloud.count("delete_snapshot") == 0  # the first alone has the old schema


def test_an_update_that_was_rolled_back_gets_another_one(running: World) -> None:
    running.cloud.faults["dev-service"] = Fault("Task", "did not start")
    running.deploy(guarded())

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    first, second = taken(running)
    assert first.tags[TARGET_TAG] == second.tags[TARGET_TAG]
    assert first.tags[ATTEMPT_TAG] != second.tags[ATTEMPT_TAG]


# trouble


def test_a_database_that_is_being_backed_up_is_waited_for(running: World) -> None:
    running.cloud.database_busy_until = running.clock.now + 300

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    assert running.cloud.count("take_snapshot") > 1
    assert len(taken(running)) == 1


def test_a_snapshot_that_fails_leaves_database_and_service_as_they_were(running: World) -> None:
    running.cloud.snapshot_end = "failed"

    result = running.deploy(guarded())

    assert outcomes(result)["service"] == ("update", "failed")
    assert "is failed); this stack was not changed and the database not migrated" in of_service(result).reason
    assert ran(running) == ["dev-litellm:v1"]
    running.cloud.snapshot_end = "available"
    running.cloud.taken_snapshots = []
    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")


def test_a_missing_permission_stops_before_the_migration(running: World) -> None:
    running.cloud.raises["take_snapshot"] = [NotAllowed("grant the permission rds:CreateDBSnapshot")]

    result = running.deploy(guarded())

    assert of_service(result).reason.startswith("grant the permission rds:CreateDBSnapshot")
    assert ran(running) == ["dev-litellm:v1"]


def test_a_snapshot_without_an_end_does_not_hold_the_run_for_ever(running: World) -> None:
    running.cloud.snapshot_seconds = float("inf")

    result = running.deploy(guarded())

    assert result.exit_code == 5
    assert "not finished after 60 minutes: the snapshot of the database" in of_service(result).reason
    assert ran(running) == ["dev-litellm:v1"]


def test_without_rds_the_migration_runs_and_that_is_said(running: World) -> None:
    running.cloud.taken_snapshots = None

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    assert "no snapshot is taken before the migration: this endpoint has no RDS" in notices(running)


# which ones stay


def test_old_ones_of_other_images_go_and_those_of_people_stay(running: World) -> None:
    mine = [
        (
            DatabaseSnapshot(f"old-{number}", "available", tags={TARGET_TAG: f"dev-litellm:v0.{number}"}),
            number,
        )
        for number in range(4)
    ]
    hand = (DatabaseSnapshot("by-hand", "available"), 0)
    running.clock.sleep(1000)
    running.cloud.taken_snapshots = [(one, float(at)) for one, at in [*mine, hand]]

    running.deploy(guarded())

    ids = [one.id for one in taken(running)]
    assert ids[:3] == ["old-2", "old-3", "by-hand"]
    assert len(ids) == 4
    assert running.cloud.acts("delete_snapshot") == ["old-1", "old-0"]


def test_what_cannot_be_deleted_is_said_and_stops_nothing(running: World) -> None:
    old = [DatabaseSnapshot(f"old-{n}", "available", tags={TARGET_TAG: "dev-litellm:v0"}) for n in range(3)]
    running.cloud.taken_snapshots = [(one, 0.0) for one in old]
    running.cloud.raises["delete_snapshot"] = [CloudError("no")]

    assert outcomes(running.deploy(guarded()))["service"] == ("update", "done")

    assert any("could not be deleted: no" in text for text in notices(running))


@pytest.mark.parametrize("database", ["dev-litellm-db", "a" * 63, f"{'a' * 46}-{'b' * 16}"])
def test_a_name_fits_and_is_nobody_elses(database: str) -> None:
    one = attempt(replace(FIRST, database=database), "dev-litellm:v2", ("id", "1"))

    first = name(one, ())

    assert len(first) <= MOST_NAME
    assert "--" not in first
    assert name(one, ()) == first
    assert name(one, [DatabaseSnapshot(first, "available")]) != first


def test_only_a_snapshot_of_the_same_attempt_serves() -> None:
    one = attempt(FIRST, "dev-litellm:v2", ("id", "1"))
    other = attempt(FIRST, "dev-litellm:v2", ("id", "2"))
    fresh = DatabaseSnapshot("fresh", "available", 60, one.tags)

    assert serving(one, [fresh]) == fresh
    assert serving(other, [fresh]) is None
    assert serving(one, [replace(fresh, age_seconds=3600.0)]) is None
    assert serving(one, [replace(fresh, age_seconds=7200.0, status="creating")]) is not None
    assert serving(one, [replace(fresh, status="failed")]) is None
    assert outdated(one, [fresh] * 9) == ()


# plans


def test_a_plan_says_what_the_old_tasks_meet_and_for_how_long(running: World) -> None:
    found = plan(guarded(old_tasks_minutes=16), running.cloud, Options(), host(running.clock))

    line = (
        "service: after a snapshot of the database, the database is migrated for dev-litellm:v2 in a one-off "
        "task first (the tasks that run have dev-litellm:v1); from then on the old tasks use the new schema, "
        "for about 16 minutes"
    )
    assert found.notices == (line,)
    assert f"note: {line}" in plan_text(found)
    assert f"> {line}" in plan_markdown(found)
    assert taken(running) == []


def test_a_plan_of_a_new_environment_promises_no_snapshot(world: World) -> None:
    found = plan(guarded("v1"), world.cloud, Options(), host(world.clock))

    assert found.notices == (
        "service: the database is migrated for dev-litellm:v1 in a one-off task first (no task has run yet)",
    )
    assert json.dumps(found.notices)
