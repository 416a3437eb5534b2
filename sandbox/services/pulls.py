"""Whether the image that a task asks for is there."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from sandbox.services.reach import Reach

_ECR_IMAGE = re.compile(
    r"^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]+))?$"
)


def missing(services: Reach, image: str) -> bool:
    """Whether *image* is one of ECR that is not there; images of other registries always are."""
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
