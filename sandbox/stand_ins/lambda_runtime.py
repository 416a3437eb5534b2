"""
What Lambda's Python runtime does around a handler: one process, one event after the other, everything logged.

Run as a program, never imported by the sandbox. Its input is one JSON document: `handler`, `function`,
`timeout` in seconds, `events`, and `failing`, the steps to fail at. It ends with 1 at the first failure.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback
import uuid
from typing import Any

STAND_IN = "SANDBOX_STAND_IN"
"""Variable: a port at which a stand-in listens, at 127.0.0.1 alone, for all addresses of tasks."""


class Context:
    """What a handler is told of its invocation (AWS docs, "Lambda context object in Python")."""

    function_version = "$LATEST"
    memory_limit_in_mb = "256"

    def __init__(self, function: str, seconds: float) -> None:
        self.function_name = function
        self.aws_request_id = str(uuid.uuid4())
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may go on."""
        return max(0, int((self._until - time.monotonic()) * 1000))


def main() -> int:
    """Invoke the handler for each event; returns the exit status."""
    asked = json.load(sys.stdin)
    if port := os.environ.pop(STAND_IN, ""):
        _lead(int(port))
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(asctime)s\t%(message)s")
    for event in asked["events"]:
        context = Context(asked["function"], asked["timeout"])
        print(f"START RequestId: {context.aws_request_id} Version: $LATEST", flush=True)  # noqa: T201 - its log
        done = _invoke(asked, event, context)
        print(f"END RequestId: {context.aws_request_id}", flush=True)  # noqa: T201 - as above
        if not done:
            return 1
    return 0


def _lead(port: int) -> None:
    """Have connections to that port, of whichever task, meet the stand-in."""
    connect = socket.create_connection

    def led(address: tuple[str, int], *args: Any, **named: Any) -> socket.socket:
        return connect(("127.0.0.1", port) if address[1] == port else address, *args, **named)

    socket.create_connection = led  # type: ignore[assignment]  # its parameters have no names here


def _invoke(asked: dict[str, Any], event: dict[str, Any], context: Context) -> bool:
    try:
        _handle(asked, event, context)
    except BaseException as error:  # noqa: BLE001 - whatever ends a handler is the invocation's failure
        print(f"[ERROR] {type(error).__name__}: {error}")  # noqa: T201 - as Lambda logs it
        traceback.print_tb(error.__traceback__, file=sys.stdout)
        return False
    return True


def _handle(asked: dict[str, Any], event: dict[str, Any], context: Context) -> None:
    if event.get("Step") in asked["failing"]:
        raise RuntimeError(f"the sandbox was told to fail at {event['Step']}")
    module, _, name = asked["handler"].rpartition(".")
    getattr(importlib.import_module(module.replace("/", ".")), name)(event, context)


if __name__ == "__main__":
    sys.exit(main())
