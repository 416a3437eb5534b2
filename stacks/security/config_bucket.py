"""The bucket of the configuration file and the functions' code."""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere.kms import Key
from troposphere.s3 import Bucket, LifecycleRule, NoncurrentVersionExpiration

from stacks.parts import private_bucket
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack

OLD_VERSIONS_DAYS = 365
"""How long replaced or removed objects can be restored."""


def needed(stack: Stack) -> bool:
    """Whether it is used: for a configuration file, or the code that rotates a secret."""
    rotated = stack.settings.database.exists or stack.application.rotation is not None
    return rotated or stack.application.config is not None


def add(stack: Stack, key: Key) -> Bucket:
    """Add the bucket and export its name."""
    encryption = private_bucket.with_key(GetAtt(key, "Arn"))
    kept = kept_in_production(stack.settings)
    old = NoncurrentVersionExpiration(NoncurrentDays=OLD_VERSIONS_DAYS)
    expiry = LifecycleRule(Id="old-versions", Status="Enabled", NoncurrentVersionExpiration=old)
    bucket = private_bucket.add(stack, "ConfigBucket", "config", encryption, kept, [expiry])
    private_bucket.guard(stack, bucket)
    stack.export(
        "ConfigBucketName", Ref(bucket), "Bucket of LiteLLM's config.yaml and of the functions' code"
    )
    return bucket
