"""
Runs a service: starts tasks, checks their health, stops them; completes or fails deployments.

Messages: Amazon ECS Developer Guide, "Viewing Amazon ECS service event messages" and "Amazon ECS stopped
tasks error messages".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.gateway.tasks.deployments import Deployment, Service, Told
from sandbox.gateway.tasks.moves import Bounds, breaks, moves
from sandbox.gateway.tasks.running import Host, Running
from sandbox.services.tasks import Stop

NEVER_SECONDS = 10_800.0
"""Virtual seconds after which CloudFormation gives up on a service without circuit breaker."""
_LONGEST = 900.0
"""Seconds between two starts of tasks that fail (Amazon ECS Developer Guide, "service throttle logic")."""
_LISTED = 15.0
"""Real seconds that a failed deployment is described, so that a poll every ten seconds sees it."""
Json = Mapping[str, Any]
Later = list[Callable[[], None]]


def go_on(service: Service, described: Json, host: Host, shift: Callable[[], None]) -> Later:
    """
    Take the next step for *service*, as moto describes it; return whom to notify of an end, without the lock.

    *shift* moves the traffic to the primary deployment, if it does not come with each task.
    """
    now, primary = host.reach.surroundings.now(), service.primary
    for deployment in service.deployments:
        for task in deployment.tasks:
            task.look()
        _judge(service, deployment, described, host)
        deployment.trim()
    configured = described.get("deploymentConfiguration", {})
    bounds = Bounds(
        0 if service.leaving else int(described["desiredCount"]),
        configured.get("minimumHealthyPercent", 100),
        configured.get("maximumPercent", 200),
    )
    _move(service, bounds, host, shift)
    _complete(service, bounds, now)
    if _opens(configured) and breaks(primary.failed, bounds.wanted) and primary.state == "IN_PROGRESS":
        _fail(service, configured, now)
    service.drop_gone()
    return [*_ended(service), *_given_up(service, configured, now)]


def _judge(service: Service, deployment: Deployment, described: Json, host: Host) -> None:
    """Report unhealthy tasks, and count failed ones."""
    grace = host.pace.patience(described.get("healthCheckGracePeriodSeconds") or 0)
    for task in deployment.wanted:
        before, task.ill = task.ill, task.ill_by(grace)
        if task.ill and not before and (unhealthy := task.unhealthy_target()):
            target, why = unhealthy
            said = f"due to (reason {why or 'Health checks failed'})"
            service.say(
                host.reach.surroundings.now(),
                f"(port {target.port}) is unhealthy in (target-group {target.group}) {said}.",
            )
    for task in deployment.tasks:
        if task.was_healthy and not task.counted:
            deployment.failed, task.counted = 0, True
        elif not task.wanted and task.stop_.code != "UserInitiated" and task.failed and not task.counted:
            deployment.failed += 1
            task.counted = True
            pause = host.pace.pause(min(_LONGEST, 15.0 * 2 ** min(deployment.failed, 10)))
            deployment.not_before = time.monotonic() + (pause if deployment.failed >= 2 else 0)


def _move(service: Service, bounds: Bounds, host: Host, shift: Callable[[], None]) -> None:
    primary, now = service.primary, host.reach.surroundings.now()
    old = [task for one in service.deployments[1:] for task in one.wanted]
    new = primary.wanted
    if primary.state == "FAILED" and bounds.wanted:
        return  # everything stays as it is until the next deployment
    ready = [task.condition for task in new]
    if primary.shifts and bounds.wanted and ready.count("healthy") < bounds.wanted:
        ready = ["starting" if each == "healthy" else each for each in ready]  # requests come when all can
    elif primary.shifts:
        primary.shifts = False
        shift()
    next_ = moves(bounds, ready, [task.condition for task in old])
    if next_.start and time.monotonic() >= primary.not_before:
        started = [_start(primary, host) for _ in range(next_.start)]
        service.say(now, f"has started {len(started)} tasks: {_listed(started)}.")
    _stop(service, [new[each] for each in next_.stop_new], now)
    _stop(service, [old[each] for each in next_.stop_old], now)


def _stop(service: Service, tasks: list[Running], now: float) -> None:
    if not tasks:
        return
    scaled = f"Scaling activity initiated by (deployment {service.primary.id})"
    for task in tasks:
        task.stop(task.ill or Stop("ServiceSchedulerInitiated", scaled))
    service.say(now, f"has begun draining connections on {len(tasks)} tasks.")
    service.say(now, f"has stopped {len(tasks)} running tasks: {_listed(tasks)}.")


def _start(deployment: Deployment, host: Host) -> Running:
    arn = f"{deployment.origin.cluster.replace(':cluster/', ':task/')}/{uuid.uuid4().hex}"
    task = Running(arn, deployment.origin, host, deployment.groups)
    deployment.tasks.append(task)
    task.look()
    return task


def _listed(tasks: list[Running]) -> str:
    return " ".join(f"(task {task.arn.rpartition('/')[2]})" for task in tasks)


def _complete(service: Service, bounds: Bounds, now: float) -> None:
    primary = service.primary
    old = [task for one in service.deployments[1:] for task in one.tasks if task.wanted or task.draining]
    healthy = sum(task.healthy for task in primary.wanted)
    if primary.state == "IN_PROGRESS" and not old and healthy == len(primary.wanted) == bounds.wanted:
        primary.state, primary.reason, service.completed = "COMPLETED", "", primary
        service.say(now, f"(deployment {primary.id}) deployment completed.")
        service.say(now, "has reached a steady state.")


def _opens(configured: Json) -> bool:
    return bool(configured.get("deploymentCircuitBreaker", {}).get("enable"))


def _fail(service: Service, configured: Json, now: float) -> None:
    """Open the circuit breaker; with rollback, the last complete deployment is next."""
    failed, reason = service.primary, "ECS deployment circuit breaker: "
    failed.state, failed.reason = "FAILED", f"{reason}tasks failed to start."
    failed.listed_until = time.monotonic() + _LISTED
    service.say(now, f"(deployment {failed.id}) deployment failed: tasks failed to start.")
    for task in failed.wanted:
        task.stop(
            Stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {failed.id})")
        )
    back = service.completed
    if configured["deploymentCircuitBreaker"].get("rollback") and back is not None and back is not failed:
        back.state, back.failed = "IN_PROGRESS", 0
        back.reason = f"{reason}rolling back to deploymentId {back.id}."
        service.say(now, f"rolling back to deployment {back.id}.")
        service.deployments = [back, *(one for one in service.deployments if one is not back)]


def _ended(service: Service) -> Later:
    """Return whom to notify of an ended deployment; a missing one was replaced."""
    there = {one.id: one for one in service.deployments}
    over: list[tuple[str, Told, str | None]] = []
    for id_, told in service.awaited:
        found = there.get(id_, service.primary)
        if service.leaving or found.state == "COMPLETED":
            over.append((id_, told, None))
        elif found.state == "FAILED":
            over.append((id_, told, "tasks failed to start"))
    service.awaited = [one for one in service.awaited if one not in [each[:2] for each in over]]
    return [lambda told=told, why=why: told(why) for _, told, why in over]  # type: ignore[misc]


def _given_up(service: Service, configured: Json, now: float) -> Later:
    """Return whom to notify that the service does not become steady, if no breaker ends that."""
    if _opens(configured) or not service.primary.failed or now - service.primary.begun < NEVER_SECONDS:
        return []
    over, service.awaited = service.awaited, []
    return [lambda told=told: told("tasks failed to start") for _, told in over]  # type: ignore[misc]
