"""Why an ECS service does not become stable: its stopped tasks and its events, as text. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.aws.errors import call
from deployer.aws.last_words import last_words
from deployer.errors import CloudError

TASKS_AT_MOST = 100
"""What DescribeTasks takes at once (ECS API Reference)."""
REASONS_AT_MOST = 4


def service_trouble(clients: Callable[[str], Any], service_arn: str) -> tuple[str, ...]:
    """
    Return distinct reasons of stopped tasks with exit codes, the end of one's log, the service's last event.

    Raises:
        CloudError: ECS could not be asked.

    """
    parts = service_arn.rpartition(":")[2].split("/")
    if len(parts) < 3:
        return ()  # an ARN of the old format: the cluster is not in it
    client, cluster, name = clients("ecs"), parts[-2], parts[-1]
    tasks = sorted(_stopped(client, cluster, name), key=_by_ecs)
    reasons = list(dict.fromkeys(f"a task stopped: {said}" for task in tasks if (said := _said(task))))
    failed = next(
        (task for task in tasks if any(one.get("exitCode") for one in task.get("containers", ()))), None
    )
    words = last_words(client, clients("logs"), failed) if failed else ()
    return (*reasons[:REASONS_AT_MOST], *words, *_last_event(client, cluster, name))


def _stopped(client: Any, cluster: str, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the stopped tasks of the service; none for a deleted service or cluster."""
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
        if task.get("group") in {f"service:{name}", None}:
            yield task


def _by_ecs(task: Mapping[str, Any]) -> bool:
    """
    Whether ECS stopped the task for the deployment; tasks that failed are reported first.

    Amazon ECS Developer Guide, "Amazon ECS stopped tasks error messages": "Scaling activity initiated by".
    """
    return str(task.get("stoppedReason", "")).startswith("Scaling activity")


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
