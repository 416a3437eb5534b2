"""CloudTrail: what is recorded, who may write and encrypt it, how long it is kept, what is warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.stateful import STATEFUL
from stacks import security
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.wiring import Stack
from tests.stacks.finders import exports, properties, resource, resources

TRAIL = {
    "Fn::Sub": "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/dev-litellm-trail"
}
KINDS = ("AWS::CloudTrail::Trail", "AWS::KinesisFirehose::DeliveryStream", "AWS::Logs::SubscriptionFilter")


def load(**sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}}
    return parse_settings(yaml.safe_dump(file | sections), Path("dev.yaml"))


def trail(**observability: Any) -> Stack:
    return security.build(load(observability={"cloudtrail": True} | observability))


def statements(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in document["Statement"]}


def test_by_default_there_is_no_trail_and_the_key_knows_none() -> None:
    stack = security.build(load())

    assert not any(resources(stack, kind) for kind in KINDS)
    assert not any("Trail" in sid for sid in statements(properties(stack, "Key")["KeyPolicy"]))


def test_the_trail_is_of_all_regions_and_its_files_are_encrypted_and_cannot_be_changed_unnoticed() -> None:
    found = properties(trail(), "Trail")

    assert (found["TrailName"], found["IsLogging"]) == ("dev-litellm-trail", True)
    assert (found["IsMultiRegionTrail"], found["IncludeGlobalServiceEvents"]) == (True, True)
    assert found["EnableLogFileValidation"] is True
    assert found["KMSKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}
    assert resource(trail(), "Trail")["DependsOn"] == "TrailBucketPolicy"
    assert "CloudWatchLogsLogGroupArn" not in found


def test_it_records_all_management_events_and_the_configuration_buckets_objects() -> None:
    management, objects = properties(trail(), "Trail")["AdvancedEventSelectors"]

    assert management["FieldSelectors"] == [{"Field": "eventCategory", "Equals": ["Management"]}]
    fields = {one.pop("Field"): one for one in objects["FieldSelectors"]}
    assert fields == {
        "eventCategory": {"Equals": ["Data"]},
        "resources.type": {"Equals": ["AWS::S3::Object"]},
        "resources.ARN": {"StartsWith": [{"Fn::Sub": "${ConfigBucket.Arn}/"}]},
    }


def test_only_this_trail_uses_the_key_and_only_for_trails() -> None:
    found = statements(properties(trail(), "Key")["KeyPolicy"])
    encrypts, describes = found["TrailEncrypts"], found["TrailDescribesKey"]

    assert encrypts["Action"] == ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    assert encrypts["Condition"] == {
        "StringEquals": {"aws:SourceArn": TRAIL},
        "StringLike": {
            "kms:EncryptionContext:aws:cloudtrail:arn": {
                "Fn::Sub": "arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*"
            }
        },
    }
    assert describes["Action"] == ["kms:DescribeKey"]
    assert describes["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}
    assert encrypts["Principal"] == describes["Principal"] == {"Service": "cloudtrail.amazonaws.com"}


def test_only_this_trail_writes_to_the_bucket_and_nobody_without_tls() -> None:
    found = statements(properties(trail(), "TrailBucketPolicy")["PolicyDocument"])

    assert set(found) == {"TrailLooks", "TrailWrites", "OnlyWithTls"}
    assert found["TrailLooks"]["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}
    assert found["TrailWrites"]["Resource"] == [{"Fn::Sub": "${TrailBucket.Arn}/AWSLogs/${AWS::AccountId}/*"}]
    assert found["TrailWrites"]["Condition"] == {
        "StringEquals": {"aws:SourceArn": TRAIL, "s3:x-amz-acl": "bucket-owner-full-control"}
    }
    assert found["OnlyWithTls"]["Effect"] == "Deny"


def test_the_bucket_is_private_versioned_and_without_a_bucket_key() -> None:
    bucket = properties(trail(), "TrailBucket")

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert (rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"], rule["BucketKeyEnabled"]) == (
        "aws:kms",
        False,
    )


@pytest.mark.parametrize(("days", "cold"), [(30, False), (179, False), (180, True), (3650, True)])
def test_files_grow_cold_where_they_stay_long_enough_for_it_to_pay(days: int, *, cold: bool) -> None:
    (rule,) = properties(trail(cloudtrail_days=days), "TrailBucket")["LifecycleConfiguration"]["Rules"]

    assert rule["ExpirationInDays"] == days
    moved = [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}] if cold else None
    assert rule.get("Transitions") == moved


@pytest.mark.parametrize(("tier", "policy"), [("dev", "Delete"), ("production", "Retain")])
def test_production_keeps_the_files_when_the_stack_goes(tier: str, policy: str) -> None:
    entry = resource(security.build(load(tier=tier, observability={"cloudtrail": True})), "TrailBucket")

    assert entry["Type"] in STATEFUL
    assert (entry["DeletionPolicy"], entry["UpdateReplacePolicy"]) == (policy, policy)


def test_where_the_files_are_is_an_output() -> None:
    assert exports(trail())["dev-litellm-security-TrailBucketName"] == {"Ref": "TrailBucket"}


def test_a_trail_where_the_account_may_have_one_is_warned_of() -> None:
    on = [one for one in advice(load(observability={"cloudtrail": True})) if "cloudtrail" in one]

    assert len(on) == 1
    assert "second trail" in on[0]
    assert not [one for one in advice(load()) if "cloudtrail" in one]


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(EnvironmentFileError, match="cloudtrail_days: 0 is out of range; 1 to 36500 days"):
        trail(cloudtrail_days=0)
