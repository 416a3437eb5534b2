"""AWS::SecretsManager::RotationSchedule: enables a secret's rotation, and rotates it at once by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources.handler import Call, Handler


def _create(call: Call) -> Provisioned:
    arn = call.ask("secretsmanager", "describe_secret", SecretId=call.properties["SecretId"])["ARN"]
    _configure(call)
    return Provisioned(arn, {"Id": arn})


def _configure(call: Call) -> None:
    """Return as soon as the rotation has begun, as CloudFormation does."""
    if "HostedRotationLambda" in call.properties:
        raise ProvisionError(
            "This sandbox has no hosted rotation functions: give RotationLambdaARN"
            " (HandlerErrorCode: InvalidRequest)"
        )
    immediately = call.properties.get("RotateImmediatelyOnUpdate", True)
    call.apply("secretsmanager", "rotate_secret", RotateImmediately=immediately)


def _update(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _configure(call)
    return current


def _delete(call: Call, current: Provisioned) -> None:
    call.ask("secretsmanager", "cancel_rotate_secret", SecretId=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::SecretsManager::RotationSchedule": Handler(_create, _update, _delete)
}
