"""An EventBridge rule that reports tasks that stopped unexpectedly to the alarm topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from troposphere import GetAtt, Join
from troposphere.events import InputTransformer, Rule, Target

from stacks.service.services import Running
from stacks.wiring import Stack

ASKED_FOR = ["ServiceSchedulerInitiated", "UserInitiated"]
"""
Stop codes of tasks that a deployment, scaling or a person ended (Amazon ECS API Reference, Task, stopCode).

SpotInterruption is not among them: the moment is not chosen, capacity is missing until another task runs, and
its frequency shows whether spot still fits. Neither is TerminationNotice.
"""

UNHEALTHY = "Task failed "
"""
What the reason begins with when the scheduler ended a task that failed a health check, of the load balancer
or its own (Amazon ECS Developer Guide, "Stopped tasks error messages"); its stop code is the scheduler's.
"""

TOLD = {"code": "$.detail.stopCode", "reason": "$.detail.stoppedReason", "task": "$.detail.taskArn"}


def tell_of_stopped_tasks(stack: Stack, *running: Running) -> None:
    """Add the rule; EventBridge publishes by the topic's own policy, so the target has no role."""
    settings = stack.settings
    meaning = (
        f"A task of {stack.service_name} stopped unexpectedly and is replaced: "
        f"see log group {stack.log_group_name}, stream by the task's id"
    )
    stack.add(
        Rule(
            "StoppedTasks",
            Name=f"{settings.prefix}-stopped-tasks",
            Description=meaning,
            State="ENABLED",
            EventPattern=_pattern(running),
            Targets=[
                Target(
                    Id="alarm-topic",
                    Arn=stack.imported("security", "AlarmTopicArn"),
                    InputTransformer=InputTransformer(InputPathsMap=TOLD, InputTemplate=_message(meaning)),
                )
            ],
        )
    )


def _pattern(running: Sequence[Running]) -> dict[str, Any]:
    """Match these services' tasks (Amazon ECS Developer Guide, "Amazon ECS task state change events")."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [GetAtt(running[0].cluster, "Arn")],
            "group": [Join("", ["service:", one.name]) for one in running],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"stopCode": [{"anything-but": ASKED_FOR}]},
                {"stoppedReason": [{"prefix": UNHEALTHY}]},
            ],
        },
    }


def _message(meaning: str) -> str:
    """Return a JSON template: what stands in it without quotes is quoted and escaped by EventBridge."""
    told = "".join(f', "{name}": <{name}>' for name in TOLD)
    return f'{{"problem": {json.dumps(meaning)}{told}}}'
