"""The last log lines of a container that failed, as the cause of the failure. Read-only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deployer.aws.errors import call
from deployer.errors import CloudError

LINES = 2
_LONGEST = 300
"""Characters shown of a line."""
_PAGES = 5
"""Pages of a log read at most."""


def last_words(ecs: Any, logs: Any, task: Mapping[str, Any]) -> Iterator[str]:
    """
    Yield the end of the log of each container of *task* (DescribeTasks) with an exit code other than 0.

    Nothing if the log is not in CloudWatch or cannot be read: it only supplements the reason. The stream is
    prefix/container/task id (Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch").
    """
    failed = [one.get("name", "") for one in task.get("containers", ()) if one.get("exitCode")]
    if not failed:
        return
    try:
        asked = {"taskDefinition": task["taskDefinitionArn"]}
        definition = call(ecs, "describe_task_definition", **asked)["taskDefinition"]
        for container in definition.get("containerDefinitions", ()):
            options = container.get("logConfiguration", {}).get("options", {})
            if container["name"] not in failed or not options.get("awslogs-stream-prefix"):
                continue
            task_id = task["taskArn"].rpartition("/")[2]
            stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task_id}"
            lines = _lines(logs, options.get("awslogs-group", ""), stream)
            if lines:
                yield f"its log ends: {' / '.join(line[:_LONGEST] for line in lines[-LINES:])}"
    except (CloudError, KeyError):
        return


def _lines(logs: Any, group: str, stream: str) -> list[str]:
    found: list[str] = []
    wanted = {"logGroupName": group, "logStreamNames": [stream]}
    for _ in range(_PAGES):
        page = call(logs, "filter_log_events", **wanted)
        found += [said for event in page.get("events", ()) if (said := _said(event["message"]))]
        if not page.get("nextToken"):
            break
        wanted["nextToken"] = page["nextToken"]
    return found


def _said(line: str) -> str:
    """Return the text of an event: the message of a JSON record, the last line of a traceback."""
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    text = str(record.get("message", line)) if isinstance(record, dict) else line
    return (text.strip().splitlines() or [""])[-1].strip()
