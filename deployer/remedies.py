"""
Known causes and their remedies: one table, as data; docs/troubleshooting.md shows the same.

The same text can mean different things from different resource types, so a row names the types it applies to:
a wrong remedy is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deployer import denials
from deployer.checks.names import NAMES

ECS = ("AWS::ECS::Service",)
RDS = ("AWS::RDS::",)
LISTENER = ("AWS::ElasticLoadBalancingV2::Listener",)
STEADY = "check the service's events and the task logs: `gatestack events ENV --stack service`"
AGAIN = "run the same command again in a few minutes"
TAKEN = (
    "a resource outside this stack has that name: check whose it is. What an earlier `gatestack destroy` "
    "kept, `gatestack deploy` imports; delete anything else, or rename the environment"
)


@dataclass(frozen=True)
class Remedy:
    """One cause that is known."""

    pattern: str
    """Regular expression over AWS's message; case does not count."""
    remedy: str
    """What to do, as a clause without a full stop."""
    source: str
    """Where the message is documented or was recorded."""
    example: str
    """The message as AWS words it."""
    types: tuple[str, ...] = ()
    """Beginnings of the resource types that say it so; none: the words alone are clear enough."""

    def fits(self, reason: str, type_: str) -> bool:
        """Whether it is the cause of a failure of a resource of *type_* with this *reason*."""
        if self.types and not type_.startswith(self.types):
            return False
        return re.search(self.pattern, reason, re.IGNORECASE | re.DOTALL) is not None


def _denial(one: denials.Denial, pattern: str) -> Remedy:
    return Remedy(pattern, one.remedy, denials.SOURCE, f"... is not authorized to perform: ... {one.example}")


REMEDIES: tuple[Remedy, ...] = (
    *(_denial(one, one.pattern) for one in denials.DENIALS),
    _denial(denials.IDENTITY, rf"explicit deny in an? {denials.IDENTITY.policy}"),
    _denial(denials.UNNAMED, denials.UNNAMED.policy),
    Remedy(
        r"\bexport\b.* as it is in use by",
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
        r"CannotPull\w*Error|pull image manifest",
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
        r"(?<![.\w])OutOfMemoryError: (Container )?killed",
        "give the task more memory (`service.memory_mb` in the environment's file)",
        "ECS Developer Guide, Stopped tasks error messages",
        "OutOfMemoryError: Container killed due to memory usage",
    ),
    Remedy(
        r"failed .{0,40}health checks|Health checks failed",
        "check the task logs: the application must answer its health check within the grace period",
        "ECS Developer Guide, Troubleshooting service load balancers",
        "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:...)",
        ECS,
    ),
    Remedy(
        r"Rate exceeded|Rate limit exceeded|\bThrottling(Exception)?\b(?! settings)|Request ?Limit ?Exceeded"
        r"|TooManyRequestsException",
        "AWS throttled the account: run the same command again",
        "CloudFormation API Reference, Common error types",
        "Rate exceeded (Service: Ecs, Status Code: 400)",
    ),
    Remedy(
        r"circuit breaker|No rollback candidate was found",
        STEADY,
        "ECS Developer Guide, Deployment circuit breaker",
        "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
    ),
    Remedy(
        r"failed to stabilize|did not stabilize|NotStabilized",
        STEADY,
        "CloudFormation User Guide, Troubleshooting CloudFormation, ECS service did not stabilize",
        "Resource handler returned message: ... did not stabilize (HandlerErrorCode: NotStabilized)",
        ECS,
    ),
    Remedy(
        r"not authorized to perform|AccessDenied|UnauthorizedOperation",
        "grant the deploy role the action that is named, then run the same command again",
        "IAM User Guide, Troubleshoot access denied error messages",
        "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: ecs:CreateCluster",
    ),
    Remedy(
        r"secret with this name is already scheduled for deletion",
        "`aws secretsmanager delete-secret --secret-id NAME --force-delete-without-recovery` frees the name "
        "at once and for good; or wait until its recovery window is over",
        "Secrets Manager User Guide, Delete a secret",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    ),
    Remedy(
        r"KMSInvalidState|(?<!table )is pending deletion|pending deletion.*\bkms\b",
        "the key is pending deletion: `aws kms cancel-key-deletion --key-id KEY`, then `aws kms enable-key "
        "--key-id KEY`; once it is deleted, what it encrypted cannot be decrypted",
        "KMS Developer Guide, Deleting KMS keys; Key states of KMS keys",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd is pending deletion.",
    ),
    Remedy(
        r"arn:\S+:key/\S+ is disabled|DisabledException",
        "the key is disabled: `aws kms enable-key --key-id KEY`",
        "KMS Developer Guide, Enabling and disabling keys; Key states of KMS keys",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd is disabled.",
    ),
    Remedy(
        r"custom-named resource requires replacing",
        "CloudFormation cannot replace a resource that has a fixed name: `gatestack plan ENV` shows which "
        "property causes the replacement; undo that change, or change the name as well",
        "CloudFormation Template Reference, Resource custom naming",
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
        "dev-litellm and update the stack again.",
    ),
    Remedy(
        r"currently in use by a listener|capacity provider is in use",
        f"what uses it is still being deleted: {AGAIN}",
        "recorded by users of CDK and Terraform; ELB API Reference, DeleteTargetGroup",
        "Target group 'arn:...' is currently in use by a listener or a rule",
    ),
    Remedy(
        r"WAFUnavailableEntity|AWS WAF couldn.t retrieve the resource",
        f"WAF does not know the ACL or the load balancer yet: {AGAIN}",
        "recorded by users of Terraform; WAF API Reference, AssociateWebACL",
        "AWS WAF couldn't retrieve the resource that you requested. Retry your request.",
        ("AWS::WAFv2::",),
    ),
    Remedy(
        r"unable to assume role|cannot be assumed by Lambda",
        f"IAM does not know the role everywhere yet: {AGAIN}",
        "recorded by users of Terraform; IAM User Guide, Troubleshoot IAM",
        "Firehose is unable to assume role arn:aws:iam::111122223333:role/x. Please check the role provided.",
        ("AWS::KinesisFirehose::", "AWS::Lambda::"),
    ),
    Remedy(
        r"conflicting DNS domain",
        "the VPC has another endpoint of that service with private DNS: use that one "
        "(`network.vpc_endpoints: false`), or delete it",
        "recorded by users of Terraform; EC2 API Reference, CreateVpcEndpoint",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for ...",
        ("AWS::EC2::VPCEndpoint",),
    ),
    Remedy(
        r"with identifier .* already exists|already exists in stack arn:",
        TAKEN,
        "CloudFormation User Guide, Troubleshooting CloudFormation",
        "Resource of type 'AWS::Logs::LogGroup' with identifier '/litellm/dev' already exists.",
    ),
    Remedy(
        r"already exists|AlreadyExists|name .*(is taken|in use)",
        TAKEN,
        "CloudFormation User Guide, Troubleshooting CloudFormation",
        "The specified log group already exists",
        tuple(NAMES),
    ),
    Remedy(
        r"(?<!Request)LimitExceeded|ServiceQuotaExceeded|maximum number of [\w\s]+ has been reached"
        r"|(?<!request )(?<!rate )limit exceeded|exceed(ed|s)? .{0,60}quota (?!for PolicySize)"
        r"|exceed quota for (?!PolicySize)|would exceed the limit of \d"
        r"|reached (the|your) limit o[nf] ",
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
        r"mapped public address",
        f"interfaces of a load balancer or NAT gateway are deleted minutes after it: {AGAIN}",
        "recorded by users of eksctl and CDK; EC2 API Reference, DetachInternetGateway",
        "Network vpc-0abc has some mapped public address(es).",
        ("AWS::EC2::",),
    ),
    Remedy(
        r"Cannot delete protected (DB Instance|Cluster)|deletion protection is enabled",
        "after a failed first creation run `gatestack deploy ENV` again: it disables the protection; "
        "otherwise `gatestack destroy ENV --force` disables it",
        "RDS User Guide, Deleting a DB instance; Application Load Balancers User Guide, Deletion protection",
        "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        ("AWS::RDS::", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
    ),
    Remedy(
        r"has dependencies|DependencyViolation|dependent object",
        "delete what still uses it, then run it again",
        "EC2 API Reference, Error codes, DependencyViolation",
        "The vpc 'vpc-0abc' has dependencies and cannot be deleted.",
        ("AWS::EC2::",),
    ),
    Remedy(
        r"Cannot find version|version .* (is )?not (supported|available|found)",
        "choose a version that the region offers: `aws rds describe-db-engine-versions`",
        "RDS User Guide, Troubleshooting",
        "Cannot find version 15.99 for postgres",
        RDS,
    ),
    Remedy(
        r"previous storage change is being optimized",
        "RDS changes storage once in six hours, and not before the last change is optimized: set "
        "`database.storage_gb` back, or deploy again later",
        "Amazon RDS User Guide, Increasing DB instance storage capacity",
        "You can't currently modify the storage of this DB instance because the previous storage change is "
        "being optimized.",
        RDS,
    ),
    Remedy(
        r"Invalid storage size for engine",
        "storage cannot shrink, and storage restored from a snapshot has at least the snapshot's size: raise "
        "`database.storage_gb`",
        "Amazon RDS User Guide, Increasing DB instance storage capacity",
        "Invalid storage size for engine name postgres and storage type gp3: 20",
        RDS,
    ),
    Remedy(
        r"previous rotation isn't complete",
        "`gatestack rotate ENV SECRET` completes the rotation, then deploy again; or cancel it: "
        "`gatestack docs rotation-failed`",
        "Secrets Manager API Reference, RotateSecret",
        "A previous rotation isn't complete. That rotation will be reattempted.",
        ("AWS::SecretsManager::RotationSchedule",),
    ),
    Remedy(
        r"certificate",
        "the certificate must be ISSUED and in the region of the load balancer",
        "Elastic Load Balancing API Reference, CreateListener, CertificateNotFound",
        "Certificate ARN 'arn:aws:acm:...' is not valid",
        LISTENER,
    ),
    Remedy(
        r"not available in this availability zone|can currently only be created in the following availability"
        r"|does not support the availability zone",
        "name zones that have it as `network.availability_zones` in the environment's file (in an "
        "existing VPC: subnets of other zones), then deploy again",
        "recorded by users of AWS CDK and of widdix/aws-cf-templates; AWS PrivateLink Guide",
        "Nat Gateway is not available in this availability zone",
        ("AWS::EC2::NatGateway", "AWS::EC2::Subnet", "AWS::EC2::VPCEndpoint"),
    ),
    Remedy(
        r"(assume|create|verify)\b.{0,80}service.linked role"
        r"|service.linked role .{0,60}(does not exist|exists)",
        "create it once for the account: `aws iam create-service-linked-role`, then run this again",
        "ECS Developer Guide, Service-linked role for Amazon ECS",
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
    ),
)
"""In the order in which they are tried: what is more exact comes first."""


def remedy(reason: str, type_: str = "") -> str:
    """
    Return what to do about a failure with this *reason*; empty if unknown.

    *type_*: of the resource that gave it; empty where it was a request or a whole stack.
    """
    return next((one.remedy for one in REMEDIES if one.fits(reason, type_)), "")
