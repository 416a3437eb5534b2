"""Application Auto Scaling for running services: their limits, policies, and scaling activities."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.gateway.tasks.deployments import Service
from sandbox.gateway.tasks.running import Host
from sandbox.gateway.tasks.scaling import Policy, Use
from sandbox.services.json_api import Json, JsonCall
from sandbox.services.service_tasks import Place

ACTIVITIES = "AnyScaleFrontendService.DescribeScalingActivities"
_DIMENSION = "ecs:service:DesiredCount"
_LOOK = 0.5
"""Real seconds between two measurements of processes."""
_KEPT = 50
"""Activities of a service that are kept."""


class Scaler:
    """The scalable targets and policies of one account, applied to its services."""

    def __init__(self, host: Host) -> None:
        """*host* is where the tasks run; requests are not counted until `requests` is set."""
        self._host = host
        self.requests: Callable[[], dict[str, int]] = dict
        """Returns each target group's request count, by ARN."""

    def bounded(self, service: Service, wanted: int) -> int:
        """
        Return how many tasks are wanted, within the bounds of a newly registered scalable target.

        Application Auto Scaling API Reference, RegisterScalableTarget: what is outside is scaled at once.
        """
        bounds = self._bounds(service.place)
        if bounds is None or bounds == service.bounds:
            return wanted
        service.bounds = bounds
        return min(max(wanted, bounds[0]), bounds[1])

    def scaled(self, service: Service, count: int) -> int:
        """Return how many tasks the policies of *service* want instead of *count*, within its bounds."""
        bounds, real = self._bounds(service.place), time.monotonic()
        if bounds is None or real - service.measured < _LOOK:
            return count
        service.measured = real
        tasks = [task for task in service.primary.wanted if task.healthy]
        seconds = {task.arn: sum(one.cpu_seconds for one in task.containers) for task in tasks}
        units = float(service.primary.origin.definition.get("cpu") or 1024)
        use = Use(real, seconds, units / 1024, self.requests())
        now, deploying = self._host.reach.surroundings.now(), service.primary.state == "IN_PROGRESS"
        policies = list(self._policies(service.place))
        wanted, by = service.scaling.wanted(policies, use, count, now, deploying=deploying)
        wanted = min(max(wanted, bounds[0]), bounds[1])
        if by and wanted != count:
            service.activities = [_activity(service.place, wanted, count, by, now), *service.activities][
                :_KEPT
            ]
            return wanted
        return count

    def activities(self, services: Iterable[Service], call: JsonCall) -> Json:
        """Answer DescribeScalingActivities."""
        asked = call.body.get("ResourceId")
        if call.body.get("ServiceNamespace") != "ecs":
            return {"ScalingActivities": []}
        of_region = [one for one in services if one.place.region == call.region]
        found = [each for one in of_region for each in one.activities if asked in (None, each["ResourceId"])]
        return {"ScalingActivities": sorted(found, key=lambda each: -float(each["StartTime"]))}

    def _bounds(self, place: Place) -> tuple[int, int] | None:
        targets = self._host.reach.backend("application-autoscaling", place.region).targets
        found = targets.get(_DIMENSION, {}).get(_resource(place))
        return (int(found.min_capacity), int(found.max_capacity)) if found else None

    def _policies(self, place: Place) -> Iterable[Policy]:
        held = self._host.reach.backend("application-autoscaling", place.region).policies
        for one in list(held.values()):
            configuration = one.target_tracking_scaling_policy_configuration
            if configuration and (one.resource_id, one.scalable_dimension) == (_resource(place), _DIMENSION):
                yield Policy.read(one.policy_name, configuration)


def _resource(place: Place) -> str:
    return f"service/{place.cluster}/{place.service}"


def _activity(place: Place, wanted: int, count: int, policy: str, now: float) -> dict[str, Any]:
    """Application Auto Scaling User Guide, "Scaling activities for Application Auto Scaling"."""
    alarm = f"TargetTracking-{_resource(place)}-Alarm{'High' if wanted > count else 'Low'}"
    return {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": "ecs",
        "ResourceId": _resource(place),
        "ScalableDimension": _DIMENSION,
        "Description": f"Setting desired count to {wanted}.",
        "Cause": f"monitor alarm {alarm} in state ALARM triggered policy {policy}",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired count to {wanted}. Change successfully fulfilled by ecs.",
    }
