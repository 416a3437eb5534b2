"""Consistency of the keys of an existing database and cache with the others. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking.problems import Finding
from stacks.settings import Settings


def store_findings(settings: Settings) -> Iterator[Finding]:
    """
    Yield what ECS and KMS would refuse.

    ECS reads secrets of its own region only (Amazon ECS Developer Guide, "Pass Secrets Manager secrets").
    """
    for key, store in settings.existing_stores.items():
        for name, arn in (("secret_arn", store.secret_arn), ("kms_key_arn", store.kms_key_arn)):
            region = arn.split(":")[3] if arn else settings.region
            if region != settings.region:
                message = f"is in {region}, and tasks in {settings.region} can use none of another region"
                yield Finding(key, message, ("region",), (name,))
        if store.kms_key_arn and not store.secret_arn:
            yield Finding(key, "there is no secret_arn that it encrypts; remove it", below=("kms_key_arn",))
