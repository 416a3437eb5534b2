"""The security stack against S1's "Secrets Architecture", and what keys, roles and retention need."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.environment import parse_settings
from stacks.security import build
from stacks.wiring import Stack
from tests.stacks.finders import exports, only, properties, resource, resources, template

DEV = "{system: litellm, environment: dev}"
PRODUCTION = """
{system: litellm, environment: prod, tier: production, observability: {alarm_email: ops@example.com},
 alb: {domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ}}
"""
ACCOUNT = {"Ref": "AWS::AccountId"}


def built(text: str = DEV) -> Stack:
    return build(parse_settings(text, Path("dev.yaml")))


def arn(service: str, name: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{name}"}


def via(*services: str) -> list[dict[str, str]]:
    return [{"Fn::Sub": f"{service}.${{AWS::Region}}.amazonaws.com"} for service in services]


def statements(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in document["Statement"]}


def role_statements(stack: Stack, role: str) -> dict[str, dict[str, Any]]:
    return statements(properties(stack, role)["Policies"][0]["PolicyDocument"])


def test_the_stack_exports_what_the_others_import() -> None:
    assert exports(built()) == {
        "dev-litellm-security-KmsKeyArn": {"Fn::GetAtt": ["Key", "Arn"]},
        "dev-litellm-security-MasterKeySecretArn": {"Ref": "MasterKeySecret"},
        "dev-litellm-security-UiPasswordSecretArn": {"Ref": "UiPasswordSecret"},
        "dev-litellm-security-ApiKeysSecretArn": {"Ref": "ApiKeysSecret"},
        "dev-litellm-security-DatabaseSecretArn": {"Ref": "DatabaseSecret"},
        "dev-litellm-security-SaltKeySecretArn": {"Ref": "SaltKeySecret"},
        "dev-litellm-security-ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
        "dev-litellm-security-TaskRoleArn": {"Fn::GetAtt": ["TaskRole", "Arn"]},
        "dev-litellm-security-AlarmTopicArn": {"Ref": "AlarmTopic"},
        "dev-litellm-security-ConfigBucketName": {"Ref": "ConfigBucket"},
    }


def test_the_stack_imports_nothing() -> None:
    assert "Fn::ImportValue" not in json.dumps(template(built(PRODUCTION)))


GENERATED: dict[str, dict[str, Any]] = {
    "MasterKeySeed": {"PasswordLength": 45, "ExcludePunctuation": True},
    "UiPasswordSecret": {
        "SecretStringTemplate": '{"UI_USERNAME": "admin"}',
        "GenerateStringKey": "UI_PASSWORD",
        "PasswordLength": 24,
        "ExcludePunctuation": True,
    },
    "DatabaseSecret": {
        "SecretStringTemplate": '{"username": "litellm"}',
        "GenerateStringKey": "password",
        "PasswordLength": 32,
        "ExcludePunctuation": True,
    },
    "SaltKeySecret": {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "LITELLM_SALT_KEY",
        "PasswordLength": 48,
        "ExcludePunctuation": True,
    },
}
OF_REDIS: dict[str, dict[str, Any]] = {
    "CacheSecret": {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "REDIS_PASSWORD",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    },
}
"""Production has Redis."""


@pytest.mark.parametrize("text", [DEV, PRODUCTION])
def test_generated_secrets_are_frozen_because_any_change_makes_a_new_value(text: str) -> None:
    secrets = resources(built(text), "AWS::SecretsManager::Secret")

    generated = {name: secret["Properties"].get("GenerateSecretString") for name, secret in secrets.items()}
    assert {name: how for name, how in generated.items() if how} == (
        GENERATED if text == DEV else GENERATED | OF_REDIS
    )


@pytest.mark.parametrize("text", [DEV, PRODUCTION])
def test_written_secrets_are_frozen_because_any_change_would_reset_a_rotated_key_and_what_people_put_in(
    text: str,
) -> None:
    secrets = resources(built(text), "AWS::SecretsManager::Secret")

    written = {name: secret["Properties"].get("SecretString") for name, secret in secrets.items()}
    assert {name: value for name, value in written.items() if value} == {
        "MasterKeySecret": {
            "Fn::Sub": '{"LITELLM_MASTER_KEY": "sk-{{resolve:secretsmanager:${MasterKeySeed}:SecretString}}"}'
        },
        "ApiKeysSecret": '{"OPENAI_API_KEY": "REPLACE_ME", "ANTHROPIC_API_KEY": "REPLACE_ME",'
        ' "AWS_BEDROCK_REGION": "us-east-1"}',
    }


def test_the_first_master_key_is_json_starts_with_sk_and_has_48_characters() -> None:
    text = properties(built(), "MasterKeySecret")["SecretString"]["Fn::Sub"]
    seed = "x" * GENERATED["MasterKeySeed"]["PasswordLength"]

    key = json.loads(text.replace("{{resolve:secretsmanager:${MasterKeySeed}:SecretString}}", seed))[
        "LITELLM_MASTER_KEY"
    ]
    assert (key[:3], len(key)) == ("sk-", 48)


def test_every_secret_is_named_after_its_environment_and_encrypted_with_its_key() -> None:
    secrets = resources(built(), "AWS::SecretsManager::Secret")

    assert {name: secret["Properties"]["Name"] for name, secret in secrets.items()} == {
        "MasterKeySeed": "dev-litellm/master-key-seed",
        "MasterKeySecret": "dev-litellm/master-key",
        "UiPasswordSecret": "dev-litellm/ui-password",
        "ApiKeysSecret": "dev-litellm/api-keys",
        "DatabaseSecret": "dev-litellm/database",
        "SaltKeySecret": "dev-litellm/salt-key",
    }
    assert [secret["Properties"]["KmsKeyId"] for secret in secrets.values()] == [{"Ref": "Key"}] * 6


def policies(stack: Stack) -> dict[str, tuple[str, str]]:
    return {
        name: (entry["DeletionPolicy"], entry["UpdateReplacePolicy"])
        for name, entry in template(stack)["Resources"].items()
        if "DeletionPolicy" in entry or "UpdateReplacePolicy" in entry
    }


def test_production_keeps_what_a_kept_snapshot_needs_and_the_configuration() -> None:
    assert policies(built(PRODUCTION)) == {
        "Key": ("Retain", "Retain"),
        "SaltKeySecret": ("Retain", "Retain"),
        "DatabaseSecret": ("Retain", "Retain"),
        "ConfigBucket": ("Retain", "Retain"),
        "MasterKeySeed": ("Delete", "Delete"),
        "MasterKeySecret": ("Delete", "Delete"),
        "UiPasswordSecret": ("Delete", "Delete"),
        "ApiKeysSecret": ("Delete", "Delete"),
        "CacheSecret": ("Delete", "Delete"),
    }


def test_elsewhere_nothing_is_left_behind_and_that_is_said_of_every_resource_with_data() -> None:
    found = policies(built())

    assert set(found) | {"CacheSecret"} == set(policies(built(PRODUCTION)))
    assert set(found.values()) == {("Delete", "Delete")}


@pytest.mark.parametrize(("text", "days"), [(DEV, 7), (PRODUCTION, 30)])
def test_the_key_rotates_and_waits_before_it_is_deleted(text: str, days: int) -> None:
    key = properties(built(text), "Key")

    assert (key["EnableKeyRotation"], key["PendingWindowInDays"]) == (True, days)


def test_the_key_has_the_alias_of_the_environment() -> None:
    assert properties(built(), "KeyAlias") == {
        "AliasName": "alias/dev-litellm",
        "TargetKeyId": {"Ref": "Key"},
    }


def test_the_key_may_be_managed_by_the_account_and_used_by_the_services_that_hold_its_data() -> None:
    allowed = statements(properties(built(), "Key")["KeyPolicy"])

    assert {sid: (entry["Principal"], entry.get("Condition")) for sid, entry in allowed.items()} == {
        "Account": ({"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}, None),
        "CallersThroughServices": (
            {"AWS": "*"},
            {
                "StringEquals": {
                    "kms:CallerAccount": ACCOUNT,
                    "kms:ViaService": via("ecr", "rds", "s3", "secretsmanager", "sns"),
                }
            },
        ),
        "GrantsForServices": (
            {"AWS": "*"},
            {
                "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": via("ecr", "rds")},
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        ),
        "NoOtherGrants": (
            {"AWS": "*"},
            {
                "BoolIfExists": {
                    "aws:PrincipalIsAWSService": "false",
                    "kms:GrantIsForAWSResource": "false",
                }
            },
        ),
        "LogGroups": (
            {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}},
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        arn("logs", f"log-group:{name}")
                        for name in (
                            "/ecs/dev-litellm-*",
                            "/aws/*/dev-litellm-*",
                            "dev-litellm-*",
                            "aws-waf-logs-dev-litellm",
                        )
                    ]
                }
            },
        ),
        "Alarms": (
            {"Service": "cloudwatch.amazonaws.com"},
            {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:*")},
            },
        ),
    }


def test_only_the_account_itself_may_do_everything_with_the_key() -> None:
    allowed = statements(properties(built(), "Key")["KeyPolicy"])

    data_keys = ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    again = ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", *data_keys, *again]
    assert {sid: entry["Action"] for sid, entry in allowed.items()} == {
        "Account": ["kms:*"],
        "CallersThroughServices": use,
        "GrantsForServices": ["kms:CreateGrant"],
        "NoOtherGrants": ["kms:CreateGrant"],
        "LogGroups": use,
        "Alarms": ["kms:Decrypt", *data_keys],
    }
    refused = [sid for sid, entry in allowed.items() if entry["Effect"] == "Deny"]
    assert refused == ["NoOtherGrants"]


@pytest.mark.parametrize("role", ["ExecutionRole", "TaskRole"])
def test_only_ecs_tasks_of_this_account_may_assume_the_roles(role: str) -> None:
    (trust,) = properties(built(), role)["AssumeRolePolicyDocument"]["Statement"]

    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": ["sts:AssumeRole"],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": arn("ecs", "*")},
        },
    }


def test_the_execution_role_reaches_its_own_environment_only() -> None:
    allowed = role_statements(built(), "ExecutionRole")

    assert {sid: entry["Resource"] for sid, entry in allowed.items()} == {
        "EcrLogin": ["*"],  # ecr:GetAuthorizationToken knows no resource
        "PullOwnImages": [arn("ecr", "repository/dev-litellm")],
        "WriteOwnLogs": [
            arn("logs", "log-group:/ecs/dev-litellm-proxy:*"),
            arn("logs", "log-group:/ecs/dev-litellm-migration:*"),
        ],
        "ReadOwnSecrets": [
            {"Ref": "MasterKeySecret"},
            {"Ref": "UiPasswordSecret"},
            {"Ref": "ApiKeysSecret"},
            {"Ref": "SaltKeySecret"},
            arn("secretsmanager", "secret:dev-litellm/database-login-??????"),
        ],
        "ReadOwnParameters": [arn("ssm", "parameter/dev-litellm/*")],
        "DecryptThroughService": [{"Fn::GetAtt": ["Key", "Arn"]}],
    }
    assert allowed["DecryptThroughService"]["Condition"] == {
        "StringEquals": {"kms:ViaService": via("secretsmanager")}
    }


def test_the_execution_role_does_what_ecs_needs_to_start_a_task_and_no_more() -> None:
    allowed = role_statements(built(), "ExecutionRole")

    assert {sid: entry["Action"] for sid, entry in allowed.items()} == {
        "EcrLogin": ["ecr:GetAuthorizationToken"],
        "PullOwnImages": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ],
        "WriteOwnLogs": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "ReadOwnSecrets": ["secretsmanager:GetSecretValue"],
        "ReadOwnParameters": ["ssm:GetParameters"],
        "DecryptThroughService": ["kms:Decrypt"],
    }


def test_a_task_may_read_its_configuration_and_nothing_else() -> None:
    allowed = role_statements(built(), "TaskRole")

    assert allowed == {
        "ReadConfiguration": {
            "Sid": "ReadConfiguration",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": [{"Fn::Sub": "${ConfigBucket.Arn}/litellm/*"}],
        },
        "DecryptThroughService": {
            "Sid": "DecryptThroughService",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [{"Fn::GetAtt": ["Key", "Arn"]}],
            "Condition": {"StringEquals": {"kms:ViaService": via("s3")}},
        },
    }


def models(*names: str) -> list[dict[str, str]]:
    return [{"Fn::Sub": f"arn:${{AWS::Partition}}:bedrock:{name}"} for name in names]


def test_a_task_may_invoke_the_configured_bedrock_models_and_no_others() -> None:
    service = (
        "service: {providers: [bedrock], bedrock_models: [amazon.nova-lite-v1:0, jp.anthropic.claude-x]}"
    )

    allowed = role_statements(built(f"system: litellm\nenvironment: dev\n{service}"), "TaskRole")

    assert allowed["InvokeConfiguredModels"] == {
        "Sid": "InvokeConfiguredModels",
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": [
            *models("us-east-1::foundation-model/amazon.nova-lite-v1:0"),
            *models("us-east-1:${AWS::AccountId}:inference-profile/jp.anthropic.claude-x"),
        ],
    }
    assert allowed["InvokeThroughProfiles"] == {
        "Sid": "InvokeThroughProfiles",
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": models("*::foundation-model/anthropic.claude-x"),
        "Condition": {
            "StringLike": {
                "bedrock:InferenceProfileArn": models("*:${AWS::AccountId}:inference-profile/*")[0]
            }
        },
    }


def test_a_task_sends_traces_only_when_tracing_is_on() -> None:
    allowed = role_statements(
        built("{system: litellm, environment: dev, observability: {xray: true}}"), "TaskRole"
    )

    assert allowed["SendTraces"]["Action"] == [
        "xray:GetSamplingRules",
        "xray:GetSamplingStatisticSummaries",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]


def test_the_configuration_bucket_is_private_versioned_and_encrypted_with_the_key() -> None:
    bucket = properties(built(), "ConfigBucket")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert encryption["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
    }
    assert "BucketName" not in bucket


def test_what_was_replaced_in_the_configuration_bucket_can_be_got_back_for_a_year() -> None:
    (rule,) = properties(built(), "ConfigBucket")["LifecycleConfiguration"]["Rules"]

    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 365}
    assert not rule.keys() & {"ExpirationInDays", "Prefix"}


def test_the_configuration_bucket_refuses_requests_without_tls() -> None:
    (statement,) = only(built(), "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]

    assert statement == {
        "Sid": "OnlyWithTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:*"],
        "Resource": [{"Fn::GetAtt": ["ConfigBucket", "Arn"]}, {"Fn::Sub": "${ConfigBucket.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_the_alarm_topic_is_encrypted_and_takes_messages_from_alarms_of_this_account() -> None:
    stack = built()
    (statement,) = properties(stack, "AlarmTopicPolicy")["PolicyDocument"]["Statement"]

    assert properties(stack, "AlarmTopic")["KmsMasterKeyId"] == {"Ref": "Key"}
    assert statement == {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["sns:Publish"],
        "Resource": [{"Ref": "AlarmTopic"}],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": arn("cloudwatch", "alarm:*")},
        },
    }


def test_alarms_go_to_an_address_only_where_one_is_given() -> None:
    assert resources(built(), "AWS::SNS::Subscription") == {}
    assert only(built(PRODUCTION), "AWS::SNS::Subscription")["Properties"] == {
        "TopicArn": {"Ref": "AlarmTopic"},
        "Protocol": "email",
        "Endpoint": "ops@example.com",
    }


def test_settings_that_are_no_secret_can_be_read_as_parameters() -> None:
    parameters = [entry["Properties"] for entry in resources(built(), "AWS::SSM::Parameter").values()]

    assert {entry["Name"]: entry["Value"] for entry in parameters} == {
        "/dev-litellm/image": "ecr",
        "/dev-litellm/image-tag": "v1.108.7",
        "/dev-litellm/log-level": "INFO",
        "/dev-litellm/max-tasks": "4",
        "/dev-litellm/min-tasks": "1",
        "/dev-litellm/providers": "openai,anthropic",
        "/dev-litellm/secret-rotation-days": "30",
        "/dev-litellm/workers": "1",
    }
    assert {entry["Type"] for entry in parameters} == {"String"}


def test_everything_with_tags_says_whose_it_is() -> None:
    own = {"Environment": "dev", "System": "litellm", "Stack": "security", "ManagedBy": "gatestack"}

    assert resource(built(), "LogLevelParameter")["Properties"]["Tags"] == own
    assert properties(built(), "SaltKeySecret")["Tags"] == [
        {"Key": key, "Value": own[key]} for key in ("Environment", "ManagedBy", "Stack", "System")
    ]
