"""The base of every bucket: private, encrypted, versioned, TLS only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awacs import s3 as action
from awacs.aws import Bool, Condition, Deny, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)

from stacks.parts.policies import document
from stacks.wiring import Stack

OWNER_ONLY = OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")])
NOTHING_PUBLIC = PublicAccessBlockConfiguration(
    BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
)

S3_MANAGED = ServerSideEncryptionRule(
    ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
)
"""With S3's own keys."""


def with_key(key: Any, *, bucket_key: bool = True) -> ServerSideEncryptionRule:
    """
    Return the encryption with the KMS key of the ARN *key*.

    *bucket_key* saves requests to KMS; not for writers that would need more permissions with it.
    """
    by_default = ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=key)
    return ServerSideEncryptionRule(BucketKeyEnabled=bucket_key, ServerSideEncryptionByDefault=by_default)


def add(
    stack: Stack,
    title: str,
    name: str,
    encryption: ServerSideEncryptionRule,
    retention: Mapping[str, str],
    rules: Sequence[LifecycleRule] = (),
) -> Bucket:
    """Add the bucket; its name is left to CloudFormation, since bucket names are unique worldwide."""
    aging = {"LifecycleConfiguration": LifecycleConfiguration(Rules=list(rules))} if rules else {}
    bucket = Bucket(
        title,
        BucketEncryption=BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
        OwnershipControls=OWNER_ONLY,
        PublicAccessBlockConfiguration=NOTHING_PUBLIC,
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        **aging,
        **retention,
    )
    return stack.add(bucket, name=name)


def guard(stack: Stack, bucket: Bucket, *statements: Statement) -> BucketPolicy:
    """Add the policy of *bucket*: *statements*, and nothing without TLS."""
    policy = document(*statements, _only_with_tls(bucket))
    return stack.add(BucketPolicy(f"{bucket.title}Policy", Bucket=Ref(bucket), PolicyDocument=policy))


def _only_with_tls(bucket: Bucket) -> Statement:
    """Refuse every request without TLS (Amazon S3 User Guide, "Security best practices")."""
    return Statement(
        Sid="OnlyWithTls",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[action.Action("*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool("aws:SecureTransport", "false")),
    )
