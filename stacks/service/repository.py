"""The environment's own image repository."""

from __future__ import annotations

import json

from troposphere.ecr import EncryptionConfiguration, ImageScanningConfiguration, LifecyclePolicy, Repository

from stacks.parts.retention import kept, removed
from stacks.wiring import Stack

IMAGES_KEPT = 20


def add_repository(stack: Stack) -> Repository:
    """Add it: scanned, encrypted, tags that never move in production; kept, or emptied with its stack."""
    settings = stack.settings
    return stack.add(
        Repository(
            "Repository",
            **(kept() if settings.service.keep_images else removed()),
            RepositoryName=settings.repository_name,
            ImageTagMutability="IMMUTABLE" if settings.production else "MUTABLE",
            ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
            EncryptionConfiguration=EncryptionConfiguration(
                EncryptionType="KMS", KmsKey=stack.imported("security", "KmsKeyArn")
            ),
            LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=_lifecycle()),
            EmptyOnDelete=not settings.service.keep_images,
        )
    )


def _lifecycle() -> str:
    rule = {
        "rulePriority": 1,
        "description": f"Keep the last {IMAGES_KEPT} images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": IMAGES_KEPT},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)
