"""The bucket of the configuration file and the functions' code: private, versioned, encrypted, TLS only."""

from __future__ import annotations

from awacs import s3 as action
from awacs.aws import Bool, Condition, Deny, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere.kms import Key
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)

from stacks.parts.policies import document
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

OWNER_ONLY = OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")])
NOTHING_PUBLIC = PublicAccessBlockConfiguration(
    BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
)


def needed(stack: Stack) -> bool:
    """Whether anything is put in it: a configuration file, or the code that rotates a secret."""
    rotated = stack.settings.database.exists or stack.application.rotation is not None
    return rotated or stack.application.config is not None


def add(stack: Stack, key: Key) -> Bucket:
    """Add the bucket; its name is left to CloudFormation, since bucket names are unique worldwide."""
    by_default = ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=GetAtt(key, "Arn"))
    encryption = ServerSideEncryptionRule(BucketKeyEnabled=True, ServerSideEncryptionByDefault=by_default)
    bucket = stack.add(
        Bucket(
            "ConfigBucket",
            BucketEncryption=BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
            OwnershipControls=OWNER_ONLY,
            PublicAccessBlockConfiguration=NOTHING_PUBLIC,
            VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
            **kept_in_production(stack.settings),
        ),
        name="config",
    )
    stack.add(
        BucketPolicy("ConfigBucketPolicy", Bucket=Ref(bucket), PolicyDocument=document(only_with_tls(bucket)))
    )
    stack.export(
        "ConfigBucketName", Ref(bucket), "Bucket of LiteLLM's config.yaml and of the functions' code"
    )
    return bucket


def only_with_tls(bucket: Bucket) -> Statement:
    """Refuse every request without TLS (Amazon S3 User Guide, "Security best practices")."""
    return Statement(
        Sid="OnlyWithTls",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[action.Action("*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool("aws:SecureTransport", "false")),
    )
