"""A bucket of records that one AWS service writes and nobody changes; objects expire."""

from __future__ import annotations

from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    LifecycleRule,
    LifecycleRuleTransition,
    NoncurrentVersionExpiration,
)

from stacks.application import Export
from stacks.parts import private_bucket
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

COLD = "GLACIER_IR"
"""Storage class that is read at once, as an incident cannot wait for a restore."""

COLD_AFTER_DAYS = 90
LEAST_DAYS_COLD = 90
"""Least days that are charged (Amazon S3 User Guide, "Glacier Instant Retrieval storage class")."""

REPLACED_DAYS = 30
"""How long an overwritten or removed version can be restored."""


def add(stack: Stack, title: str, name: str, *, days: int, bucket_key: bool) -> Bucket:
    """
    Add the bucket; each object leaves it after *days*. *bucket_key* is `private_bucket.with_key`'s.

    Objects under 128 KB stay warm: S3 moves none of them, since it would cost more (Amazon S3 User Guide,
    "Transitioning objects").
    """
    key = stack.resolved(Export("security", "KmsKeyArn"))
    encryption = private_bucket.with_key(key, bucket_key=bucket_key)
    kept = kept_in_production(stack.settings)
    return private_bucket.add(stack, title, name, encryption, kept, [_aging(days)])


def _aging(days: int) -> LifecycleRule:
    rule = LifecycleRule(
        Id="age",
        Status="Enabled",
        ExpirationInDays=days,
        NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=REPLACED_DAYS),
        AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(DaysAfterInitiation=7),
    )
    if days >= COLD_AFTER_DAYS + LEAST_DAYS_COLD:
        rule.Transitions = [LifecycleRuleTransition(StorageClass=COLD, TransitionInDays=COLD_AFTER_DAYS)]
    return rule
