"""
Whether a task's prerequisites exist: its containers' images and secrets.

Messages: Amazon ECS Developer Guide, "Amazon ECS stopped tasks error messages"; amazon-ecs-agent, which
writes them, for a JSON key that a secret does not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import ProvisionError
from sandbox.services.dynamic_values import injected
from sandbox.services.reach import Reach

_ECR_IMAGE = re.compile(
    r"^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]+))?$"
)
_NO_KEY = re.compile(r"JSONKey in SecretString: (.+) of arn:")
_UNREADABLE = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "


def failure(reach: Reach, region: str, definition: Mapping[str, Any]) -> str | None:
    """Return why a task of *definition*, in ECS's form, cannot start; None if it can."""
    for container in definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            try:
                injected(secret["valueFrom"], reach, region)
            except ProvisionError as error:
                return f"{_UNREADABLE}retrieval failed: {_unread(secret['valueFrom'], str(error))}"
        image = container["image"]
        if missing(reach, image):
            return f"CannotPullContainerError: failed to resolve ref {image}: {image}: not found"
    return None


def _unread(value_from: str, found: str) -> str:
    if ":secretsmanager:" not in value_from:
        name = value_from.rpartition(":parameter")[2]
        return (
            "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            f"invalid ssm parameters: {name}"
        )
    start = "unable to retrieve secret from asm: service call has been retried 1 time(s): "
    if key := _NO_KEY.search(found):
        return f"{start}retrieved secret from Secrets Manager did not contain json key {key[1]}"
    return (
        f"{start}failed to fetch secret {value_from} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret."
    )


def missing(services: Reach, image: str) -> bool:
    """Whether *image* is missing in ECR; images of other registries always exist."""
    found = _ECR_IMAGE.match(image)
    if not found:
        return False
    region, repository, tag, digest = found.groups()
    which = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    try:
        services.client("ecr", region).describe_images(repositoryName=repository, imageIds=[which])
    except ClientError:
        return True
    return False
