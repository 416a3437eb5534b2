"""A bucket of records that one AWS service writes and nobody changes: private, versioned, emptied in time."""

from __future__ import annotations

from awacs.aws import Statement
from troposphere import Ref
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    BucketEncryption,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    LifecycleRuleTransition,
    NoncurrentVersionExpiration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)

from stacks.application import Export
from stacks.parts.config_bucket import NOTHING_PUBLIC, OWNER_ONLY, only_with_tls
from stacks.parts.policies import document
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

COLD = "GLACIER_IR"
"""Read at once like any object: who looks into an incident waits for no restore."""

COLD_AFTER_DAYS = 90
LEAST_DAYS_COLD = 90
"""What is paid for at least (Amazon S3 User Guide, "Glacier Instant Retrieval storage class")."""

REPLACED_DAYS = 30
"""How long a version that was overwritten or removed can be taken back."""


def add(stack: Stack, title: str, name: str, *, days: int, bucket_key: bool) -> Bucket:
    """
    Add the bucket; each object leaves it after *days*.

    *bucket_key* saves requests to KMS; not for who would need more rights with it. Objects under 128 KB stay
    warm: S3 moves none of them, since it would cost more (Amazon S3 User Guide, "Transitioning objects").
    """
    key = stack.resolved(Export("security", "KmsKeyArn"))
    by_default = ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=key)
    encryption = ServerSideEncryptionRule(
        BucketKeyEnabled=bucket_key, ServerSideEncryptionByDefault=by_default
    )
    return stack.add(
        Bucket(
            title,
            BucketEncryption=BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
            OwnershipControls=OWNER_ONLY,
            PublicAccessBlockConfiguration=NOTHING_PUBLIC,
            VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
            LifecycleConfiguration=LifecycleConfiguration(Rules=[_aging(days)]),
            **kept_in_production(stack.settings),
        ),
        name=name,
    )


def guard(stack: Stack, bucket: Bucket, *statements: Statement) -> BucketPolicy:
    """Add the policy of *bucket*: *statements*, and nothing without TLS."""
    policy = document(*statements, only_with_tls(bucket))
    return stack.add(BucketPolicy(f"{bucket.title}Policy", Bucket=Ref(bucket), PolicyDocument=policy))


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
