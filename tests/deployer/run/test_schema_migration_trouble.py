"""The migration of the database when something goes wrong: failures, faults, signals, others at work."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from deployer.deploy import deploy
from deployer.errors import LostSight, NotAllowed, Transient
from deployer.options import Options
from deployer.progress import Notice, Result, Stopping, Waiting
from deployer.tasks import NO_CAPACITY, TaskRequest, TaskState
from tests.deployer.fakes import DEFINITION, FakeCloud, host
from tests.deployer.run.migrations import (
    FAILED,
    gateway,
    is_gone,
    migration,
    notices,
    of_service,
    prepared,
    ran,
)
from tests.deployer.run.runs import World, outcomes


@pytest.fixture
def world() -> World:
    made = World()
    made.cloud.images = {"dev-litellm:v1", "dev-litellm:v2"}
    return made


@pytest.fixture
def running(world: World) -> World:
    """With v1 deployed, and what that took forgotten."""
    assert world.deploy(gateway()).exit_code == 0
    world.forget()
    return world


# the task fails


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (FAILED, "ended with exit code 1 (Essential container in task exited)"),
        (TaskState("", reason="TaskFailedToStart: out of addresses"), "ended with no exit code (TaskFailed"),
        (TaskState(""), "ended with no exit code; this stack was not changed"),
    ],
)
def test_a_migration_that_fails_leaves_the_service_as_it_was(
    running: World, end: TaskState, words: str
) -> None:
    running.cloud.task_ends = [end]
    before = running.cloud.stacks(["dev-service"])[0]

    result = running.deploy(gateway("v2"))

    assert (of_service(result).outcome, result.exit_code) == ("failed", 1)
    assert words in of_service(result).reason
    assert "aws logs tail /ecs/dev-migration --region eu-west-1" in of_service(result).reason
    assert of_service(result).cause is None
    assert running.cloud.stacks(["dev-service"])[0] == before
    assert prepared(running) == []


def test_after_a_failure_the_same_command_runs_a_new_task(running: World) -> None:
    running.cloud.task_ends = [FAILED]
    running.deploy(gateway("v2"))

    assert outcomes(running.deploy(gateway("v2")))["service"] == ("update", "done")

    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2", "dev-litellm:v2"]


def test_a_failure_before_the_first_tasks_leaves_no_stack(world: World) -> None:
    world.cloud.task_ends = [FAILED]

    result = world.deploy(gateway())

    assert outcomes(result)["service"] == ("create", "failed")
    assert is_gone(world)
    assert outcomes(world.deploy(gateway()))["service"] == ("create", "done")


def test_a_task_that_ecs_has_forgotten_is_a_failure(world: World) -> None:
    class Forgetful(FakeCloud):
        def task(self, request: TaskRequest, task_id: str) -> TaskState | None:
            self._call("task", task_id)
            return None

    world.cloud = Forgetful(world.clock)
    world.cloud.images = {"dev-litellm:v1"}

    result = world.deploy(gateway())

    assert "ECS no longer knows the task" in of_service(result).reason
    assert world.cloud.count("task") > 1  # a look may be behind
    assert world.clock.now > 20


# where it cannot be run


def test_a_definition_of_another_image_stops_the_service_alone(running: World) -> None:
    result = running.deploy(gateway("v2"), only=frozenset({"service"}))

    assert outcomes(result) == {"service": ("update", "failed")}
    assert "deploy the database stack too" in of_service(result).reason
    assert running.cloud.count("run_task", "execute") == 0


def test_with_the_database_of_another_run_its_exports_are_found_in_the_region(running: World) -> None:
    running.deploy(gateway("v2"), only=frozenset({"network", "database"}))

    assert outcomes(running.deploy(gateway("v2"), only=frozenset({"service"}))) == {
        "service": ("update", "done")
    }

    assert ran(running)[-1] == "dev-litellm:v2"
    assert list(running.cloud.tasks.values())[-1].request.subnets[0] == "value of dev-network-A"


def test_a_missing_export_stops_the_service(world: World) -> None:
    lost = replace(migration(), definition_export="Nobody")

    result = world.deploy(gateway(migration=lost))

    assert outcomes(result)["service"] == ("create", "failed")
    assert "no stack exports Nobody" in of_service(result).reason


def test_without_ecs_the_service_is_deployed_and_that_is_said(world: World) -> None:
    world.cloud.ecs = False

    result = world.deploy(gateway())

    assert {stack.status for stack in result.stacks} == {"CREATE_COMPLETE"}
    assert notices(world) == ["the database is not migrated before tasks start: this endpoint has no ECS"]
    assert world.cloud.count("rotating", "running_task", "run_task") == 0


def test_an_endpoint_that_runs_no_tasks_is_deployed_to_and_that_is_said(world: World) -> None:
    world.cloud.task_ends = [TaskState("", pretended=True)]

    assert world.deploy(gateway()).exit_code == 0

    assert (
        notices(world)[-1] == "the database is not migrated before tasks start: this endpoint runs no tasks"
    )


@pytest.mark.parametrize(
    "method", ["task_images", "rotating", "running_task", "run_task", "task", "template"]
)
def test_a_missing_permission_stops_the_service_and_is_named(running: World, method: str) -> None:
    denied = NotAllowed("grant the permission ecs:Something")
    running.cloud.raises[method] = [denied] * (2 if method == "template" else 1)  # the first is the gate's

    result = running.deploy(gateway("v2"))

    assert outcomes(result)["service"] == ("update", "failed")
    assert of_service(result).reason.startswith("grant the permission ecs:Something")
    assert running.cloud.count("execute") == 1  # the database's


# rotations


def test_a_rotation_of_the_login_is_waited_for(world: World) -> None:
    world.cloud.rotates_until = 90.0

    world.deploy(gateway())

    assert 90.0 <= next(iter(world.cloud.tasks.values())).began <= 90.0 * 1.25 + 5
    assert "the rotation of the database's login" in [event.reason for event in world.said(Waiting)]
    assert [notice for notice in world.said(Notice) if notice.warning] == []


def test_after_a_long_rotation_a_short_task_is_seen_to_end_at_once(world: World) -> None:
    world.cloud.rotates_until = 200.0
    world.cloud.task_seconds = 1.0

    world.deploy(gateway())

    began = world.cloud.events(world.cloud.stacks(["dev-service"])[0].id)[0].time.timestamp()
    assert began <= next(iter(world.cloud.tasks.values())).ends + 1.0


def test_a_rotation_that_has_failed_is_not_waited_for_for_ever(world: World) -> None:
    world.cloud.rotates_until = float("inf")

    assert world.deploy(gateway()).exit_code == 0

    assert 300.0 <= next(iter(world.cloud.tasks.values())).began <= 420.0
    assert "the rotation of dev/database-login has not ended" in notices(world)[0]


def test_without_secrets_manager_no_rotation_is_waited_for_and_that_is_said(world: World) -> None:
    world.cloud.rotates_until = None

    assert world.deploy(gateway()).exit_code == 0

    assert "a rotation of dev/database-login is not seen" in notices(world)[0]
    assert ran(world) == ["dev-litellm:v1"]


# others at work, lost answers, signals, time limits


def test_a_task_that_runs_already_is_taken_up(world: World) -> None:
    theirs = TaskRequest("dev-migration", f"{DEFINITION}dev-litellm:v1", "migration", (), (), "theirs")
    world.cloud.task_seconds = 200.0
    world.cloud.run_task(theirs)

    assert world.deploy(gateway()).exit_code == 0

    assert len(ran(world)) == 1
    assert notices(world)[0] == "resumes waiting for the task that migrates the database for dev-litellm:v1"
    assert world.clock.now > 200


TRANSIENT = Transient("HTTP 503", code="ServiceUnavailable")


@pytest.mark.parametrize(
    "method", ["template", "task_images", "rotating", "running_task", "run_task", "task"]
)
def test_an_answer_that_does_not_come_is_asked_for_again(running: World, method: str) -> None:
    running.cloud.raises[method] = [TRANSIENT] * 3

    assert outcomes(running.deploy(gateway("v2")))["service"] == ("update", "done")

    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2"]
    assert running.cloud.raises[method] == []


@pytest.mark.parametrize("task_seconds", [0.0, 30.0])
def test_a_task_whose_start_was_not_answered_is_not_started_twice(world: World, task_seconds: float) -> None:
    world.cloud.task_seconds = task_seconds
    world.cloud.loses["run_task"] = [Transient("no connection")]

    assert world.deploy(gateway()).exit_code == 0

    assert ran(world) == ["dev-litellm:v1"]


def test_a_task_without_a_place_is_started_when_there_is_one(world: World) -> None:
    tokens: list[str] = []

    class Full(FakeCloud):
        def run_task(self, request: TaskRequest) -> TaskState:
            tokens.append(request.token)
            return super().run_task(request)

    world.cloud = Full(world.clock)
    world.cloud.images = {"dev-litellm:v1"}
    refusing: list[Exception] = [
        Transient("ecs RunTask: Capacity is unavailable at this time", code=NO_CAPACITY)
    ]
    world.cloud.raises["run_task"] = refusing * 2

    assert world.deploy(gateway()).exit_code == 0

    assert len(ran(world)) == 1
    assert len(set(tokens)) == 3  # a token that was answered so may be answered so for ever


def test_credentials_that_expire_meanwhile_lose_sight_of_the_task(world: World) -> None:
    world.cloud.raises["task"] = [LostSight("log in again")]

    result = world.deploy(gateway())

    assert (of_service(result).outcome, result.exit_code) == ("going-on", 5)
    assert "the task arn:task/1 continues in AWS" in of_service(result).reason
    assert outcomes(world.deploy(gateway()))["service"] == ("create", "done")
    assert len(ran(world)) == 1


def test_ctrl_c_watches_the_task_to_its_end_and_executes_nothing(running: World) -> None:
    began = running.clock.now
    running.cloud.task_seconds = 200.0
    running.signals = [began + 60]

    result = running.deploy(gateway("v2"))

    assert (of_service(result).outcome, result.exit_code) == ("interrupted", 130)
    assert [event.running for event in running.said(Stopping)] == [("service",)]
    assert running.clock.now >= began + 200
    assert running.cloud.count("execute") == 1  # the database's
    assert prepared(running) == []


def test_a_second_ctrl_c_leaves_and_says_what_goes_on(running: World) -> None:
    began = running.clock.now
    running.cloud.task_seconds = 200.0
    running.signals = [began + 60, began + 80]

    result = running.deploy(gateway("v2"))

    assert (of_service(result).outcome, result.exit_code) == ("going-on", 130)
    assert "the task arn:task/2 continues in AWS; the same command resumes" in of_service(result).reason
    assert running.clock.now < began + 100
    running.signals = []
    assert outcomes(running.deploy(gateway("v2")))["service"] == ("update", "done")
    assert len(ran(running)) == 2


def test_ctrl_c_before_the_task_starts_none(world: World) -> None:
    world.cloud.rotates_until = 200.0
    world.signals = [100.0]

    result = world.deploy(gateway())

    assert of_service(result).outcome == "interrupted"
    assert ran(world) == []
    assert is_gone(world)


def test_a_task_that_does_not_end_in_time_is_left_and_taken_up_by_the_next_run(world: World) -> None:
    world.cloud.task_seconds = 2000.0
    wanted = gateway(timeout_minutes=20)

    result = world.deploy(wanted)

    assert (of_service(result).outcome, result.exit_code) == ("going-on", 5)
    assert (
        "not finished after 20 minutes: the migration of the database (task 1)" in of_service(result).reason
    )
    assert "the task arn:task/1 continues in AWS" in of_service(result).reason
    assert is_gone(world)

    assert outcomes(world.deploy(wanted))["service"] == ("create", "done")
    assert len(ran(world)) == 1


def test_the_time_limit_is_that_of_each_operation(running: World) -> None:
    began = running.clock.now
    running.cloud.seconds = {"dev-database": 1000.0, "dev-service": 1000.0}
    running.cloud.rotates_until = began + 1250.0
    running.cloud.task_seconds = 1100.0

    result = running.deploy(gateway("v2", timeout_minutes=20))

    assert outcomes(result)["service"] == ("update", "done")
    assert running.clock.now - began > 3300


def test_a_migration_is_not_repeated_for_another_change_set(running: World) -> None:
    running.cloud.task_seconds = 60.0

    def sleep(seconds: float) -> None:
        running.clock.sleep(seconds)
        waiting = [key for key, one in running.cloud.made.items() if one.state.execution == "AVAILABLE"]
        if len(running.cloud.tasks) == 2 and waiting and not lost:
            lost.append(waiting[0])
            del running.cloud.made[waiting[0]]

    lost: list[str] = []
    here = replace(host(running.clock, running.told, "second"), sleep=sleep)

    result = deploy(gateway("v2"), running.cloud, Options(), here)

    assert outcomes(result)["service"] == ("update", "done")
    assert lost
    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2"]


def test_two_runs_at_once_run_one_task(world: World) -> None:
    world.cloud.task_seconds = 100.0
    others: list[Result] = []

    def sleep(seconds: float) -> None:
        world.clock.sleep(seconds)
        if world.cloud.tasks and not others:
            second = host(world.clock, [], "second")
            others.append(deploy(gateway(), world.cloud, Options(), second))

    first = replace(host(world.clock, world.told, "first"), sleep=sleep)

    result = deploy(gateway(), world.cloud, Options(), first)

    assert [one.exit_code for one in (result, *others)] == [0, 0]
    assert ran(world) == ["dev-litellm:v1"]
    assert world.cloud.status("dev-service") == "CREATE_COMPLETE"


class Killed(BaseException):
    """The process ended here."""


class Killing:
    """Passes calls on, until it ends the process after one of them."""

    def __init__(self, cloud: FakeCloud, after: int) -> None:
        self._cloud = cloud
        self.left = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._cloud, name)

        def call(*arguments: Any, **named: Any) -> Any:
            done = found(*arguments, **named)
            self.left -= 1
            if self.left == 0:
                raise Killed
            return done

        return call


def updated_after_a_kill(after: int) -> tuple[World, Killing]:
    world = World()
    world.cloud.images = {"dev-litellm:v1", "dev-litellm:v2"}
    world.deploy(gateway())
    killing: Any = Killing(world.cloud, after)
    with suppress(Killed):
        deploy(gateway("v2"), killing, Options(poll_interval=6.0), host(world.clock, [], "killed"))
    world.clock.sleep([0.0, 15.0, 100.0][after % 3])
    assert world.deploy(gateway("v2"), poll_interval=6.0).exit_code == 0
    return world, killing


def test_killed_after_any_call_the_next_run_migrates_before_it_changes_the_service() -> None:
    moments = 0
    while True:
        moments += 1
        world, killing = updated_after_a_kill(moments)
        tasks = [one for one in world.cloud.tasks.values() if one.request.definition.endswith("v2")]
        service = world.cloud.stacks(["dev-service"])[0]
        assert service.status == "UPDATE_COMPLETE"
        assert service.last_updated is not None
        assert tasks[0].ends <= service.last_updated.timestamp() + 0.001, f"after {moments} calls"
        assert all(one.ends <= other.began for one, other in pairwise(tasks)), f"after {moments} calls"
        assert len(tasks) <= 2, f"after {moments} calls"
        assert prepared(world) == []
        if killing.left > 0:
            break
    assert moments > 20
