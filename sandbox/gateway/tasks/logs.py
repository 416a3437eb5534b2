"""
Output of containers, as events of CloudWatch Logs, in batches.

Source: Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch": a container's stream is
prefix/container/task id.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from sandbox.services.reach import Reach

_BATCH = 1_000
"""Events of one call; CloudWatch takes 10,000."""
_LONGEST = 262_000
"""Bytes of an event, about (Amazon CloudWatch Logs quotas)."""


class Stream:
    """One container's stream; other threads may add lines, one flushes."""

    def __init__(self, reach: Reach, region: str, definition: Mapping[str, Any], task_id: str) -> None:
        """*definition* is the container's; without the driver awslogs, lines are dropped."""
        configured = definition.get("logConfiguration", {})
        options = configured.get("options", {}) if configured.get("logDriver") == "awslogs" else {}
        self._logs = reach.client("logs", options.get("awslogs-region", region))
        self._lines: deque[tuple[int, str]] = deque()
        self._where: dict[str, str] = {}
        prefix = options.get("awslogs-stream-prefix")
        if "awslogs-group" in options:
            name = f"{prefix}/{definition['name']}/{task_id}" if prefix else task_id
            self._where = {"logGroupName": options["awslogs-group"], "logStreamName": name}
            if str(options.get("awslogs-create-group", "")).lower() == "true":
                with suppress(ClientError):  # it exists
                    self._logs.create_log_group(logGroupName=options["awslogs-group"])
            with suppress(ClientError):  # there is no such group, and nobody to report that to
                self._logs.create_log_stream(**self._where)

    def put(self, line: str) -> None:
        """Add a line with the system's time: CloudWatch refuses times far ahead of its own."""
        if line and self._where:
            self._lines.append((int(time.time() * 1000), line[:_LONGEST]))

    def flush(self) -> None:
        """Write what was put."""
        while self._lines:
            batch = [self._lines.popleft() for _ in range(min(_BATCH, len(self._lines)))]
            events = [{"timestamp": at, "message": line} for at, line in batch]
            with suppress(ClientError):  # the group was deleted before its task
                self._logs.put_log_events(**self._where, logEvents=events)
