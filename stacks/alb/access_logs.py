"""The load balancer's access logs: a private bucket that only AWS's log delivery may write to."""

from __future__ import annotations

from awacs import s3 as action
from awacs.aws import Allow, Principal, Statement
from troposphere import Ref, Sub
from troposphere.elasticloadbalancingv2 import LoadBalancer, LoadBalancerAttributes
from troposphere.s3 import Bucket, LifecycleRule, NoncurrentVersionExpiration

from stacks.parts import private_bucket
from stacks.parts.retention import kept_in_production
from stacks.wiring import Stack


def add(stack: Stack, balancer: LoadBalancer) -> None:
    """Have *balancer* write its access logs; it waits for the bucket's policy, which AWS tests at once."""
    bucket = _bucket(stack)
    policy = private_bucket.guard(stack, bucket, _delivery(bucket))
    balancer.LoadBalancerAttributes += [
        LoadBalancerAttributes(Key="access_logs.s3.enabled", Value="true"),
        LoadBalancerAttributes(Key="access_logs.s3.bucket", Value=Ref(bucket)),
    ]
    balancer.DependsOn = policy.title


def _bucket(stack: Stack) -> Bucket:
    """
    S3's own encryption: log delivery can use no other ("Enable access logs", step 1).

    A removed file can be restored until it would have expired.
    """
    days = stack.settings.observability.log_retention_days
    old = NoncurrentVersionExpiration(NoncurrentDays=days)
    expiry = LifecycleRule(
        Id="expire", Status="Enabled", ExpirationInDays=days, NoncurrentVersionExpiration=old
    )
    kept = kept_in_production(stack.settings)
    return private_bucket.add(
        stack, "AccessLogBucket", "access-logs", private_bucket.S3_MANAGED, kept, [expiry]
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
