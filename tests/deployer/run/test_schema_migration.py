"""The migration of the database before tasks start or change: when it is needed, planned and run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deployer.changes.approved import deploy_plan
from deployer.changes.planfile import made_from
from deployer.changes.preview import plan
from deployer.errors import CloudError
from deployer.options import Options
from deployer.progress import Result, StackDecided, Waiting
from deployer.report import plan_markdown, plan_text
from deployer.run.schema_migration import Live, failure, image_of, needed, wrong_image
from deployer.tasks import TaskState
from generator.manifest import Manifest
from tests.deployer.fakes import Fault, host, spec, template
from tests.deployer.run.migrations import FAILED, gateway, metadata, methods, migration, notices, ran
from tests.deployer.run.runs import World, outcomes

# the decision


def live(tag: str = "v1", count: str | None = "2") -> Live:
    return Live(json.dumps({"Metadata": metadata(tag)}), count)


@pytest.mark.parametrize(
    ("count", "there", "wanted"),
    [
        ("2", None, True),
        ("", None, True),
        (None, None, True),
        ("0", None, False),
        ("2", live("v1"), False),
        ("", live("v1", ""), False),
        (None, live("v1", None), False),
        ("2", live("v0"), True),
        ("", live("v0", ""), True),
        ("2", live("v1", "0"), True),
        ("0", live("v0", "0"), False),
        ("2", Live("{}", "2"), True),
        ("2", Live("no template", "2"), True),
    ],
)
def test_the_database_is_migrated_where_tasks_will_run_that_it_was_not_migrated_for(
    count: str | None,
    there: Live | None,
    *,
    wanted: bool,
) -> None:
    assert needed(migration("v1"), count=count, live=there).needed is wanted


def test_each_answer_has_its_reason() -> None:
    reasons = [needed(migration(), count="2", live=one).reason for one in (None, live("v1", "0"), live("v0"))]

    assert reasons == [
        "no task has run yet",
        "its desired count was 0 so far",
        "the tasks that run have dev-litellm:v0",
    ]
    assert needed(migration(), count="2", live=live()).reason == (
        "the tasks that run have dev-litellm:v1 already"
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Metadata": {"gatestack": []}}', '{"Metadata": 1}'])
def test_a_template_that_says_nothing_was_migrated_for_no_image(text: str) -> None:
    assert image_of(text) is None


def test_a_definition_of_another_image_is_not_run() -> None:
    assert wrong_image(migration(), {"migration": "123.dkr.ecr.eu-west-1.amazonaws.com/dev-litellm:v1"}) == ""
    assert "is for x/dev-litellm:v0, and dev-litellm:v1 is deployed: deploy the database stack too" in (
        wrong_image(migration(), {"migration": "x/dev-litellm:v0"})
    )
    assert "has no container migration" in wrong_image(migration(), {"proxy": "dev-litellm:v1"})


def test_a_failed_task_says_how_it_ended_and_what_to_do() -> None:
    ended = TaskState("arn:task/1", stopped=True, exit_code=1, reason="Essential container in task exited")

    assert failure(migration(), replace(ended, exit_code=0), "eu-west-1") == ""
    assert failure(migration(), ended, "eu-west-1") == (
        "the migration of the database for dev-litellm:v1 ended with exit code 1 "
        "(Essential container in task exited); this stack was not changed: "
        "see `aws logs tail /ecs/dev-migration --region eu-west-1`, then deploy again"
    )
    never = failure(migration(), replace(ended, exit_code=None, reason="TaskFailedToStart"), "eu-west-1")
    assert "ended with no exit code (TaskFailedToStart)" in never
    assert "ECS no longer knows the task" in failure(migration(), None, "eu-west-1")


# whole deployments


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


def test_before_the_first_tasks_start_the_database_is_migrated_once(world: World) -> None:
    result = world.deploy(gateway())

    assert outcomes(result) == dict.fromkeys(("network", "database", "service"), ("create", "done"))
    assert {stack.status for stack in result.stacks} == {"CREATE_COMPLETE"}
    assert ran(world) == ["dev-litellm:v1"]
    request = next(iter(world.cloud.tasks.values())).request
    assert (request.cluster, request.container) == ("dev-migration", "migration")
    assert request.subnets == ("value of dev-network-A", "value of dev-network-B")
    assert request.security_groups == ("value of dev-network-Group",)
    calls = methods(world)
    assert calls.index("run_task") < len(calls) - 1 - calls[::-1].index("execute")
    assert notices(world) == [
        "migrates the database for dev-litellm:v1 in a one-off task: no task has run yet",
        "the database is migrated for dev-litellm:v1",
    ]
    assert "the migration of the database (task 1)" in [event.reason for event in world.said(Waiting)]
    assert "template" not in calls


def test_the_execution_waits_for_the_end_of_the_task(world: World) -> None:
    world.cloud.task_seconds = 400.0
    world.deploy(gateway())

    ended = next(iter(world.cloud.tasks.values())).ends
    began = next(event.time for event in world.cloud.events(world.cloud.stacks(["dev-service"])[0].id))

    assert ended <= began.timestamp() <= ended + 0.25 * 400


def test_where_nothing_changes_nothing_is_migrated_and_nothing_more_is_asked(running: World) -> None:
    assert outcomes(running.deploy(gateway()))["service"] == ("none", "done")

    assert len(ran(running)) == 1
    assert set(methods(running)) & {"template", "task_images", "rotating", "running_task", "task"} == set()


def test_a_change_with_the_same_image_migrates_nothing(running: World) -> None:
    assert outcomes(running.deploy(gateway(size="2")))["service"] == ("update", "done")

    assert len(ran(running)) == 1
    assert notices(running) == []
    assert [event.reason for event in running.said(Waiting) if event.stack == "service"] == []


def test_another_image_migrates_before_the_service_changes(running: World) -> None:
    result = running.deploy(gateway("v2"))

    assert outcomes(result)["service"] == ("update", "done")
    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2"]
    calls = methods(running)
    assert calls.index("execute") < calls.index("run_task") < len(calls) - 1 - calls[::-1].index("execute")


def test_without_an_image_there_is_nothing_to_migrate_for_until_it_is_pushed(world: World) -> None:
    world.cloud.images = set()
    assert world.deploy(gateway()).exit_code == 0
    assert ran(world) == []

    world.cloud.images = {"dev-litellm:v1"}
    assert outcomes(world.deploy(gateway()))["service"] == ("update", "done")

    assert ran(world) == ["dev-litellm:v1"]


def test_an_update_that_was_rolled_back_is_migrated_for_again(running: World) -> None:
    running.cloud.faults["dev-service"] = Fault("Task", "did not start")
    running.deploy(gateway("v2"))

    assert outcomes(running.deploy(gateway("v2")))["service"] == ("update", "done")

    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2", "dev-litellm:v2"]


def test_meanwhile_other_stacks_go_on(world: World) -> None:
    world.cloud.task_seconds = 500.0
    world.cloud.seconds = {"dev-slow": 300.0, "dev-behind": 50.0}
    slow = spec("slow", template(exports=["dev-slow-Id"]))
    behind = spec("behind", template(imports=["dev-slow-Id"]))
    wanted = gateway()

    world.deploy(replace(wanted, stacks=(*wanted.stacks, slow, behind)))

    ended = next(
        event.time for event in reversed(world.cloud.events(world.cloud.stacks(["dev-behind"])[0].id))
    )
    assert ended.timestamp() < next(iter(world.cloud.tasks.values())).ends


def test_a_service_that_holds_an_old_export_for_a_while_is_migrated_when_it_changes(running: World) -> None:
    result = running.deploy(gateway("v2", place="host-2"), migrate_exports=True)

    assert outcomes(result)["service"] == ("update", "done")
    assert running.cloud.count("execute") == 3  # the service held, the database, the service
    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2"]
    calls = methods(running)
    assert [one for one in calls if one in {"execute", "run_task"}] == [
        "execute", "execute", "run_task", "execute"
    ]  # fmt: skip


# plans


def test_a_plan_says_that_a_migration_comes_first_and_runs_none(world: World) -> None:
    first = plan(gateway(), world.cloud, Options(), host(world.clock))
    assert first.notices == (
        "service: the database is migrated for dev-litellm:v1 in a one-off task first (no task has run yet)",
    )

    world.deploy(gateway())
    assert plan(gateway(size="2"), world.cloud, Options(), host(world.clock)).notices == ()

    found = plan(gateway("v2"), world.cloud, Options(), host(world.clock))
    line = "service: the database is migrated for dev-litellm:v2 in a one-off task first"
    assert f"note: {line}" in plan_text(found)
    assert f"> {line}" in plan_markdown(found)
    assert ran(world) == ["dev-litellm:v1"]


def test_a_plan_without_tasks_says_nothing_of_a_migration(world: World) -> None:
    world.cloud.images = set()

    notices_of_plan = plan(gateway(), world.cloud, Options(), host(world.clock)).notices

    assert [one for one in notices_of_plan if "migrated" in one] == []


def test_a_plan_that_cannot_read_the_live_template_says_so(running: World) -> None:
    running.cloud.raises["template"] = [CloudError("no")] * 2  # the gate's, then ours

    found = plan(gateway("v2"), running.cloud, Options(), host(running.clock))

    assert found.notices == ("service: the schema migration could not be checked: no",)


def test_a_plan_that_cannot_be_deployed_promises_no_migration(running: World) -> None:
    running.cloud.images = {"dev-litellm:v1"}

    found = plan(gateway("v2"), running.cloud, Options(), host(running.clock))

    assert "push it first" in found.problems[0]
    assert found.notices == ()


def reviewed(world: World, wanted: Manifest) -> Callable[[], Result]:
    """Return what executes a saved plan."""
    found = plan(wanted, world.cloud, Options(), host(world.clock, run_id="plan"), keep=True)
    saved = made_from(found, wanted, created=datetime(2026, 1, 1, tzinfo=UTC), whole=True)
    runs = iter(range(100))

    def execute() -> Result:
        here = host(world.clock, world.told, f"planned{next(runs)}")
        return deploy_plan(wanted, saved, world.cloud, Options(), here, file="plan.json")

    return execute


@pytest.mark.parametrize("before", ["nothing", "v1"])
def test_a_reviewed_plan_migrates_before_it_is_executed(world: World, before: str) -> None:
    if before == "v1":
        world.deploy(gateway())

    assert reviewed(world, gateway("v2"))().exit_code == 0

    assert ran(world)[-1] == "dev-litellm:v2"
    assert world.cloud.status("dev-service") in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_a_reviewed_plan_whose_migration_failed_can_be_executed_again(running: World) -> None:
    running.cloud.task_ends = [FAILED]
    execute = reviewed(running, gateway("v2"))
    assert outcomes(execute())["service"] == ("update", "failed")

    assert outcomes(execute())["service"] == ("update", "done")

    assert ran(running) == ["dev-litellm:v1", "dev-litellm:v2", "dev-litellm:v2"]


# what is told


def test_the_step_is_no_decision_at_every_look(world: World) -> None:
    world.cloud.task_seconds = 300.0

    world.deploy(gateway())

    assert 5 < world.cloud.count("task") < 30
    assert [event.step for event in world.said(StackDecided) if event.stack == "service"] == [
        "prepare", "compare", "execute"
    ]  # fmt: skip
    waits = [event.reason for event in world.said(Waiting) if event.stack == "service"]
    assert waits == ["the migration of the database (task 1)"]
