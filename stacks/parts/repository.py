"""The environment's own image repository."""

from __future__ import annotations

import json

from troposphere.ecr import EncryptionConfiguration, ImageScanningConfiguration, LifecyclePolicy, Repository

from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

IMAGES_KEPT = 20


def add_repository(stack: Stack) -> Repository:
    """Add it: scanned, encrypted, immutable tags in production, emptied with its stack elsewhere."""
    settings = stack.settings
    return stack.add(
        Repository(
            "Repository",
            **kept_in_production(settings),
            RepositoryName=settings.repository_name,
            ImageTagMutability="IMMUTABLE" if settings.production else "MUTABLE",
            ImageScanningConfiguration=ImageScanningConfiguration(ScanOnPush=True),
            EncryptionConfiguration=EncryptionConfiguration(
                EncryptionType="KMS", KmsKey=stack.imported("security", "KmsKeyArn")
            ),
            LifecyclePolicy=LifecyclePolicy(LifecyclePolicyText=_lifecycle()),
            EmptyOnDelete=not settings.production,
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
