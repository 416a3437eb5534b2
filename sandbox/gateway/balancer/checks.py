"""Runs health checks, scheduled by the sandbox's clock, with timeouts that fit a real process."""

from __future__ import annotations

import asyncio
from typing import Any

import h11

from sandbox.gateway.balancer import health
from sandbox.gateway.balancer.health import Failure
from sandbox.gateway.balancer.pool import opened
from sandbox.gateway.balancer.targets import Target, Targets
from sandbox.gateway.balancer.wire import Activity

TICK = 0.05
"""Real seconds between two checks for due targets, the shortest interval at any speed of the clock."""
AGENT = b"ELB-HealthChecker/2.0"


async def keep_checking(targets: Targets) -> None:
    """Run due checks until cancelled."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            for target in targets.due():
                task = asyncio.create_task(_check(targets, target))
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.sleep(TICK)
    finally:
        for task in running:
            task.cancel()


async def _check(targets: Targets, target: Target) -> None:
    failure: Failure | None = health.FAILED
    try:
        failure = await failed(target)
    finally:
        targets.checked(target, failure)


async def failed(target: Target) -> Failure | None:
    """Return why the check of *target* fails, None if it passes. Each check has its own connection."""
    check = target.check
    try:
        async with asyncio.timeout(check.timeout):
            status = await _status(target)
    except TimeoutError:
        return health.TIMEOUT
    except (OSError, EOFError, h11.RemoteProtocolError):
        return health.FAILED
    return None if check.accepts(status) else health.mismatch(status)


async def _status(target: Target) -> int:
    host, port = target.address
    check = target.check
    if check.port.isdigit():
        port = int(check.port)
    wire = await opened((host, port), check.protocol, check.timeout)
    headers = [(b"Host", f"{host}:{port}".encode()), (b"Connection", b"close"), (b"User-Agent", AGENT)]
    activity = Activity(check.timeout)
    try:
        await wire.send(h11.Request(method="GET", target=check.path, headers=headers), activity)
        await wire.send(h11.EndOfMessage(), activity)
        while True:
            event: Any = await wire.event(activity)
            if isinstance(event, h11.Response):
                return event.status_code
            if isinstance(event, h11.ConnectionClosed):
                raise EOFError  # noqa: TRY004 - it is no error of the caller's
    finally:
        wire.abort()
