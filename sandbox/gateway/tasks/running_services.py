"""ECS services with a gateway: in front of moto, replacing `ServiceTasks`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from shutil import rmtree
from traceback import format_tb
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import ApiError
from sandbox.gateway import Gateway
from sandbox.gateway.tasks import rolling
from sandbox.gateway.tasks.addresses import Addresses
from sandbox.gateway.tasks.deployments import Deployment, Service, Told
from sandbox.gateway.tasks.pace import Pace
from sandbox.gateway.tasks.processes import Reaper
from sandbox.gateway.tasks.running import Host, Running
from sandbox.gateway.tasks.scaled import ACTIVITIES, Scaler
from sandbox.services import traffic
from sandbox.services.json_api import Json, JsonCall, Operation
from sandbox.services.reach import Reach
from sandbox.services.service_tasks import Place, Restarted, ServiceTasks, place_of
from sandbox.services.tasks import Stop, Task

_LOG = logging.getLogger(__name__)
_KEPT = ("deploymentConfiguration", "healthCheckGracePeriodSeconds", "loadBalancers")
_TICK = 0.05
"""Real seconds between two checks of everything that runs."""
_CALM = 0.5
"""The same, while everything runs as it should."""
_DELETED = 10
"""Deleted services whose stopped tasks can still be described; ECS keeps them for an hour."""
_PATIENCE = 180.0
"""Real seconds after which waiting for an end is given up."""
_END_SECONDS = 3.0
"""Real seconds for tasks to end when the sandbox ends."""


class RunningServices(ServiceTasks):
    """The services of one account, and their tasks; one thread advances everything."""

    def __init__(self, reach: Reach, restarted: Restarted, gateway: Gateway) -> None:
        super().__init__(reach, restarted)
        pace = Pace(lambda: reach.surroundings.speed())  # noqa: PLW0108 - its surroundings are set later
        rmtree(gateway.folder / "tasks", ignore_errors=True)  # left by a killed sandbox
        self.host = Host(reach, gateway, Addresses(), Reaper(), pace)
        self._scaler = Scaler(self.host)
        self._services: dict[Place, Service] = {}
        self._leaving: list[Service] = []
        self._alone: list[Running] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    # requests of the sandbox

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations answered in front of moto, by X-Amz-Target."""
        return {**super().operations, ACTIVITIES: self._activities}

    def counted_by(self, requests: Callable[[], dict[str, int]]) -> None:
        """Set the function that counts each target group's requests."""
        self._scaler.requests = requests

    def settled(self, region: str, cluster: str, service: str) -> bool:
        """Return True: `awaits` reports whether the deployment completes."""
        del region, cluster, service
        return True

    def begun(self, region: str, cluster: str, service: str, *, fails: bool) -> None:
        """Leave a new service in express mode to its tasks, whether they run or not."""

    def failing(self, region: str, cluster: str, service: str) -> None:
        """Leave a deployment in express mode to its tasks, too."""

    def awaits(self, region: str, cluster: str, service: str, told: Told) -> bool:
        """
        Have *told* called at the end of the service's deployment; returns False if it has ended already.
        """
        place = place_of(region, cluster, service)
        with self._lock:
            found = self._services.get(place)
            if found is None or found.primary.state == "COMPLETED":
                return False
            found.awaited.append((found.primary.id, told))
            return True

    def run(self, task: Running) -> None:
        """Run a one-off task to its end."""
        with self._lock:
            self._alone.append(task)
            self._go()

    def made_from(self, repository: str, base: str) -> None:
        """Note that images in *repository*, of ECR, are built from *base*, whose program they have."""
        self.host.built[repository] = base

    def notes(self) -> list[str]:
        """Return what running tasks lack here, a sentence each."""
        with self._lock:
            running = [task for task in self._everything() if not task.ended]
        return sorted({one.note for task in running for one in task.containers if one.note})

    def wait(self) -> bool:
        """Wait until every deployment, ending task and one-off task is done; returns whether one was not."""
        waited, until = False, time.monotonic() + _PATIENCE
        while self._under_way() and time.monotonic() < until:
            waited = True
            self._closed.wait(_TICK)
        return waited

    def clear(self) -> None:
        """Kill every task, and forget every service."""
        with self._lock:
            for task in self._everything():
                if not task.ended:
                    task.kill()
            self._services.clear()
            self._leaving, self._alone = [], []
        super().clear()

    def close(self) -> None:
        """Stop every task, and wait for that; nothing is started any more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            left = [one for task in self._everything() if not task.ended for one in task.containers]
            for container in left:
                container.terminate()
            until = time.monotonic() + _END_SECONDS
            while any(not one.ended and one.started for one in left) and time.monotonic() < until:
                for container in left:
                    container.look()
                time.sleep(_TICK)
        self.clear()
        self.host.reaper.close()

    def tasks(self, region: str, cluster: str, service: str | None = None) -> list[Task]:
        """Return the tasks of a cluster's services, also of deleted ones, or of one service."""
        found = super().tasks(region, cluster, service)
        with self._lock:
            gone = [task.shown() for one in self._leaving for task in one.tasks]
        cluster = cluster.rpartition("/")[2]
        return found + [one for one in gone if service is None and one.origin.cluster.endswith(f"/{cluster}")]

    def stop(self, arn: str, why: Stop) -> Task | None:
        """Stop a task on request, and return it; None if it does not run. A service starts another."""
        with self._lock:
            for running in self._everything():
                if running.arn == arn and not running.ended:
                    running.stop(why)
                    return running.shown()
            return None

    # the API

    def _tasks(self, place: Place) -> list[Task]:
        self._service(place)
        with self._lock:
            found = self._services.get(place)
            return [task.shown() for task in found.tasks] if found else []

    def _told(self, region: str, service: Json) -> Json:
        if service["status"] != "ACTIVE" or not service.get("taskDefinition"):
            return service
        place, now = place_of(region, service["clusterArn"], service["serviceName"]), self._now()
        with self._lock:
            found = self._services.get(place)
            if found is None:
                return service
            deployments = found.shown(service["desiredCount"], now)
            events = found.events_shown()
        first = (service.get("deployments") or [{}])[0]
        there = {name: first[name] for name in ("launchType", "networkConfiguration") if first.get(name)}
        return {
            **service,
            "taskDefinition": deployments[0]["taskDefinition"],
            "runningCount": sum(each["runningCount"] for each in deployments),
            "pendingCount": sum(each["pendingCount"] for each in deployments),
            "deployments": [{**there, **each} for each in deployments],
            "events": events,
        }

    def _with_service(self, call: JsonCall, answer: Json) -> Json:
        service = answer["service"]
        if service["status"] == "ACTIVE" and service.get("taskDefinition"):
            place = place_of(call.region, service["clusterArn"], service["serviceName"])
            with self._lock:
                if place not in self._services:
                    configured = _said(call.body)
                    first = self._deployment(place, {**service, **configured}, begins=True)
                    self._services[place] = Service(place, [first], configured)
                    self._restarted(place, first.origin.definition)
                self._go()
        return {**answer, "service": self._told(call.region, service)}

    def _begin(self, place: Place, body: Mapping[str, Any], service: Json) -> bool:
        """Start a deployment if the call requests one; returns False: nothing is due at a fixed time."""
        with self._lock:
            found = self._services.get(place)
            if found is None:
                return False
            found.configured |= _said(body)
            wanted = body.get("taskDefinition") or found.primary.definition
            asked = {**service, **found.configured, "taskDefinition": wanted}
            fresh = self._deployment(place, asked, begins=False)
            if fresh.definition != found.primary.definition or body.get("forceNewDeployment"):
                found.deployments = [fresh, *found.deployments]
                self._restarted(place, fresh.origin.definition)
        return False

    def _activities(self, call: JsonCall) -> Json:
        with self._lock:
            return self._scaler.activities(self._services.values(), call)

    def _delete(self, call: JsonCall) -> Json:
        answer = call.beneath()
        service: Json = answer["service"]
        with self._lock:
            place = place_of(call.region, service["clusterArn"], service["serviceName"])
            found = self._services.pop(place, None)
            if found is not None:
                found.leaving = True
                self._leaving.append(found)
                self._go()
        return answer

    def _deployment(self, place: Place, service: Json, *, begins: bool) -> Deployment:
        origin = self._origin(place, service, service["taskDefinition"])
        groups = list(traffic.groups(self.host.elb(place.region), service))
        idle = [(group, port) for group, port, percent in groups if not percent]
        if idle and not begins:
            with suppress(ClientError, ApiError):
                traffic.prepare(self.host.elb(place.region), service)
            return Deployment(origin, self._now(), idle, shifts=True)
        return Deployment(origin, self._now(), [(group, port) for group, port, percent in groups if percent])

    # progress

    def _everything(self) -> list[Running]:
        services = [*self._services.values(), *self._leaving]
        return [*(task for one in services for task in one.tasks), *self._alone]

    def _under_way(self) -> bool:
        with self._lock:
            ending = any(not task.wanted and not task.ended for task in self._everything())
            alone = any(not task.ended for task in self._alone)
            return ending or alone or not all(self._as_wanted(one) for one in self._services.values())

    def _as_wanted(self, service: Service) -> bool:
        """Whether the service has as many tasks as it wants, all healthy, or has given up."""
        primary = service.primary
        try:
            wanted = self._described(service)["desiredCount"]
        except KeyError:
            return True  # moto was told to forget it
        healthy = sum(task.healthy for task in primary.wanted)
        complete = primary.state == "COMPLETED" and healthy == len(primary.wanted) == wanted
        return complete or primary.state == "FAILED"

    def _go(self) -> None:
        """Let the advancing thread run, under the lock."""
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while not self._closed.wait(_TICK if self._under_way() else _CALM):
            later: rolling.Later = []
            with self._lock:
                for service in (*self._services.values(), *self._leaving):
                    later += self._tried(lambda service=service: self._go_on(service))  # type: ignore[misc]
                for task in self._alone:
                    self._tried(lambda task=task: task.look() or [])  # type: ignore[misc]
                ended = [one for one in self._leaving if all(task.ended for task in one.tasks)][:-_DELETED]
                self._leaving = [one for one in self._leaving if one not in ended]
            for tell in later:  # without the lock: the agenda uses the control plane's
                self.host.reach.surroundings.after(0.0, tell)

    def _tried(self, step: Callable[[], rolling.Later]) -> rolling.Later:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - the others continue; the message may be secret
            _LOG.error("%s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
            return []

    def _go_on(self, service: Service) -> rolling.Later:
        described = {} if service.leaving else self._scaled(service)
        return rolling.go_on(service, described, self.host, lambda: self._lead(service.place, described))

    def _described(self, service: Service) -> Json:
        """Return the service's wanted state; its task count is moto's, without our own answers."""
        held = self._held(service.place)
        held.desired_count = self._scaler.bounded(service, held.desired_count)
        return {**service.configured, "desiredCount": held.desired_count}

    def _scaled(self, service: Service) -> Json:
        """Apply the service's scaling policies to its task count; return its wanted state."""
        held, described = self._held(service.place), self._described(service)
        held.desired_count = self._scaler.scaled(service, described["desiredCount"])
        return {**described, "desiredCount": held.desired_count}

    def _held(self, place: Place) -> Any:
        """Return moto's service; raises KeyError if it was deleted."""
        return self.host.reach.backend("ecs", place.region).services[f"{place.cluster}:{place.service}"]

    def _lead(self, place: Place, described: Json) -> None:
        with suppress(ClientError, ApiError, StopIteration):
            traffic.shift(self.host.elb(place.region), described)


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _KEPT if body.get(name) is not None}
