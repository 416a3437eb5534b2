"""AWS's limits and gatestack's fixed names, as data, each with its source. Decides nothing."""

from __future__ import annotations

from typing import Final, Literal

Occasion = Literal["begin", "approval", "failure", "drift", "success"]
"""Events that a notification can be about."""
Receiver = Literal["slack", "teams", "webhook"]
"""Format of a notification; webhook: JSON for a program of one's own."""

OWN_OUTPUT: Final = r"\$\{[a-z][a-z0-9-]*\.[A-Za-z0-9]{1,255}\}"
"""An output of a stack of the team's own, in a text: ``${extras.BucketArn}``."""

REGION: Final = r"[a-z]{2,4}(-[a-z]+)+-[0-9]"
DOMAIN: Final = r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
EMAIL: Final = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)

IMAGE_NAME: Final = (
    r"(?=.{1,255}$)([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
    r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)
"""Registry and repository without tag (Open Container Initiative, Distribution Specification)."""

RESERVED_PREFIXES: Final = {
    "aws": "an SSM parameter's name",
    "ssm": "an SSM parameter's name",
    "sg-": "a security group's name",
    "internal-": "a load balancer's name",
    "sthree-": "a bucket's name",
    "amzn-s3-demo-": "a bucket's name",
}
"""
What names may not begin with -> which. All names begin with that of the environment and a hyphen, also those
that CloudFormation makes of the stack's. Read 2026-11-28: SSM API Reference, PutParameter, Name; EC2 API
Reference, CreateSecurityGroup, GroupName; ELB API Reference, CreateLoadBalancer, Name; Amazon S3 User Guide,
"General purpose bucket naming rules".
"""

LARGEST_NETWORK: Final = 16
SMALLEST_NETWORK: Final = 28
"""Prefix lengths of a VPC and of a subnet (Amazon VPC User Guide, VPC CIDR blocks; Subnet sizing)."""

SMALLEST_ALB_SUBNET: Final = 27
"""Elastic Load Balancing, Application Load Balancers, Subnets for your load balancer."""

SUBNET_NUMBERS: Final = {
    "public_subnet_cidrs": (1, 2),
    "private_subnet_cidrs": (11, 12),
    "data_subnet_cidrs": (21, 22),
}
"""Which /24 of the VPC each subnet is by default (S1; the data subnets continue its numbering)."""


def _steps(low_gb: int, high_gb: int, step_gb: int = 1) -> tuple[int, ...]:
    return tuple(gb * 1024 for gb in range(low_gb, high_gb + 1, step_gb))


FARGATE_MEMORY_MB: Final = {
    256: (512, 1024, 2048),
    512: _steps(1, 4),
    1024: _steps(2, 8),
    2048: _steps(4, 16),
    4096: _steps(8, 30),
    8192: _steps(16, 60, 4),
    16384: _steps(32, 120, 8),
}
"""Memory in MB by CPU units (Amazon ECS Developer Guide, Fargate task definition parameters, Task size)."""

LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""CloudWatch Logs API Reference, PutRetentionPolicy, retentionInDays."""

MOST_LOG_BUFFER_MB: Final = 256
"""Ours: Fargate's smallest task has 512 MB, and Docker knows no limit."""

MOST_ARCHIVE_DAYS: Final = 36_500
"""A hundred years: S3 itself has no limit."""

ROLLBACK_TRIGGERS: Final = 5
"""Alarms that one stack is rolled back by (CloudFormation API Reference, RollbackConfiguration)."""

MOST_ROLLBACK_MINUTES: Final = 180
"""CloudFormation API Reference, RollbackConfiguration, MonitoringTimeInMinutes."""

MOST_TIMEOUT_MINUTES: Final = 1440
"""A day: no operation on a stack of ours takes longer."""

LIVE_MINORS: Final = {"15": "15.15", "16": "16.11", "17": "17.7"}
"""The tested minor of each PostgreSQL major: those that RDS upgrades to by itself when an older one ends."""

FIRST_LIVE_MINOR: Final = {"15": 13, "16": 9, "17": 5, "18": 1}
"""Older minors can no longer be created (Amazon RDS for PostgreSQL Release Notes; cfn-lint W3691)."""

FIRST_LIVE_MINOR_OF_AURORA: Final = {"15": 12, "16": 8, "17": 4}
"""The same of Aurora (Release Notes for Aurora PostgreSQL; cfn-lint W3691)."""

MOST_ACU: Final = 256
"""Aurora capacity units, each about 2 GiB (RDS API Reference, ServerlessV2ScalingConfiguration)."""

BEDROCK_MODELS: Final = 32
"""
As many inference profiles fit into a role beside the rest.

IAM User Guide, "IAM and AWS STS quotas": a role's inline policies have 10,240 characters.
"""

GP3_STORAGE_GB: Final = (20, 65536)
"""Amazon RDS User Guide, gp3 storage, RDS for PostgreSQL."""

CACHE_NODES: Final = (1, 6)
"""A primary and five replicas (ElastiCache User Guide, "Quotas for ElastiCache")."""

PRODUCTION_BACKUP_DAYS: Final = 7
"""S1, Database Architecture."""

TAG_TEXT: Final = r"[\w .:/=+@-]*"
TAG_KEY_LENGTH: Final = 127
TAG_VALUE_LENGTH: Final = 255
TAG_KEY_RULE: Final = "a tag's name has 1 to 127 letters, digits, spaces and _ . : / = + - @"
TAG_VALUE_RULE: Final = "a tag's value has 1 to 255 letters, digits, spaces and _ . : / = + - @"
"""
One character less than elsewhere, and no empty value: what every service takes ("AWS::ECR::Repository Tag",
"AWS::CloudWatch::Alarm Tag").
"""

TAGS_OF_A_RESOURCE: Final = 50
"""AWS General Reference, Tag naming limits and requirements."""

OWN_TAGS: Final = ("Environment", "System", "Stack", "ManagedBy", "Name")
"""Tags that every resource gets from gatestack, or may get."""

VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""A name of the environment (POSIX.1, Base Definitions, 8.1); Secrets Manager takes all of it in a name."""

VARIABLE_LENGTH: Final = 64
"""So that the export of its secret's ARN has room in CloudFormation's 128 characters."""

WHOLE_SECRET_ARN: Final = (
    rf"arn:aws[a-z-]*:secretsmanager:{REGION}:[0-9]{{12}}:secret:[A-Za-z0-9/_+=.@-]{{1,512}}-[A-Za-z0-9]{{6}}"
)
KMS_KEY_ARN: Final = rf"arn:aws[a-z-]*:kms:{REGION}:[0-9]{{12}}:key/[A-Za-z0-9-]{{1,64}}"
"""Of the key itself: an alias names none in a policy."""
SECRET_ARN: Final = WHOLE_SECRET_ARN + r"(:[^:\s]*:[^:\s]*:[^:\s]*)?"
"""
Amazon ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables"; its JSON
key, stage and version need Fargate's platform version 1.4.0, the only one that ECS gives to a service now.
"""

PARAMETER_ARN: Final = rf"arn:aws[a-z-]*:ssm:{REGION}:[0-9]{{12}}:parameter/[A-Za-z0-9_./-]{{1,1011}}"
"""Systems Manager API Reference, PutParameter, Name; of another region's, ECS takes the whole ARN alone."""

SOURCE_CHARACTERS: Final = 2500
"""
Of all ARNs in `service.secrets_from`: the execution role names each of them, and nothing else.

IAM User Guide, "IAM and AWS STS quotas": a role's inline policies have 10,240 characters. While the list
changes, the role has the old one and the new one.
"""

MOST_VARIABLES: Final = 100
"""
Variables of a file: each is an output of the security stack.

CloudFormation User Guide, "CloudFormation quotas": a template has 200 outputs.
"""

OWN_VARIABLES: Final = frozenset(
    {
        "DATABASE_HOST",
        "DATABASE_NAME",
        "DATABASE_PASSWORD",
        "DATABASE_USERNAME",
        "DISABLE_SCHEMA_UPDATE",
        "GRACEFUL_SHUTDOWN_TIMEOUT",
        "HOME",
        "KEEPALIVE_TIMEOUT",
        "LITELLM_ASSETS_PATH",
        "LITELLM_CONFIG_BUCKET_NAME",
        "LITELLM_CONFIG_BUCKET_OBJECT_KEY",
        "LITELLM_LOG",
        "LITELLM_MASTER_KEY",
        "LITELLM_MIGRATION_DIR",
        "LITELLM_MODE",
        "LITELLM_SALT_KEY",
        "LITELLM_UI_PATH",
        "STORE_MODEL_IN_DB",
        "UI_PASSWORD",
        "UI_USERNAME",
    }
)
"""Environment variables that the templates set in every proxy task."""

CACHE_VARIABLES: Final = frozenset({"REDIS_HOST", "REDIS_PASSWORD", "REDIS_PORT", "REDIS_SSL"})
"""Environment variables that the templates set in every proxy task where there is a cache."""

OTHER_CACHE_VARIABLES: Final = frozenset({"REDIS_URL", "REDIS_USERNAME"})
"""Variables that LiteLLM reads before or beside them (LiteLLM docs, "Caching")."""

FARGATE_VARIABLES: Final = frozenset({"AWS_DEFAULT_REGION", "AWS_REGION"})
"""Variables that Fargate sets, and that LiteLLM's file may refer to."""

ROLE_VARIABLES: Final = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
"""What AWS's libraries log in with before they ask for the task's role (AWS SDKs and Tools Reference Guide,
"Standardized credential providers")."""

TEMPLATE_VARIABLES: Final = OWN_VARIABLES | {
    "ANTHROPIC_API_KEY",
    "AWS_REGION",
    "AWS_REGION_NAME",
    "DATABASE_CERTIFICATE",
    "DATABASE_PORT",
    "DATABASE_SSLROOTCERT",
    "DATABASE_URL",
    "DATABASE_USER",
    "ENFORCE_PRISMA_MIGRATION_CHECK",
    "IAM_TOKEN_DB_AUTH",
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "NUM_WORKERS",
    "OPENAI_API_KEY",
    "PORT",
    "PROMPT_LOG_BUCKET",
}
"""Environment variables that the templates set in some container, or that must keep their meaning."""

PROVIDER_KEYS: Final = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""Provider -> variable and JSON key of the api-keys secret; Bedrock is called with the task's role."""

MOVING_TAG: Final = r"(.*[-_.])?(latest|stable|main|nightly)(?<!\d-stable)"
"""Image tags that are moved from release to release; main-v1.83.14-stable is not one of them."""

MALICIOUS_RELEASE: Final = r"(?<![0-9.])1\.82\.[78](?![0-9])"
"""LiteLLM 1.82.7 and 1.82.8 (BerriAI/litellm#24512)."""

FUNCTION_RUNTIME: Final = "python3.13"
"""Lambda's runtime of the rotations."""

LITELLM_IMAGES: Final = r"(ghcr\.io|docker\.litellm\.ai)/berriai/"
"""Where LiteLLM publishes what it signs (LiteLLM docs, "Docker Image Security Guide")."""

MASTER_KEY: Final = "os.environ/LITELLM_MASTER_KEY"
"""How LiteLLM's file refers to the master key that the task gets from Secrets Manager."""

ENVIRONMENT: Final = "os.environ/"
"""What a reference to a variable begins with in LiteLLM's file (LiteLLM docs, "All settings")."""

FORBIDDEN_GENERAL_SETTINGS: Final = {
    "database_url": "the tasks get the login that is rotated; remove it",
    "disable_custom_api_keys": (
        "forbids what the rotation of the master key needs, that the old key stays valid; remove it"
    ),
}
"""Key of general_settings -> why it may not be set (LiteLLM docs, "All settings", "Virtual keys")."""

CALLBACKS: Final = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "input_callback",
    "service_callback",
    "post_call_rules",
)
CUSTOM_CODE: Final = ("custom_auth", "custom_key_generate", "custom_key_update", "custom_sso")
"""Keys of litellm_settings, and of general_settings, that may name Python code (LiteLLM docs, callbacks)."""

RESOURCE_NAMES: Final = {
    "load balancer": ("{prefix}", 32),
    "target group": ("{prefix}-green", 32),
    "database": ("{prefix}-aurora-000000-16", 63),
    "cache": ("{prefix}-redis", 40),
    "stack": ("{prefix}-database", 128),
    "export": ("{prefix}-network-EndpointSecurityGroupId", 128),
    "repository": ("{prefix}", 256),
    "log group": ("/aws/lambda/{prefix}-master-key-rotation", 512),
    "task definition": ("{prefix}-migration", 255),
    "cluster": ("{prefix}-migration", 255),
    "rotation function": ("{prefix}-master-key-rotation", 64),
    "delivery stream": ("{prefix}-log-archive", 64),
    "trail": ("{prefix}-trail", 128),
    "secret": ("{prefix}/master-key-seed", 512),
}
"""Longest name of each kind and its limit (API references of ELBv2, RDS, ElastiCache, CloudFormation, ECR,
Logs, ECS, Lambda and Secrets Manager)."""

KEPT_OF_STACK: Final = 24
"""
Characters of a stack's name that are sure to begin the name that CloudFormation makes of it.

Where a service's limit is short (roles: 64, buckets: 63) both the stack's name and the logical id are cut,
each to half of what the random end leaves at the worst; how exactly is not documented.
"""
SECTIONS: Final = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
)
"""Of a template that gatestack deploys (CloudFormation User Guide, "Template sections"); no Hooks."""
TRANSFORMS: Final = frozenset({"AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"})
"""AWS's own, which load nothing from elsewhere; the output of other macros is not reviewed."""
