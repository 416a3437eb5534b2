"""The archive of logs: what goes there, by whom, how it is filed, kept and watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import STACKS, builder, network, security
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.stacks.finders import exports, only, properties, resource, resources

YEARS = 2557


def load(days: int = YEARS, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}}
    own = {"observability": {"log_archive_days": days} | sections.pop("observability", {})}
    return parse_settings(yaml.safe_dump(file | own | sections), Path("dev.yaml"))


def destination(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = properties(security.build(settings), "LogArchiveStream")[
        "ExtendedS3DestinationConfiguration"
    ]
    return found


def statements(settings: Settings, role: str) -> dict[str, dict[str, Any]]:
    policies = properties(security.build(settings), role)["Policies"]
    return {one["Sid"]: one for one in policies[0]["PolicyDocument"]["Statement"]}


def trust(settings: Settings, role: str) -> dict[str, Any]:
    (found,) = properties(security.build(settings), role)["AssumeRolePolicyDocument"]["Statement"]
    return dict(found)


def test_by_default_no_template_speaks_of_an_archive() -> None:
    text = "".join(builder(name).build(load(0)).template.to_json() for name in STACKS)

    assert "Archive" not in text
    assert "firehose" not in text.lower()


@pytest.mark.parametrize("engine", ["postgres", "aurora-postgresql"])
def test_every_log_group_goes_to_the_archive_but_the_archives_own(engine: str) -> None:
    settings = load(database={"engine": engine}, network={"flow_logs": True})
    stacks = [builder(name).build(settings) for name in STACKS]
    groups = {title for stack in stacks for title in resources(stack, "AWS::Logs::LogGroup")}
    filters = {
        one["Properties"]["LogGroupName"]["Ref"]: one["Properties"]
        for stack in stacks
        for one in resources(stack, "AWS::Logs::SubscriptionFilter").values()
    }

    assert groups >= {"TaskLog", "MigrationLog", "DatabaseLog", "DatabaseRotationLog", "FlowLogGroup"}
    assert filters.keys() == groups - {"LogArchiveErrors"}
    for found in filters.values():
        assert found["FilterPattern"] == ""
        assert found["DestinationArn"] == {"Fn::ImportValue": "dev-litellm-security-LogArchiveStreamArn"}
        assert found["RoleArn"] == {"Fn::ImportValue": "dev-litellm-security-LogArchiveRoleArn"}


def test_objects_are_filed_by_log_group_and_day_and_packed() -> None:
    found = destination(load())

    assert found["Prefix"] == "logs/!{partitionKeyFromQuery:group}/!{timestamp:yyyy/MM/dd}/"
    assert found["ErrorOutputPrefix"].startswith("errors/!{firehose:error-output-type}/")
    assert found["CompressionFormat"] == "GZIP"
    assert found["BufferingHints"] == {"IntervalInSeconds": 900, "SizeInMBs": 64}
    assert found["DynamicPartitioningConfiguration"]["Enabled"] is True
    kinds = [step["Type"] for step in found["ProcessingConfiguration"]["Processors"]]
    assert kinds == ["Decompression", "MetadataExtraction", "AppendDelimiterToRecord"]


def test_a_record_is_filed_under_its_log_group_and_a_test_message_apart() -> None:
    """jq 1.6 makes ecs/dev-litellm-proxy of the group /ecs/dev-litellm-proxy, control of none."""
    step = destination(load())["ProcessingConfiguration"]["Processors"][1]
    given = {one["ParameterName"]: one["ParameterValue"] for one in step["Parameters"]}

    query = '{group: (if (.logGroup // "") == "" then "control" else (.logGroup | ltrimstr("/")) end)}'
    assert given == {"MetadataExtractionQuery": query, "JsonParsingEngine": "JQ-1.6"}


def test_firehose_writes_to_this_bucket_only_and_uses_the_key_for_it_only() -> None:
    found = statements(load(), "LogArchiveWriterRole")
    everything = [{"Fn::GetAtt": ["LogArchiveBucket", "Arn"]}, {"Fn::Sub": "${LogArchiveBucket.Arn}/*"}]

    assert found["WriteArchive"]["Resource"] == everything
    assert found["EncryptArchive"]["Resource"] == [{"Fn::GetAtt": ["Key", "Arn"]}]
    assert found["EncryptArchive"]["Condition"] == {
        "StringEquals": {"kms:ViaService": [{"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"}]},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": everything},
    }
    assert found["WriteErrors"]["Action"] == ["logs:PutLogEvents"]
    assert set(found) == {"WriteArchive", "EncryptArchive", "WriteErrors"}


def test_neither_service_takes_its_role_for_another_account() -> None:
    firehose, logs = (trust(load(), f"LogArchive{one}Role") for one in ("Writer", "Sender"))

    assert firehose["Principal"] == {"Service": "firehose.amazonaws.com"}
    assert firehose["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "AWS::AccountId"}}}
    assert logs["Principal"] == {"Service": "logs.amazonaws.com"}
    assert logs["Condition"] == {
        "ArnLike": {
            "aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"}
        },
    }


def test_cloudwatch_logs_may_send_to_this_stream_and_do_nothing_else() -> None:
    found = statements(load(), "LogArchiveSenderRole")

    assert set(found) == {"SendToArchive"}
    assert found["SendToArchive"]["Action"] == ["firehose:PutRecord", "firehose:PutRecordBatch"]
    assert found["SendToArchive"]["Resource"] == [{"Fn::GetAtt": ["LogArchiveStream", "Arn"]}]


def test_what_goes_wrong_is_written_down_and_rings() -> None:
    stack = security.build(load())

    options = destination(load())["CloudWatchLoggingOptions"]
    assert options == {
        "Enabled": True,
        "LogGroupName": {"Ref": "LogArchiveErrors"},
        "LogStreamName": "delivery",
    }
    name = properties(stack, "LogArchiveErrors")["LogGroupName"]
    assert name == "/aws/kinesisfirehose/dev-litellm-log-archive"
    assert only(stack, "AWS::Logs::LogStream")["Properties"]["LogStreamName"] == "delivery"
    alarm = properties(stack, "LogArchiveLate")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Firehose", "DeliveryToS3.DataFreshness")
    assert alarm["Threshold"] > destination(load())["BufferingHints"]["IntervalInSeconds"]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["TreatMissingData"] == "notBreaching"


def test_the_archive_is_encrypted_with_the_environments_key_at_rest_and_the_stream_with_aws_own() -> None:
    stack = security.build(load())

    assert destination(load())["EncryptionConfiguration"] == {
        "KMSEncryptionConfig": {"AWSKMSKeyARN": {"Fn::GetAtt": ["Key", "Arn"]}}
    }
    on_the_way = properties(stack, "LogArchiveStream")["DeliveryStreamEncryptionConfigurationInput"]
    assert on_the_way == {"KeyType": "AWS_OWNED_CMK"}


@pytest.mark.parametrize(("tier", "policy"), [("dev", "Delete"), ("production", "Retain")])
def test_production_keeps_the_archive_when_the_stack_goes(tier: str, policy: str) -> None:
    entry = resource(security.build(load(tier=tier)), "LogArchiveBucket")

    assert (entry["DeletionPolicy"], entry["UpdateReplacePolicy"]) == (policy, policy)
    (rule,) = entry["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == YEARS
    assert rule["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]


def test_the_other_stacks_find_stream_and_role_by_exports() -> None:
    found = exports(security.build(load()))

    assert found["dev-litellm-security-LogArchiveStreamArn"] == {"Fn::GetAtt": ["LogArchiveStream", "Arn"]}
    assert found["dev-litellm-security-LogArchiveRoleArn"] == {"Fn::GetAtt": ["LogArchiveSenderRole", "Arn"]}


@pytest.mark.parametrize("days", [7, 14])
def test_an_archive_that_keeps_nothing_longer_is_refused(days: int) -> None:
    message = f"log_archive_days: {days} is not more than log_retention_days, 14; more, or 0 for no archive"
    with pytest.raises(EnvironmentFileError, match=message):
        load(days)
    assert load(15).observability.log_archive_days == 15


def test_the_price_of_flow_logs_is_warned_of() -> None:
    both = [one for one in advice(load(network={"flow_logs": True})) if "log_archive_days" in one]

    assert len(both) == 1
    assert not [one for one in advice(load()) if "log_archive_days" in one]
    assert resources(network.build(load()), "AWS::Logs::SubscriptionFilter") == {}
