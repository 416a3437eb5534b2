"""Why tasks of a service stop, with the end of the log of one that ended badly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployer.aws.test_aws import Stubs

ECS = "arn:aws:ecs:eu-west-1:111122223333"
SERVICE = f"{ECS}:service/dev/proxy"
TASK = f"{ECS}:task/dev/0123"
DEFINITION = f"{ECS}:task-definition/proxy:3"
EVENT = "the service says: (service proxy) has reached a steady state."
TRACEBACK = json.dumps({"level": "ERROR", "message": "Traceback\n  File ...\nValueError: no such strategy\n"})


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


def trouble(
    stubs: Stubs, *, code: int, before: tuple[dict[str, Any], ...] = (), **options: str
) -> tuple[str, ...]:
    """Return what is told of a service one of whose tasks ended with *code*, logging as *options* say."""
    task: dict[str, Any] = {
        "taskArn": TASK,
        "taskDefinitionArn": DEFINITION,
        "group": "service:proxy",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "agent", "exitCode": 0}, {"name": "proxy", "exitCode": code}],
    }
    containers = [
        {"name": "agent", "image": "y", "logConfiguration": {"logDriver": "awslogs", "options": options}},
        {"name": "proxy", "image": "x", "logConfiguration": {"logDriver": "awslogs", "options": options}},
    ]
    stubs.answer("ecs", "list_tasks", {"taskArns": [TASK]})
    stubs.answer("ecs", "describe_tasks", {"tasks": [*before, task]})
    if code:
        answer = {"taskDefinition": {"containerDefinitions": containers}}
        stubs.answer("ecs", "describe_task_definition", answer, {"taskDefinition": DEFINITION})
    events = [{"message": EVENT.removeprefix("the service says: ")}]
    stubs.answer("ecs", "describe_services", {"services": [{"events": events}]})
    with stubs.active() as aws:
        return aws.service_trouble(SERVICE)


def test_the_end_of_the_log_is_told_in_the_container_s_own_words(stubs: Stubs) -> None:
    wanted = {"logGroupName": "/ecs/proxy", "logStreamNames": ["p/proxy/0123"]}
    first = {"events": [{"message": "Started"}, {"message": " "}], "nextToken": "more"}
    last = {"events": [{"message": TRACEBACK}, {"message": "Application startup failed. Exiting.\n"}]}
    stubs.answer("logs", "filter_log_events", first, wanted)
    stubs.answer("logs", "filter_log_events", last, {**wanted, "nextToken": "more"})

    scaled = {
        "taskArn": f"{TASK}4",
        "group": "service:proxy",
        "stoppedReason": "Scaling activity initiated by (deployment ecs/1)",
        "containers": [{"name": "proxy", "exitCode": 143}],
    }
    options = {"awslogs-group": "/ecs/proxy", "awslogs-stream-prefix": "p"}
    told = trouble(stubs, code=3, before=(scaled,), **options)

    assert told == (
        "a task stopped: Essential container in task exited; container proxy: exit code 3",
        "a task stopped: Scaling activity initiated by (deployment ecs/1); container proxy: exit code 143",
        "its log ends: ValueError: no such strategy / Application startup failed. Exiting.",
        EVENT,
    )


def test_a_log_that_cannot_be_read_takes_nothing_from_the_reason(stubs: Stubs) -> None:
    stubs.refuse("logs", "filter_log_events", "AccessDeniedException")

    told = trouble(stubs, code=3, **{"awslogs-group": "/ecs/proxy", "awslogs-stream-prefix": "p"})

    assert told[1:] == (EVENT,)


def test_no_log_is_asked_for_where_none_is_cloudwatch_s_or_all_went_well(stubs: Stubs) -> None:
    assert trouble(stubs, code=3, **{"awslogs-group": "/ecs/proxy"})[1:] == (EVENT,)
    assert trouble(stubs, code=0)[1:] == (EVENT,)
