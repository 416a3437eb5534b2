"""Known causes and what to do about each: one table, as data; `docs/troubleshooting.md` shows the same."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """One cause that is known."""

    pattern: str
    """Regular expression over AWS's message; case does not count."""
    remedy: str
    """What to do, as half a sentence."""
    source: str
    """Where the message is documented or was recorded."""
    example: str
    """The message as AWS words it."""


REMEDIES: tuple[Remedy, ...] = (
    Remedy(
        r"cannot be (updated|deleted|removed) as it is in use by|in use by [\w-]+$",
        "deploy or destroy the stack that imports it first",
        "CloudFormation User Guide, Get exported outputs from a deployed stack",
        "Export dev-litellm-network-VpcId cannot be deleted as it is in use by dev-litellm-alb",
    ),
    Remedy(
        r"No export named",
        "deploy the stack that exports it first",
        "CloudFormation User Guide, Fn::ImportValue",
        "No export named dev-litellm-network-VpcId found",
    ),
    Remedy(
        r"CannotPullContainerError|manifest .*not found|pull image manifest|image .*does not exist",
        "push the image, or correct its tag; without a way to the registry: NAT or the ECR endpoints",
        "ECS Developer Guide, CannotPullContainer task errors",
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
    ),
    Remedy(
        r"ResourceInitializationError",
        "check that the execution role may read the secrets, and that the subnets reach Secrets Manager",
        "ECS Developer Guide, ResourceInitializationError task errors",
        "ResourceInitializationError: unable to pull secrets or registry auth",
    ),
    Remedy(
        r"OutOfMemory",
        "give the task more memory (`service.memory_mb` in the environment's file)",
        "ECS Developer Guide, Stopped tasks error messages",
        "OutOfMemoryError: Container killed due to memory usage",
    ),
    Remedy(
        r"failed .{0,40}health checks|Health checks failed",
        "look at the task logs: the application must answer its health check within the grace period",
        "ECS Developer Guide, Troubleshooting service load balancers",
        "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:...)",
    ),
    Remedy(
        r"circuit breaker|failed to stabilize|did not stabilize|NotStabilized",
        "look at the service's events and the task logs: `gatestack events ENV --stack service`",
        "ECS Developer Guide, Deployment circuit breaker",
        "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
    ),
    Remedy(
        r"not authorized to perform|AccessDenied|is not authorized|UnauthorizedOperation",
        "grant the deploy role the action that is named, then run the same command again",
        "IAM User Guide, Troubleshoot access denied error messages",
        "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ecs:CreateCluster",
    ),
    Remedy(
        r"already exists",
        "something outside this stack has that name, perhaps what an earlier `gatestack destroy` kept, which "
        "holds data or its key: look first; then delete it, or rename the environment",
        "CloudFormation User Guide, Troubleshooting CloudFormation",
        "/litellm/dev already exists in stack arn:aws:cloudformation:...",
    ),
    Remedy(
        r"LimitExceeded|limit exceeded|maximum number of|quota",
        "ask for a higher quota (Service Quotas), or remove what is no longer used",
        "CloudFormation User Guide, Troubleshooting CloudFormation, Limit exceeded",
        "The maximum number of VPCs has been reached.",
    ),
    Remedy(
        r"bucket you tried to delete is not empty",
        "empty the bucket, then run the same command again",
        "S3 API Reference, Error responses, BucketNotEmpty",
        "The bucket you tried to delete is not empty",
    ),
    Remedy(
        r"has dependencies|DependencyViolation|dependent object",
        "delete what still uses it, then run it again",
        "EC2 API Reference, Error codes, DependencyViolation",
        "The vpc 'vpc-0abc' has dependencies and cannot be deleted.",
    ),
    Remedy(
        r"scheduled for deletion",
        "restore the secret (`aws secretsmanager restore-secret`), or wait until its recovery window is over",
        "Secrets Manager User Guide, Delete a secret",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    ),
    Remedy(
        r"Cannot find version|version .* (is )?not (supported|available|found)",
        "choose a version that the region offers: `aws rds describe-db-engine-versions`",
        "RDS User Guide, Troubleshooting",
        "Cannot find version 15.99 for postgres",
    ),
    Remedy(
        r"certificate",
        "the certificate has to be ISSUED and in the region of the load balancer",
        "Elastic Load Balancing API Reference, CreateListener, CertificateNotFound",
        "Certificate ARN 'arn:aws:acm:...' is not valid",
    ),
    Remedy(
        r"service.linked role",
        "create it once for the account: `aws iam create-service-linked-role`, then run this again",
        "ECS Developer Guide, Service-linked role for Amazon ECS",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
    Remedy(
        r"Rate exceeded|Throttling",
        "AWS throttled the account: run the same command again",
        "CloudFormation API Reference, Common error types",
        "Rate exceeded (Service: Ecs, Status Code: 400)",
    ),
)
"""In the order in which they are tried: what is more exact comes first."""


def remedy(reason: str) -> str:
    """Return what to do about a failure with this *reason*; empty where nobody knows."""
    return next((one.remedy for one in REMEDIES if re.search(one.pattern, reason, re.IGNORECASE)), "")
