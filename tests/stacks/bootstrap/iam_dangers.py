"""What the role that deploys dev-litellm must never be able to do: in words, and as requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.stacks.bootstrap.iam_needs import BOUNDARY
from tests.stacks.bootstrap.iam_policies import ACCOUNT

AWS = f"arn:aws:{{}}:us-east-1:{ACCOUNT}:"
IAM = f"arn:aws:iam::{ACCOUNT}:"
ROLE, OWN_ROLE = f"{IAM}role/dev-litellm-x", f"{IAM}role/gatestack-deploy-us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def tags(environment: str, kind: str = "Resource") -> dict[str, Any]:
    """The condition keys of gatestack's tags."""
    values = {"ManagedBy": "gatestack", "Environment": environment, "System": "litellm"}
    return {f"aws:{kind}Tag/{key}": value for key, value in values.items()}


OURS, THEIRS, MINE = tags("dev"), tags("prod"), tags("dev", "Request")
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
CFN = AWS.format("cloudformation")


def to(service: str) -> dict[str, str]:
    """The condition on a role's receiver."""
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


Danger = tuple[str, str, Mapping[str, Any]]
"""Action, resource, context of the request."""

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
        {
            "cloudformation:ChangeSetName": "gatestack-0123456789abcdef",
            "cloudformation:ImportResourceTypes": ["AWS::KMS::Key", "AWS::IAM::Role"],
        },
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

VIA = {"aws:CalledVia": ["cloudformation.amazonaws.com"]}
RDS = AWS.format("rds")
FUNCTION = AWS.format("lambda") + "function:dev-litellm-x"
TARGET = AWS.format("application-autoscaling") + "scalable-target/0123"
IN_ECS = {"application-autoscaling:service-namespace": "ecs"}
ALARM = AWS.format("cloudwatch") + "alarm:dev-litellm-x"
PLAN = {"cloudformation:ChangeSetName": "gatestack-plan-1"}
OWN_STACK = f"{CFN}stack/dev-litellm-alb/1"
OWN_SNAPSHOTS = (
    "snapshot:dev-litellm-database-snapshot-database-1",
    "snapshot:rds:dev-litellm-db-2026-11-28-03-00",
)


def restore(snapshot: str, kind: str = "Instance") -> Danger:
    """A restore of *snapshot*, with a password of the stack's own."""
    action = {"Instance": "RestoreDBInstanceFromDBSnapshot", "Cluster": "RestoreDBClusterFromSnapshot"}[kind]
    return (f"rds:{action}", f"{RDS}{snapshot}", VIA)


DATA: Mapping[str, Danger] = {
    "open another team's snapshot": restore("snapshot:payroll-2026"),
    "open another environment's snapshot": restore("snapshot:prod-litellm-database-snapshot-database-1"),
    "open another team's nightly snapshot": restore("snapshot:rds:payroll-2026-11-28-03-00"),
    "open another team's cluster": restore("cluster-snapshot:payroll", "Cluster"),
    "open a snapshot of AWS Backup's": restore("snapshot:awsbackup:job-1"),
    "open a snapshot that another account shares": (
        "rds:RestoreDBInstanceFromDBSnapshot",
        "arn:aws:rds:us-east-1:210987654321:snapshot:dev-litellm-x",
        VIA,
    ),
    "delete the last snapshot of a database": (
        "rds:DeleteDBSnapshot",
        f"{RDS}snapshot:dev-litellm-database-snapshot-database-1",
        VIA,
    ),
    "delete another environment's snapshot before a migration": (
        "rds:DeleteDBSnapshot",
        f"{RDS}snapshot:prod-litellm-db-before-0123abcd",
        VIA,
    ),
    "copy another team's snapshot": ("rds:CopyDBSnapshot", f"{RDS}snapshot:payroll", VIA),
    "go back in time with another team's database": (
        "rds:RestoreDBInstanceToPointInTime",
        f"{RDS}db:payroll",
        VIA,
    ),
    "give another team's database a password": ("rds:ModifyDBInstance", f"{RDS}db:payroll", VIA),
    "read another account's bucket with a name like ours": (
        "s3:GetObject",
        "arn:aws:s3:::dev-litellm-x/y",
        {"aws:ResourceAccount": "210987654321"},
    ),
    "open another account's bucket with a name like ours": (
        "s3:PutBucketPolicy",
        "arn:aws:s3:::dev-litellm-x",
        {"aws:ResourceAccount": "210987654321"},
    ),
}

TAKEN_ROLES: Mapping[str, Danger] = {
    "say who takes a role that has no boundary": ("iam:UpdateAssumeRolePolicy", ROLE, {}),
    "say who takes a role that has another boundary": (
        "iam:UpdateAssumeRolePolicy",
        ROLE,
        {"iam:PermissionsBoundary": f"{IAM}policy/another"},
    ),
    "lengthen the sessions of a role without a boundary": ("iam:UpdateRole", ROLE, {}),
    "take another team's role away": ("iam:DeleteRole", ROLE, THEIRS),
    "take a policy from another team's role": ("iam:DeleteRolePolicy", ROLE, {}),
    "make another team's role ours": ("iam:TagRole", ROLE, MINE),
    "limit another team's role": ("iam:PutRolePermissionsBoundary", ROLE, BOUNDED),
    "attach a policy to a role without a boundary": (
        "iam:AttachRolePolicy",
        ROLE,
        {"iam:PolicyARN": ADMINISTRATOR},
    ),
    "pass another team's role to a task": ("iam:PassRole", f"{IAM}role/payroll", to("ecs-tasks")),
}

RUNNING: Mapping[str, Danger] = {
    "run our task in another cluster": (
        "ecs:RunTask",
        AWS.format("ecs") + "task-definition/dev-litellm-migration:1",
        {"ecs:cluster": AWS.format("ecs") + "cluster/payroll"},
    ),
    "list the tasks of another cluster": (
        "ecs:ListTasks",
        "*",
        {"ecs:cluster": AWS.format("ecs") + "cluster/payroll"},
    ),
    "scale another team's service": ("application-autoscaling:RegisterScalableTarget", TARGET, IN_ECS),
    "scale another environment's service": (
        "application-autoscaling:PutScalingPolicy",
        TARGET,
        {**IN_ECS, **THEIRS},
    ),
    "take the scaling from another team's service": (
        "application-autoscaling:DeregisterScalableTarget",
        TARGET,
        IN_ECS,
    ),
    "make another target ours": ("application-autoscaling:TagResource", TARGET, MINE),
    "end another team's task definition": ("ecs:DeregisterTaskDefinition", "*", {}),
    "open a function to everybody": ("lambda:AddPermission", FUNCTION, {"lambda:Principal": "*"}),
    "open a function to another account": (
        "lambda:AddPermission",
        FUNCTION,
        {"lambda:Principal": "210987654321"},
    ),
    "change another team's function": (
        "lambda:UpdateFunctionCode",
        AWS.format("lambda") + "function:payroll",
        {},
    ),
    "have an alarm stop a machine": (
        "cloudwatch:PutMetricAlarm",
        ALARM,
        {"cloudwatch:AlarmActions": ["arn:aws:automate:us-east-1:ec2:terminate"]},
    ),
    "have an alarm call another team's function": (
        "cloudwatch:PutMetricAlarm",
        ALARM,
        {"cloudwatch:AlarmActions": [AWS.format("sns") + "dev-litellm-alarms", AWS.format("lambda") + "x"]},
    ),
    "end another team's subscription": ("sns:Unsubscribe", "*", {}),
    "send another team's subscription elsewhere": ("sns:SetSubscriptionAttributes", "*", {}),
    "end another team's flow logs": ("logs:DeleteLogDelivery", "*", {}),
    "take the firewall from another load balancer": ("elasticloadbalancing:SetWebAcl", "*", {}),
    "publish into another team's topic": ("sns:Publish", AWS.format("sns") + "payroll", {}),
    "change another team's rule": ("events:PutTargets", AWS.format("events") + "rule/payroll", {}),
}

TEMPLATES: Mapping[str, Danger] = {
    f"{what} a change set that is not gatestack's": (
        f"cloudformation:{action}ChangeSet",
        OWN_STACK,
        {"cloudformation:ChangeSetName": name},
    )
    for what, action, name in (
        ("execute", "Execute", "theirs"),
        ("delete", "Delete", "theirs"),
        ("execute, by its ARN,", "Execute", f"{CFN}changeSet/theirs/1"),
    )
} | {
    f"take a template from {where}": (
        "cloudformation:CreateChangeSet",
        OWN_STACK,
        {"cloudformation:ChangeSetName": "gatestack-0123456789abcdef", "cloudformation:TemplateUrl": address},
    )
    for where, address in {
        "another bucket": "https://s3.us-east-1.amazonaws.com/payroll/x",
        "a bucket that ends like ours": (
            f"https://s3.us-east-1.amazonaws.com/x/s3.amazonaws.com/gatestack-artifacts-{ACCOUNT}-us-east-1/x"
        ),
        "another account's bucket": (
            "https://s3.us-east-1.amazonaws.com/gatestack-artifacts-210987654321-us-east-1/x"
        ),
    }.items()
}

DANGEROUS: Mapping[str, Danger] = {
    **ROLES, **STACKS, **TAKEN_OVER, **OTHERS, **DATA, **TAKEN_ROLES, **RUNNING, **TEMPLATES
}  # fmt: skip

DEPLOYS_ONLY: Mapping[str, Danger] = {
    "execute a change set": ("cloudformation:ExecuteChangeSet", OWN_STACK, PLAN),
    "lay a change set where a deployment looks": (
        "cloudformation:CreateChangeSet",
        OWN_STACK,
        {"cloudformation:ChangeSetName": "gatestack-0123456789abcdef"},
    ),
    "take a deployment's change set away": (
        "cloudformation:DeleteChangeSet",
        OWN_STACK,
        {"cloudformation:ChangeSetName": f"{CFN}changeSet/gatestack-0123456789abcdef/1"},
    ),
    "delete a stack": ("cloudformation:DeleteStack", OWN_STACK, {}),
    "pass a role to a task": ("iam:PassRole", ROLE, to("ecs-tasks")),
    "read a secret": (
        "secretsmanager:GetSecretValue",
        AWS.format("secretsmanager") + "secret:dev-litellm/x-1",
        {},
    ),
    "plan by a template from the bucket": (
        "cloudformation:CreateChangeSet",
        OWN_STACK,
        {
            "cloudformation:ChangeSetName": "gatestack-plan-1",
            "cloudformation:TemplateUrl": (
                f"https://s3.us-east-1.amazonaws.com/gatestack-artifacts-{ACCOUNT}-us-east-1/x"
            ),
        },
    ),
    "see the outputs of all stacks": ("cloudformation:DescribeStacks", "*", {}),
}
"""Permissions of the deploy role that the plan role must never have."""

PLANS_MAY: Mapping[str, Danger] = {
    "make a plan's change set": ("cloudformation:CreateChangeSet", OWN_STACK, PLAN),
    "delete a plan's change set": ("cloudformation:DeleteChangeSet", OWN_STACK, PLAN),
    "delete it by its ARN": (
        "cloudformation:DeleteChangeSet",
        OWN_STACK,
        {"cloudformation:ChangeSetName": f"{CFN}changeSet/gatestack-plan-1/1"},
    ),
    "see its own stack": ("cloudformation:DescribeStacks", OWN_STACK, {}),
}

PLANS_NEVER: Mapping[str, Danger] = {
    "see another team's stack": ("cloudformation:DescribeStacks", f"{CFN}stack/payroll/1", {}),
    "see another team's template": ("cloudformation:GetTemplate", f"{CFN}stack/payroll/1", {}),
    "see another team's tasks": (
        "ecs:ListTasks",
        "*",
        {"ecs:cluster": AWS.format("ecs") + "cluster/payroll"},
    ),
    "see another zone's records": ("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z9", {}),
    "see another team's parameter": ("ssm:GetParameter", AWS.format("ssm") + "parameter/payroll/x", {}),
    "see another team's logs": ("logs:FilterLogEvents", AWS.format("logs") + "log-group:payroll:*", {}),
}
