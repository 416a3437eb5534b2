"""Why an ECS service does not become stable: its stopped tasks and its own events, in words. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.aws.errors import call
from deployer.errors import CloudError

TASKS_AT_MOST = 100
"""What DescribeTasks takes at once (ECS API Reference)."""
REASONS_AT_MOST = 4


def service_trouble(ecs: Callable[[], Any], service_arn: str) -> tuple[str, ...]:
    """
    Return distinct reasons of stopped tasks with exit codes, then the last event of the service.

    Raises:
        CloudError: ECS could not be asked.

    """
    parts = service_arn.rpartition(":")[2].split("/")
    if len(parts) < 3:
        return ()  # an ARN of the old format: the cluster is not in it
    client, cluster, name = ecs(), parts[-2], parts[-1]
    stopped = list(dict.fromkeys(_stopped(client, cluster, name)))
    return (*stopped[:REASONS_AT_MOST], *_last_event(client, cluster, name))


def _stopped(client: Any, cluster: str, name: str) -> Iterator[str]:
    """Yield why tasks of the service have stopped; a deleted service or cluster has none to tell of."""
    try:
        arns = call(client, "list_tasks", cluster=cluster, desiredStatus="STOPPED").get("taskArns")
        if not arns:
            return
        answer = call(client, "describe_tasks", cluster=cluster, tasks=arns[:TASKS_AT_MOST])
    except CloudError as error:
        if error.code == "ClusterNotFoundException":
            return
        raise
    for task in answer.get("tasks", ()):
        if task.get("group") in {f"service:{name}", None} and (said := _said(task)):
            yield f"a task stopped: {said}"


def _said(task: Mapping[str, Any]) -> str:
    words = [task.get("stoppedReason", "")]
    for container in task.get("containers", ()):
        code, reason = container.get("exitCode"), container.get("reason", "")
        if code or reason:
            how = ", ".join(
                [*([f"exit code {code}"] if code is not None else []), *([reason] if reason else [])]
            )
            words.append(f"container {container.get('name', '')}: {how}")
    return "; ".join(word for word in words if word)


def _last_event(client: Any, cluster: str, name: str) -> Iterator[str]:
    try:
        answer = call(client, "describe_services", cluster=cluster, services=[name])
    except CloudError as error:
        if error.code in {"ClusterNotFoundException", "ServiceNotFoundException"}:
            return
        raise
    for service in answer.get("services", ()):
        for event in service.get("events", ())[:1]:
            yield f"the service says: {event.get('message', '')}"
