"""Scaling of services by Application Auto Scaling: scalable targets and scaling policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources.handler import Call, Handler

_SERVICE = "application-autoscaling"


def _which(call: Call) -> dict[str, str]:
    """Return the scaled resource, given by its parts or by `ScalingTargetId`, which joins them with bars."""
    if "ScalingTargetId" in call.properties:
        resource, dimension, namespace = call.properties["ScalingTargetId"].split("|")
        return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return {name: call.properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")}


def _register(call: Call) -> Provisioned:
    call.apply(_SERVICE, "register_scalable_target", Tags=None)
    physical = "|".join(_which(call).values())
    return Provisioned(physical, {"Id": physical})


def _reregister(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    call.apply(_SERVICE, "register_scalable_target", Tags=None)
    return current


def _deregister(call: Call, current: Provisioned) -> None:
    del current
    call.ask(_SERVICE, "deregister_scalable_target", **_which(call))


def _put(call: Call) -> Provisioned:
    arn = call.apply(_SERVICE, "put_scaling_policy", **_which(call))["PolicyARN"]
    return Provisioned(arn, {"Arn": arn})


def _put_again(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    fresh = call.apply(_SERVICE, "put_scaling_policy", **_which(call))["PolicyARN"]
    for policy in call.services.backend(_SERVICE, call.request.region).policies.values():
        if policy.policy_arn == fresh:
            policy.policy_arn = current.physical_id  # moto gives a changed policy another ARN, unlike AWS
    return current


def _delete(call: Call, current: Provisioned) -> None:
    del current
    call.ask(_SERVICE, "delete_scaling_policy", PolicyName=call.properties["PolicyName"], **_which(call))


HANDLERS: Mapping[str, Handler] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Handler(_register, _reregister, _deregister),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Handler(_put, _put_again, _delete),
}
