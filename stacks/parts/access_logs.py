"""The load balancer's access logs: a private bucket that only log delivery may write to."""

from __future__ import annotations

from awacs import s3 as action
from awacs.aws import Allow, Principal, Statement
from troposphere import Ref, Sub
from troposphere.elasticloadbalancingv2 import LoadBalancer, LoadBalancerAttributes
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)

from stacks.parts.config_bucket import NOTHING_PUBLIC, OWNER_ONLY, only_with_tls
from stacks.parts.policies import document
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack


def add(stack: Stack, balancer: LoadBalancer) -> None:
    """Have *balancer* write its access logs; it waits for the bucket's policy, which AWS tries at once."""
    bucket = _bucket(stack)
    policy = BucketPolicy(
        "AccessLogBucketPolicy",
        Bucket=Ref(bucket),
        PolicyDocument=document(_delivery(bucket), only_with_tls(bucket)),
    )
    stack.add(policy)
    balancer.LoadBalancerAttributes += [
        LoadBalancerAttributes(Key="access_logs.s3.enabled", Value="true"),
        LoadBalancerAttributes(Key="access_logs.s3.bucket", Value=Ref(bucket)),
    ]
    balancer.DependsOn = policy.title


def _bucket(stack: Stack) -> Bucket:
    """S3's own encryption: log delivery can use no other ("Enable access logs", step 1)."""
    by_default = ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
    encryption = ServerSideEncryptionRule(ServerSideEncryptionByDefault=by_default)
    days = stack.settings.observability.log_retention_days
    expiry = LifecycleRule(Id="expire", Status="Enabled", ExpirationInDays=days)
    return stack.add(
        Bucket(
            "AccessLogBucket",
            BucketEncryption=BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
            OwnershipControls=OWNER_ONLY,
            PublicAccessBlockConfiguration=NOTHING_PUBLIC,
            LifecycleConfiguration=LifecycleConfiguration(Rules=[expiry]),
            **kept_in_production(stack.settings),
        ),
        name="access-logs",
    )


def _delivery(bucket: Bucket) -> Statement:
    """
    Let log delivery write below this account's path, as it does for load balancers of this account only.

    Source: User Guide for Application Load Balancers, "Enable access logs", step 2.
    """
    return Statement(
        Sid="LogDelivery",
        Effect=Allow,
        Principal=Principal("Service", "logdelivery.elasticloadbalancing.amazonaws.com"),
        Action=[action.PutObject],
        Resource=[Sub(f"${{{bucket.title}.Arn}}/AWSLogs/${{AWS::AccountId}}/*")],
    )
