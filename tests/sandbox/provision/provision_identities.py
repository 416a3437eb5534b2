"""Rows of the provisioning table: keys, secrets, permissions, buckets, topics, parameters, logs, alarms."""

import json
from typing import Any

from sandbox.provisioning import Provisioned
from tests.sandbox.provision.provision_case import ARN, Case, first, tags_of
from tests.sandbox.provision_world import KEY_POLICY, POLICY, TRUST, World

OTHER = {**POLICY, "Statement": [{**POLICY["Statement"][0], "Action": "s3:PutObject"}]}  # type: ignore[dict-item]  # JSON


def role_read(world: World, made: Provisioned) -> Any:
    iam, which = world.api("iam"), {"RoleName": made.physical_id}
    attached = [
        policy["PolicyName"] for policy in iam.list_attached_role_policies(**which)["AttachedPolicies"]
    ]
    return (
        attached,
        iam.list_role_policies(**which)["PolicyNames"],
        iam.get_role(**which)["Role"]["Description"],
    )


def managed_read(world: World, made: Provisioned) -> Any:
    iam = world.api("iam")
    version = iam.get_policy(PolicyArn=made.physical_id)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=made.physical_id, VersionId=version)["PolicyVersion"][
        "Document"
    ]
    roles = iam.list_entities_for_policy(PolicyArn=made.physical_id)["PolicyRoles"]
    return document["Statement"][0]["Action"], len(roles)


def bucket_read(world: World, made: Provisioned) -> Any:
    s3, which = world.api("s3"), {"Bucket": made.physical_id}
    rule = s3.get_bucket_encryption(**which)["ServerSideEncryptionConfiguration"]["Rules"][0]
    block = s3.get_public_access_block(**which)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    days = s3.get_bucket_lifecycle_configuration(**which)["Rules"][0]["Expiration"]["Days"]
    algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    tags = tags_of(s3.get_bucket_tagging(**which)["TagSet"])
    return algorithm, s3.get_bucket_versioning(**which)["Status"], block, days, tags


def bucket_properties(days: int) -> dict[str, Any]:
    by_default = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    return {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [by_default]},
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": days}]},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    }


def alarm_read(world: World, made: Provisioned) -> Any:
    found = first(world, "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=[made.physical_id])
    return found["Threshold"], found["AlarmActions"]


def alarm_properties(threshold: int) -> dict[str, Any]:
    return {
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:us-east-1:1:t"],
    }


def log_group_read(world: World, made: Provisioned) -> Any:
    found = world.api("logs").describe_log_groups(logGroupNamePrefix=made.physical_id)["logGroups"][0]
    return found["retentionInDays"], "kmsKeyId" in found


def topic_read(world: World, made: Provisioned) -> Any:
    held = world.api("sns").get_topic_attributes(TopicArn=made.physical_id)["Attributes"]
    return held["DisplayName"], held["KmsMasterKeyId"] == world.key.physical_id


def parameter_read(world: World, made: Provisioned) -> Any:
    found = world.api("ssm").get_parameters_by_path(Path="/dev/thing")["Parameters"][0]
    return found["Name"], found["Type"], found["Value"]


def key_read(world: World, made: Provisioned) -> Any:
    kms, which = world.api("kms"), {"KeyId": made.physical_id}
    found = kms.describe_key(**which)["KeyMetadata"]
    rotated = kms.get_key_rotation_status(**which)["KeyRotationEnabled"]
    return found["KeyState"] == "Enabled" and (found["Description"], rotated)


def attached_secret_read(world: World, made: Provisioned) -> Any:
    document = world.secret(made.physical_id)
    if "host" not in document:
        return None
    return document["engine"], document["port"], document["dbname"], document["dbInstanceIdentifier"]


def attached_secret(world: World) -> dict[str, Any]:
    text = '{"username": "litellm", "password": "p"}'
    secret = world.make("SecretsManager::Secret", SecretString=text).physical_id
    return {"SecretId": secret, "TargetId": world.database.physical_id, "TargetType": "AWS::RDS::DBInstance"}


CASES: tuple[Case, ...] = (
    Case(
        "KMS::Key",
        lambda w: {"KeyPolicy": KEY_POLICY, "Description": "one", "EnableKeyRotation": True},
        key_read,
        ("one", True),
        r"[0-9a-f-]{36}",
        {"Arn": ARN.format("kms") + "key/.+", "KeyId": r"[0-9a-f-]{36}"},
        lambda w: {"KeyPolicy": KEY_POLICY, "Description": "two"},
        ("two", False),
    ),
    Case(
        "KMS::Alias",
        lambda w: {"AliasName": "alias/dev", "TargetKeyId": w.key.physical_id},
        lambda w, m: [a["AliasName"] for a in w.api("kms").list_aliases(KeyId=w.key.physical_id)["Aliases"]],
        ["alias/dev"],
        "alias/dev",
    ),
    Case(
        "SecretsManager::Secret",
        lambda w: {"Name": "dev/ui", "SecretString": '{"a": "1"}', "KmsKeyId": w.key_arn},
        lambda w, m: w.secret(m.physical_id),
        {"a": "1"},
        ARN.format("secretsmanager") + "secret:dev/ui-[A-Za-z0-9]{6}",
        {"Id": ARN.format("secretsmanager") + "secret:dev/ui-.{6}"},
        lambda w: {"Name": "dev/ui", "SecretString": '{"a": "2"}', "KmsKeyId": w.key_arn},
        {"a": "2"},
    ),
    Case(
        "SecretsManager::SecretTargetAttachment",
        attached_secret,
        attached_secret_read,
        ("postgres", 5432, "litellm", "world-db"),
        ARN.format("secretsmanager") + "secret:.+",
    ),
    Case(
        "IAM::Role",
        lambda w: {
            "AssumeRolePolicyDocument": TRUST,
            "Description": "one",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
            "Policies": [{"PolicyName": "a", "PolicyDocument": POLICY}],
        },
        role_read,
        (["AmazonECSTaskExecutionRolePolicy"], ["a"], "one"),
        r"dev-litellm-test-Thing-[A-Z0-9]{12}",
        {"Arn": r"arn:aws:iam::\d{12}:role/dev-litellm-test-Thing-.+", "RoleId": "AROA.+"},
        lambda w: {
            "AssumeRolePolicyDocument": TRUST,
            "Description": "two",
            "Policies": [{"PolicyName": "b", "PolicyDocument": POLICY}],
        },
        ([], ["b"], "two"),
    ),
    Case(
        "IAM::ManagedPolicy",
        lambda w: {"PolicyDocument": POLICY, "Roles": [w.role.physical_id]},
        managed_read,
        ("s3:GetObject", 1),
        r"arn:aws:iam::\d{12}:policy/dev-litellm-test-Thing-.+",
        {"PolicyArn": r"arn:aws:iam::\d{12}:policy/.+"},
        lambda w: {"PolicyDocument": OTHER},
        ("s3:PutObject", 0),
    ),
    Case(
        "IAM::OIDCProvider",
        lambda w: {"Url": "https://tokens.example.com/1", "ClientIdList": ["one"]},
        lambda w, m: w.api("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=m.physical_id)[
            "ClientIDList"
        ],
        ["one"],
        r"arn:aws:iam::\d{12}:oidc-provider/tokens\.example\.com/1",
        {"Arn": r"arn:aws:iam::\d{12}:oidc-provider/tokens\.example\.com/1"},
        lambda w: {"Url": "https://tokens.example.com/1", "ClientIdList": ["two"]},
        ["two"],
    ),
    Case(
        "IAM::Policy",
        lambda w: {"PolicyName": "inline", "PolicyDocument": POLICY, "Roles": [w.role.physical_id]},
        lambda w, m: w.api("iam").get_role_policy(RoleName=w.role.physical_id, PolicyName=m.physical_id)[
            "PolicyDocument"
        ]["Statement"][0]["Action"],
        "s3:GetObject",
        "inline",
        {},
        lambda w: {"PolicyName": "inline", "PolicyDocument": OTHER, "Roles": [w.role.physical_id]},
        "s3:PutObject",
    ),
    Case(
        "S3::Bucket",
        lambda w: bucket_properties(30),
        bucket_read,
        ("aws:kms", "Enabled", True, 30, "gatestack"),
        r"dev-litellm-test-thing-[a-z0-9]{12}",
        {"Arn": "arn:aws:s3:::dev.+", "RegionalDomainName": r"dev.+\.s3\.us-east-1\.amazonaws\.com"},
        lambda w: bucket_properties(60),
        ("aws:kms", "Enabled", True, 60, "gatestack"),
    ),
    Case(
        "S3::BucketPolicy",
        lambda w: {"Bucket": w.bucket, "PolicyDocument": POLICY},
        lambda w, m: json.loads(w.api("s3").get_bucket_policy(Bucket=m.physical_id)["Policy"])["Statement"][
            0
        ]["Action"],
        "s3:GetObject",
        "dev-litellm-test-.+",
        {},
        lambda w: {"Bucket": w.bucket, "PolicyDocument": OTHER},
        "s3:PutObject",
    ),
    Case(
        "SNS::Topic",
        lambda w: {"DisplayName": "one", "KmsMasterKeyId": w.key.physical_id},
        topic_read,
        ("one", True),
        ARN.format("sns") + "dev-litellm-test-Thing-.+",
        {"TopicArn": ARN.format("sns") + ".+", "TopicName": "dev-litellm-test-Thing-.+"},
        lambda w: {"DisplayName": "two", "KmsMasterKeyId": w.key.physical_id},
        ("two", True),
    ),
    Case(
        "SNS::Subscription",
        lambda w: {"TopicArn": w.topic, "Protocol": "email", "Endpoint": "a@example.com"},
        lambda w, m: w.api("sns").get_subscription_attributes(SubscriptionArn=m.physical_id)["Attributes"][
            "Endpoint"
        ],
        "a@example.com",
        ARN.format("sns") + ".+",
        {"Arn": ARN.format("sns") + ".+"},
    ),
    Case(
        "SSM::Parameter",
        lambda w: {"Name": "/dev/thing/a", "Type": "String", "Value": "one", "Tags": {"own": "1"}},
        parameter_read,
        ("/dev/thing/a", "String", "one"),
        "/dev/thing/a",
        {"Type": "String", "Value": "one"},
        lambda w: {"Name": "/dev/thing/a", "Type": "String", "Value": "two", "Tags": {"own": "2"}},
        ("/dev/thing/a", "String", "two"),
    ),
    Case(
        "CloudWatch::Alarm",
        lambda w: alarm_properties(85),
        alarm_read,
        (85.0, ["arn:aws:sns:us-east-1:1:t"]),
        "dev-litellm-test-Thing-.+",
        {"Arn": ARN.format("cloudwatch") + "alarm:dev-.+"},
        lambda w: alarm_properties(90),
        (90.0, ["arn:aws:sns:us-east-1:1:t"]),
    ),
    Case(
        "CloudWatch::Dashboard",
        lambda w: {"DashboardName": "one", "DashboardBody": '{"widgets": []}'},
        lambda w, m: json.loads(
            w.api("cloudwatch").get_dashboard(DashboardName=m.physical_id)["DashboardBody"]
        ),
        {"widgets": []},
        "one",
        {},
        lambda w: {"DashboardName": "one", "DashboardBody": '{"widgets": [], "start": "x"}'},
        {"widgets": [], "start": "x"},
    ),
    Case(
        "Logs::LogGroup",
        lambda w: {"LogGroupName": "/ecs/case", "RetentionInDays": 14, "KmsKeyId": w.key_arn},
        log_group_read,
        (14, True),
        "/ecs/case",
        {"Arn": ARN.format("logs") + r"log-group:/ecs/case:\*"},
        lambda w: {"LogGroupName": "/ecs/case", "RetentionInDays": 90},
        (90, False),
    ),
)
