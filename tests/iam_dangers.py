"""What the role that deploys dev-litellm must never be able to do: in words, and as requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.iam_needs import BOUNDARY
from tests.iam_policies import ACCOUNT

AWS = f"arn:aws:{{}}:us-east-1:{ACCOUNT}:"
IAM = f"arn:aws:iam::{ACCOUNT}:"
ROLE, OWN_ROLE = f"{IAM}role/dev-litellm-x", f"{IAM}role/gatestack-deploy-us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def tags(environment: str, kind: str = "Resource") -> dict[str, Any]:
    """What gatestack's tags are in a policy's conditions."""
    values = {"ManagedBy": "gatestack", "Environment": environment, "System": "litellm"}
    return {f"aws:{kind}Tag/{key}": value for key, value in values.items()}


OURS, THEIRS, MINE = tags("dev"), tags("prod"), tags("dev", "Request")
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
CFN = AWS.format("cloudformation")


def to(service: str) -> dict[str, str]:
    """To whom a role is passed."""
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


Danger = tuple[str, str, Mapping[str, Any]]
"""Action, resource, what is known of the request."""

ROLES: Mapping[str, Danger] = {
    "make a user": ("iam:CreateUser", f"{IAM}user/x", {}),
    "make an access key": ("iam:CreateAccessKey", f"{IAM}user/x", {}),
    "make a role without a boundary": ("iam:CreateRole", ROLE, {}),
    "make a role with another boundary": ("iam:CreateRole", ROLE, {"iam:PermissionsBoundary": ADMINISTRATOR}),
    "make a role of another name": ("iam:CreateRole", f"{IAM}role/admin", BOUNDED),
    "attach AdministratorAccess": ("iam:AttachRolePolicy", ROLE, {**BOUNDED, "iam:PolicyARN": ADMINISTRATOR}),
    "give a role without a boundary a policy": ("iam:PutRolePolicy", ROLE, {}),
    "take the boundary off": ("iam:DeleteRolePermissionsBoundary", ROLE, BOUNDED),
    "change the boundary": ("iam:CreatePolicyVersion", BOUNDARY, {}),
    "change its own role": ("iam:PutRolePolicy", OWN_ROLE, BOUNDED),
    "change who takes its own role": ("iam:UpdateAssumeRolePolicy", OWN_ROLE, {}),
    "trust another issuer": ("iam:CreateOpenIDConnectProvider", f"{IAM}oidc-provider/x", {}),
    "pass its own role": ("iam:PassRole", OWN_ROLE, to("lambda")),
    "pass a role to a machine": ("iam:PassRole", ROLE, to("ec2")),
    "pass a role to CloudFormation": ("iam:PassRole", ROLE, to("cloudformation")),
    "take another account's role": ("sts:AssumeRole", "arn:aws:iam::210987654321:role/x", {}),
    "take a role of the account": ("sts:AssumeRole", ROLE, {}),
    "leave the organization": ("organizations:LeaveOrganization", "*", {}),
}

STACKS: Mapping[str, Danger] = {
    "change another environment's stack": (
        "cloudformation:ExecuteChangeSet",
        f"{CFN}stack/prod-litellm-alb/1",
        {},
    ),
    "change its own stack": ("cloudformation:ExecuteChangeSet", f"{CFN}stack/gatestack-bootstrap/1", {}),
    "hand a role to CloudFormation": (
        "cloudformation:CreateChangeSet",
        f"{CFN}stack/dev-litellm-alb/1",
        {"cloudformation:RoleArn": f"{IAM}role/admin"},
    ),
    "import what is there already": (
        "cloudformation:CreateChangeSet",
        f"{CFN}stack/dev-litellm-alb/1",
        {"cloudformation:ImportResourceTypes": ["AWS::KMS::Key"]},
    ),
}

TAKEN_OVER: Mapping[str, Danger] = {
    "make another key ours": ("kms:TagResource", AWS.format("kms") + "key/1", MINE),
    "make another VPC ours": ("ec2:CreateTags", AWS.format("ec2") + "vpc/vpc-1", MINE),
    "make another target group ours": (
        "elasticloadbalancing:AddTags",
        AWS.format("elasticloadbalancing") + "targetgroup/x/1",
        MINE,
    ),
    "make another certificate ours": ("acm:AddTagsToCertificate", AWS.format("acm") + "certificate/1", MINE),
}

OTHERS: Mapping[str, Danger] = {
    "start a machine": ("ec2:RunInstances", AWS.format("ec2") + "instance/*", MINE),
    "read another environment's secret": (
        "secretsmanager:GetSecretValue",
        AWS.format("secretsmanager") + "secret:prod-litellm/database-x",
        {},
    ),
    "read another secret": (
        "secretsmanager:GetSecretValue",
        AWS.format("secretsmanager") + "secret:pay-x",
        {},
    ),
    "write into another bucket": ("s3:PutObject", "arn:aws:s3:::payroll/x", {"aws:ResourceAccount": ACCOUNT}),
    "write into another account's bucket": (
        "s3:PutObject",
        "arn:aws:s3:::dev-litellm-x/y",
        {"aws:ResourceAccount": "210987654321"},
    ),
    "open another bucket": ("s3:PutBucketPolicy", "arn:aws:s3:::payroll", {}),
    "open the artifacts": ("s3:PutBucketPolicy", "arn:aws:s3:::gatestack-bootstrap-artifactsbucket-x", {}),
    "use another key": ("kms:Decrypt", AWS.format("kms") + "key/1", {}),
    "use another environment's key": ("kms:Decrypt", AWS.format("kms") + "key/1", THEIRS),
    "delete another key": ("kms:ScheduleKeyDeletion", AWS.format("kms") + "key/1", {}),
    "delete another VPC": ("ec2:DeleteVpc", AWS.format("ec2") + "vpc/vpc-1", {}),
    "open another security group": (
        "ec2:AuthorizeSecurityGroupIngress",
        AWS.format("ec2") + "security-group/sg-1",
        THEIRS,
    ),
    "route another subnet": ("ec2:CreateRoute", AWS.format("ec2") + "route-table/rtb-1", {}),
    "make a group in another VPC": ("ec2:CreateSecurityGroup", AWS.format("ec2") + "vpc/vpc-1", MINE),
    "delete another database": ("rds:DeleteDBInstance", AWS.format("rds") + "db:payroll", {}),
    "delete another environment's database": (
        "rds:DeleteDBInstance",
        AWS.format("rds") + "db:prod-litellm-db",
        {},
    ),
    "run another task": ("ecs:RunTask", AWS.format("ecs") + "task-definition/payroll:1", {}),
    "push another image": ("ecr:PutImage", AWS.format("ecr") + "repository/payroll", {}),
    "change another zone's record": (
        "route53:ChangeResourceRecordSets",
        "arn:aws:route53:::hostedzone/Z9",
        {},
    ),
    "write another parameter": ("ssm:PutParameter", AWS.format("ssm") + "parameter/prod-litellm/x", {}),
    "stop somebody's trail": ("cloudtrail:StopLogging", AWS.format("cloudtrail") + "trail/audit", {}),
    "work in another region": (
        "ecs:CreateCluster",
        f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/dev-litellm",
        {},
    ),
}

DANGEROUS: Mapping[str, Danger] = {**ROLES, **STACKS, **TAKEN_OVER, **OTHERS}
