"""
ECS tasks over time: when one is pending, running and stopped, and its form in the API. Pure.

Source: AWS API Reference, Task and Container; AWS docs, "Amazon ECS task lifecycle". PROVISIONING and the
stopping states are left out: a task is PENDING, RUNNING or STOPPED.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

Json = Mapping[str, Any]
STARTS, ENDS = 20.0, 60.0
"""Virtual seconds after which a one-off task runs, and after which it has ended."""
START_FAILS = 15.0
ADDRESS = "127.0.0.1"
"""The address of every task: this machine's, for whatever replaces it."""


@dataclass(frozen=True)
class Stop:
    """Why a task stopped; `exit_code` is None where its container never ran."""

    code: str
    reason: str
    exit_code: int | None = None


@dataclass(frozen=True)
class Origin:
    """The origin of a task."""

    cluster: str
    """ARN."""
    definition: Json
    """In DescribeTaskDefinition's form."""
    group: str
    details: Json = field(default_factory=dict)
    """The task's given data in the API: overrides, startedBy, tags, launchType …"""
    subnet: str = ""


@dataclass(frozen=True)
class Task:
    """One task; times are virtual seconds since the epoch."""

    arn: str
    origin: Origin
    created: float
    running: float = inf
    stopped: float = inf
    stop: Stop = Stop("", "")
    stopping: float = inf
    """When it began to stop."""
    address: str = ADDRESS
    health: str = ""
    """Its healthStatus; empty: healthy while it runs."""
    codes: Mapping[str, int] | None = None
    """Exit codes by container; None: all have that of `stop`."""

    def status(self, now: float) -> str:
        """Return its lastStatus."""
        if now >= self.stopped:
            return "STOPPED"
        if now >= self.stopping:
            return "DEACTIVATING"
        return "RUNNING" if now >= self.running else "PENDING"

    def wanted(self, now: float) -> str:
        """Return its desiredStatus."""
        return "STOPPED" if now >= min(self.stopped, self.stopping) else "RUNNING"


def one_off(arn: str, origin: Origin, now: float, exit_code: int, failure: str | None) -> Task:
    """Return a task that starts now and ends with *exit_code*, or never starts because of *failure*."""
    if failure is not None:
        stop = Stop("TaskFailedToStart", failure)
        return Task(arn, origin, now, stopped=now + START_FAILS, stop=stop)
    stop = Stop("EssentialContainerExited", "Essential container in task exited", exit_code)
    return Task(arn, origin, now, now + STARTS, now + ENDS, stop)


def shown(task: Task, now: float) -> dict[str, Any]:
    """Return the task in the form of DescribeTasks."""
    origin, status = task.origin, task.status(now)
    times = {"createdAt": task.created, "startedAt": task.running, "stoppedAt": task.stopped}
    seen = {name: at for name, at in times.items() if at <= now}
    stopped = status == "STOPPED"
    if stopped:
        seen |= {"stoppingAt": min(task.stopping, task.stopped), "executionStoppedAt": task.stopped}
    ending = task.wanted(now) == "STOPPED"
    ends = {"stopCode": task.stop.code, "stoppedReason": task.stop.reason} if ending else {}
    definition = origin.definition
    sizes = {name: definition[name] for name in ("cpu", "memory") if name in definition}
    return {
        "taskArn": task.arn,
        "clusterArn": origin.cluster,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "group": origin.group,
        "lastStatus": status,
        "desiredStatus": task.wanted(now),
        "connectivity": "CONNECTED",
        "healthStatus": task.health or ("HEALTHY" if status == "RUNNING" else "UNKNOWN"),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "version": 1 + len(seen),
        "attachments": [_attachment(task)],
        "containers": [_container(task, one, now) for one in definition["containerDefinitions"]],
        **sizes,
        **origin.details,
        **seen,
        **ends,
    }


def _attachment(task: Task) -> dict[str, Any]:
    details = {"subnetId": task.origin.subnet, "privateIPv4Address": task.address}
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, task.arn)),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def _container(task: Task, definition: Json, now: float) -> dict[str, Any]:
    status = task.status(now)
    shown_ = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{definition['name']}",
        "taskArn": task.arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": status,
        "networkInterfaces": [{"privateIpv4Address": task.address}],
    }
    code = task.stop.exit_code if task.codes is None else task.codes.get(definition["name"])
    if status == "STOPPED" and code is not None:
        return {**shown_, "exitCode": code}
    return {**shown_, "reason": task.stop.reason} if status == "STOPPED" else shown_
