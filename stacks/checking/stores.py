"""What the keys of a database and a cache that are there already must agree on with the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking.problems import Finding
from stacks.sections.database import ExistingStore
from stacks.settings import Settings


def store_findings(settings: Settings) -> Iterator[Finding]:
    """
    Yield what ECS and KMS would refuse.

    ECS reads secrets of its own region only (Amazon ECS Developer Guide, "Pass Secrets Manager secrets").
    """
    for section, store in _there(settings):
        key = f"{section}.existing"
        for name, arn in (("secret_arn", store.secret_arn), ("kms_key_arn", store.kms_key_arn)):
            region = arn.split(":")[3] if arn else settings.region
            if region != settings.region:
                message = f"is in {region}, and tasks in {settings.region} can use none of another region"
                yield Finding(key, message, ("region",), (name,))
        if store.kms_key_arn and not store.secret_arn:
            yield Finding(key, "there is no secret_arn that it encrypts; remove it", below=("kms_key_arn",))


def store_advice(settings: Settings) -> Iterator[str]:
    """Say what the owner of a secret in another account has to allow."""
    for section, store in _there(settings):
        owner = store.secret_arn.split(":")[4] if store.secret_arn else settings.account
        if settings.account and owner != settings.account:
            # AWS Secrets Manager User Guide, "Access secrets from a different account".
            yield (
                f"{section}.existing.secret_arn: account {owner} has to allow it: the secret's resource "
                "policy and the key policy of its KMS key name the role "
                f"{settings.prefix}-security-ExecutionRole-* of account {settings.account}"
            )


def _there(settings: Settings) -> Iterator[tuple[str, ExistingStore]]:
    if settings.database.existing:
        yield "database", settings.database.existing
    if settings.cache.existing:
        yield "cache", settings.cache.existing
