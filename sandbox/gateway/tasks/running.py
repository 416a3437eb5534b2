"""One running task: its containers, its targets, and its lifecycle from PENDING to STOPPED."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

from botocore.exceptions import ClientError

from sandbox.gateway import Gateway, Program
from sandbox.gateway.tasks.addresses import Addresses
from sandbox.gateway.tasks.containers import Container
from sandbox.gateway.tasks.logs import Stream
from sandbox.gateway.tasks.moves import Condition
from sandbox.gateway.tasks.pace import Pace
from sandbox.gateway.tasks.processes import Reaper
from sandbox.gateway.tasks.starts import Place, Start, program_of, start
from sandbox.gateway.tasks.targets import Target
from sandbox.provisioning import ProvisionError
from sandbox.services.pulls import failure
from sandbox.services.reach import Reach
from sandbox.services.tasks import Origin, Stop, Task

EXITED = Stop("EssentialContainerExited", "Essential container in task exited")
_FLUSH = 0.5
"""Real seconds between two batches of a log."""
_LOOK = 0.3
"""Real seconds between two checks of a target's health."""
_CALM = 2.0
"""The same, while all are healthy."""
_DONE = frozenset({"COMPLETE", "SUCCESS"})
_GONE = frozenset({"unused"})


@dataclass(frozen=True)
class Host:
    """What all tasks of one account share."""

    reach: Reach
    gateway: Gateway
    addresses: Addresses
    reaper: Reaper
    pace: Pace
    built: dict[str, str] = field(default_factory=dict)
    """Repository of ECR -> the repository of what its images are built from."""

    def program(self, container: Mapping[str, Any]) -> Program | None:
        """Return the program of a container in DescribeTaskDefinition's form."""
        return program_of(container, self.gateway.programs, self.built)

    def elb(self, region: str) -> Any:
        """Return the client of the load balancers."""
        return self.reach.client("elbv2", region)


class Running:
    """
    A task; `look` advances it.

    Amazon ECS Developer Guide, "Amazon ECS task lifecycle": to stop, its targets are deregistered and drained
    (DEACTIVATING), then its containers get SIGTERM and, after stopTimeout, SIGKILL (STOPPING).
    """

    def __init__(self, arn: str, origin: Origin, host: Host, groups: Sequence[tuple[str, int]] = ()) -> None:
        """*groups*: target groups by ARN, with the port that the task is registered with in each."""
        self.arn, self.origin, self._host, self._groups = arn, origin, host, groups
        self.created = host.reach.surroundings.now()
        self.running = self.stopping = self.stopped = inf
        self.status = "PENDING"
        self.stop_: Stop = Stop("", "")
        self.ill: Stop | None = None
        self.address = ""
        self.targets: list[Target] = []
        self.was_healthy = self.counted = False
        self.began = self._flushed = self._looked = time.monotonic()
        self._states: dict[Target, tuple[str, str]] = {}
        self._region = arn.split(":")[3]
        self._folder = host.gateway.folder / "tasks" / arn.rpartition("/")[2]
        self._kill = inf
        self.containers = [self._container(one) for one in origin.definition["containerDefinitions"]]

    def _container(self, definition: Mapping[str, Any]) -> Container:
        program = self._host.program(definition)
        task_id = self.arn.rpartition("/")[2]
        return Container(definition, program, Stream(self._host.reach, self._region, definition, task_id))

    @property
    def wanted(self) -> bool:
        """Whether it should run."""
        return self.stopping == inf

    @property
    def ended(self) -> bool:
        """Whether it has stopped."""
        return self.status == "STOPPED"

    @property
    def failed(self) -> bool:
        """Whether it counts as failed for its deployment: it stopped, or was stopped, by its own fault."""
        return not self.wanted and not self.stop_.reason.startswith("Scaling activity")

    @property
    def draining(self) -> bool:
        """Whether requests to it may still be in progress while it stops."""
        return self.status == "DEACTIVATING"

    @property
    def health(self) -> str:
        """Return its healthStatus, from the essential containers with a health check."""
        checked = [one.health for one in self.containers if one.essential and "healthCheck" in one.definition]
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "HEALTHY" if checked and set(checked) == {"HEALTHY"} else "UNKNOWN"

    @property
    def healthy(self) -> bool:
        """Whether it counts as healthy for a deployment: it runs, and all its checks pass."""
        checked = any("healthCheck" in one.definition for one in self.containers if one.essential)
        states = {self._states.get(target, ("initial", ""))[0] for target in self._awaited()}
        well = self.health == "HEALTHY" or not checked
        return self.status == "RUNNING" and self.wanted and well and states <= {"healthy"}

    @property
    def condition(self) -> Condition:
        """Return its state for a deployment."""
        if self.ill:
            return "unhealthy"
        return "healthy" if self.healthy else "starting"

    def ill_by(self, grace: float) -> Stop | None:
        """Return why it is to be replaced; its targets are ignored in the first *grace* real seconds."""
        if self.health == "UNHEALTHY":
            return Stop("ServiceSchedulerInitiated", "Task failed container health checks")
        unhealthy = self.unhealthy_target()
        if unhealthy is None or time.monotonic() - self.began < grace:
            return None
        said = f"Task failed ELB health checks in (target-group {unhealthy[0].group})"
        return Stop("ServiceSchedulerInitiated", said)

    def unhealthy_target(self) -> tuple[Target, str] | None:
        """Return one of its targets that the load balancer finds unhealthy, and why."""
        for target in self._awaited():
            state, why = self._states.get(target, ("", ""))
            if state == "unhealthy":
                return target, why
        return None

    def _awaited(self) -> list[Target]:
        """Return the targets that a program listens at; a container without a program answers nothing."""
        ports = {
            one["containerPort"]
            for container in self.containers
            if container.program is not None
            for one in container.definition.get("portMappings", ())
        }
        return [target for target in self.targets if target.port in ports]

    def stop(self, why: Stop) -> None:
        """Stop it, because of *why*."""
        if not self.wanted:
            return
        self.stop_, self.stopping = why, self._host.reach.surroundings.now()
        for target in self.targets:
            target.deregister(self._host.elb(self._region))
        self.status = "DEACTIVATING"

    def kill(self) -> None:
        """Kill its processes now."""
        for one in self.containers:
            one.kill()
            one.look()
        self._over()

    def look(self) -> None:
        """Advance it."""
        now = time.monotonic()
        if self.status == "PENDING":
            self._begin()
        for one in self.containers:
            one.look()
        if now - self._flushed >= _FLUSH:
            self._flushed = now
            self._flush()
        if self.status == "RUNNING":
            self._go_on(now)
        elif self.status == "DEACTIVATING":
            self._drain(now)
        elif self.status == "STOPPING":
            self._end(now)

    def _begin(self) -> None:
        if why := failure(self._host.reach, self._region, self.origin.definition):
            self._fail(Stop("TaskFailedToStart", why))
            return
        ports = [
            one["containerPort"]
            for each in self.containers
            for one in each.definition.get("portMappings", ())
        ]
        try:
            self.address = self._host.addresses.take(ports)
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._start_containers()
        except (OSError, ProvisionError) as error:
            self._fail(Stop("TaskFailedToStart", f"CannotStartContainerError: {error}"))
            return
        self.status, self.running = "RUNNING", self._host.reach.surroundings.now()
        self.targets = [Target(group, self.address, port) for group, port in self._groups]
        for target in self.targets:
            try:
                target.register(self._host.elb(self._region))
            except ClientError as error:
                self.stop(Stop("ServiceSchedulerInitiated", str(error)))

    @cached_property
    def _place(self) -> Place:
        """Return its address, once it has one, and its AWS identity."""
        around = self._host.reach.surroundings
        role, task_id = self.origin.definition.get("taskRoleArn"), self.arn.rpartition("/")[2]
        login = around.login(role, task_id) if role else around.key
        return Place(self._region, self.address, self._folder, around.endpoint, login)

    def _prepared(self, definition: Mapping[str, Any], program: Program) -> Start:
        return start(definition, program, self._place, self._host.reach)

    def _start_containers(self) -> None:
        for one in self.containers:
            if not one.started and self._may_start(one):
                one.start(self._prepared, self._folder, self._host.pace, self._host.reaper)

    def _may_start(self, container: Container) -> bool:
        """Whether the dependencies of *container* are met (ECS API Reference, ContainerDependency)."""
        there = {one.name: one for one in self.containers}
        for wanted in container.definition.get("dependsOn", ()):
            other, condition = there[wanted["containerName"]], wanted["condition"]
            unrun = other.started and other.program is None
            if not other.started or (condition in _DONE and not other.ended and not unrun):
                return False
            if condition == "HEALTHY" and other.health != "HEALTHY":
                return False
        return True

    def _go_on(self, now: float) -> None:
        try:
            self._start_containers()
        except (OSError, ProvisionError) as error:
            self.stop(Stop("TaskFailedToStart", f"CannotStartContainerError: {error}"))
            return
        if any(one.essential and one.ended for one in self.containers):
            self.stop(EXITED)
            return
        if now - self._looked >= (_CALM if self.healthy else _LOOK):
            self._looked = now
            elb = self._host.elb(self._region)
            self._states = {target: target.health(elb) for target in self.targets}
        self.was_healthy = self.was_healthy or self.healthy

    def _drain(self, now: float) -> None:
        """Wait for the load balancer, unless it has ended already."""
        if now - self._looked < _LOOK:
            return
        self._looked = now
        elb = self._host.elb(self._region)
        if self.stop_ is not EXITED and any(one.health(elb)[0] not in _GONE for one in self.targets):
            return
        self.status = "STOPPING"
        self._kill = now + max(one.stop_seconds for one in self.containers)
        for one in self.containers:
            one.terminate()

    def _end(self, now: float) -> None:
        if now >= self._kill:
            for one in self.containers:
                one.kill()
        if all(one.ended or not one.started for one in self.containers):
            self._over()

    def _fail(self, why: Stop) -> None:
        self.stop_, self.stopping = why, self._host.reach.surroundings.now()
        for one in self.containers:
            one.kill()
        self._over()

    def _over(self) -> None:
        self._flush()
        self.status, self.stopped = "STOPPED", self._host.reach.surroundings.now()
        if self.address:
            self._host.addresses.give_back(self.address)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _flush(self) -> None:
        for one in self.containers:
            one.flush()

    def shown(self) -> Task:
        """Return it in the API's form."""
        codes = {one.name: one.exit_code for one in self.containers if one.exit_code is not None}
        return Task(
            self.arn, self.origin, self.created, self.running, self.stopped, self.stop_,
            stopping=self.stopping, address=self.address or "127.0.0.1", health=self.health, codes=codes,
        )  # fmt: skip
