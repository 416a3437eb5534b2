"""
Lambda's Python runtime around a handler: one process, one event after the other, everything logged.

Run as a program: the sandbox imports only its constants. It loads the libraries of Lambda's runtime once and
forks a process per job: a message on its standard input, a Unix socket, starts one, or ends one that is in
progress. A job is one JSON document: `handler`, `function`, `timeout` in seconds, `events`, `failing` (the
steps to fail at), `folder`, `variables`, `path`, the first entries of the module path, and `ended`. Its
process writes its log, and at last `ended` with the exit status: 1 at the first failure.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
import uuid
from importlib.machinery import PathFinder
from typing import Any

STAND_IN = "SANDBOX_STAND_IN"
"""Variable: a port at which a stand-in listens, at 127.0.0.1 alone, for all addresses of tasks."""

NUMBER = 8
"""Bytes of a message, a process's id: the one to end, or the one begun for the socket that comes along."""

LIBRARIES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's runtime has beside the standard library (AWS Lambda Developer Guide, "Lambda runtimes")."""


class Context:
    """A handler's data on its invocation (AWS docs, "Lambda context object in Python")."""

    function_version = "$LATEST"
    memory_limit_in_mb = "256"

    def __init__(self, function: str, seconds: float) -> None:
        self.function_name = function
        self.aws_request_id = str(uuid.uuid4())
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how much time the invocation has left."""
        return max(0, int((self._until - time.monotonic()) * 1000))


def main() -> None:
    """Start and end jobs on request, until the input ends."""
    _load()
    under_way: set[int] = set()
    with socket.socket(fileno=os.dup(0)) as asking:
        while True:
            message, descriptors, _, _ = socket.recv_fds(asking, NUMBER, 1)
            if not message:
                return
            under_way = {each for each in under_way if not os.waitpid(each, os.WNOHANG)[0]}
            if descriptors:
                pid = _forked(descriptors[0])
                under_way.add(pid)
                asking.sendall(pid.to_bytes(NUMBER, "big"))
            elif (pid := int.from_bytes(message, "big")) in under_way:
                os.kill(pid, signal.SIGKILL)


def _load() -> None:
    """Load the libraries, with the data that they read for a first client."""
    import boto3  # noqa: PLC0415 - takes a third of a second, which who wants the constants needs not wait

    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    boto3.client("secretsmanager", "us-east-1", **keys)  # type: ignore[call-overload]


def _forked(job: int) -> int:
    """Fork the process that runs the job which comes at that descriptor; return its id."""
    pid = os.fork()
    if pid:
        os.close(job)
        return pid
    try:
        os.write(job, _work(job).encode())
    finally:
        os._exit(0)


def _work(job: int) -> str:
    """Do the job; return its closing line."""
    with os.fdopen(job, "rb", closefd=False) as asking:
        asked = json.loads(asking.read())
    silence = os.open(os.devnull, os.O_RDONLY)
    for number, there in enumerate((silence, job, job)):
        os.dup2(there, number)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["variables"])
    _look_first(asked["path"])
    status = _run(asked)
    sys.stdout.flush()
    return f"{asked['ended']}{status}"


def _look_first(places: list[str]) -> None:
    """Put that folder first in the module path: an archive's own libraries precede the runtime's."""
    sys.path[:0] = places
    if any(PathFinder.find_spec(library, places) for library in LIBRARIES):
        for name in [name for name in sys.modules if name.partition(".")[0] in LIBRARIES]:
            del sys.modules[name]


def _run(asked: dict[str, Any]) -> int:
    """Invoke the handler for each event; return the exit status."""
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
    """Redirect connections to that port, at any task's address, to the stand-in."""
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
    main()
