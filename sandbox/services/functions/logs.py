"""Output of functions, as events of CloudWatch Logs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sandbox.services.functions.records import Function


def write(client: Callable[[str, str], Any], function: Function, lines: Sequence[str]) -> None:
    """
    Put *lines* into a new stream of the function's log group, which is made when it is missing.

    Their time is the system's: CloudWatch refuses times two hours ahead of its own.
    """
    if not lines:
        return
    logs, group = client("logs", function.region), f"/aws/lambda/{function.name}"
    with suppress(ClientError):  # it exists
        logs.create_log_group(logGroupName=group)
    day = datetime.now(tz=UTC).strftime("%Y/%m/%d")
    stream = {"logGroupName": group, "logStreamName": f"{day}/[$LATEST]{uuid.uuid4().hex}"}
    logs.create_log_stream(**stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines if line]
    logs.put_log_events(**stream, logEvents=events)
