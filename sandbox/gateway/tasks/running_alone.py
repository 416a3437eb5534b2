"""One-off tasks with a gateway: a task with a program runs; the others are simulated by the clock."""

from __future__ import annotations

import uuid

from sandbox.gateway.tasks.logs import Stream
from sandbox.gateway.tasks.running import Running
from sandbox.gateway.tasks.running_services import RunningServices
from sandbox.gateway.tasks.starts import not_run
from sandbox.services import tasks
from sandbox.services.json_api import Json, JsonCall
from sandbox.services.one_off_tasks import OneOffTasks
from sandbox.services.reach import Reach
from sandbox.services.tasks import Origin, Stop, Task


class RunningAlone(OneOffTasks):
    """The tasks of one account."""

    def __init__(self, reach: Reach, services: RunningServices) -> None:
        super().__init__(reach, services)
        self._running_services = services
        self._running: dict[str, Running] = {}

    def clear(self) -> None:
        """Forget every task; `RunningServices.clear` ends them."""
        super().clear()
        with self._lock:
            self._running.clear()

    def _begun(self, region: str, origin: Origin) -> Task:
        host = self._running_services.host
        containers = origin.definition["containerDefinitions"]
        if not any(host.program(one) for one in containers):
            timed = super()._begun(region, origin)
            for one in containers:
                stream = Stream(host.reach, region, one, timed.arn.rpartition("/")[2])
                stream.put(not_run(one))
                stream.flush()
            return timed
        task = Running(f"{origin.cluster.replace(':cluster/', ':task/')}/{uuid.uuid4().hex}", origin, host)
        with self._lock:
            self._running[task.arn] = task
        self._running_services.run(task)
        return task.shown()

    def _all(self, call: JsonCall) -> list[Task]:
        found = super()._all(call)
        if call.body.get("serviceName") is not None:
            return found
        cluster = self._cluster(call)["clusterArn"]
        with self._lock:
            running = list(self._running.values())
        return found + [task.shown() for task in running if task.origin.cluster == cluster]

    def _stop(self, call: JsonCall) -> Json:
        given = call.body["task"]
        arns = {task.arn for task in self._all(call)}
        arn = next((arn for arn in arns if given in (arn, arn.rpartition("/")[2])), "")
        why = Stop("UserInitiated", call.body.get("reason") or "Task stopped by user")
        stopped = self._running_services.stop(arn, why)
        return super()._stop(call) if stopped is None else {"task": tasks.shown(stopped, self._now())}
