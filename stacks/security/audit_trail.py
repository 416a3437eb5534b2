"""
CloudTrail: a record of who did what in the account, in files with integrity validation.

All management events, which show who changed a role, a key or a stack; reading a secret is one of them. Data
events of the configuration bucket: it holds the code of functions that may write secrets, and has few
requests a day; and reads of the prompt bucket. Not the log archive: each of its files would be an event. No
log group: it would cost as much a gigabyte as the tasks' logs for every event of the account, and nothing
here queries it (alarms come from metrics and EventBridge); auditors and Athena read S3.
"""

from __future__ import annotations

from awacs import kms, s3
from awacs.aws import Allow, Condition, Principal, Statement, StringEquals, StringLike
from troposphere import GetAtt, Ref, Sub
from troposphere.cloudtrail import AdvancedEventSelector, AdvancedFieldSelector, Trail
from troposphere.s3 import Bucket

from stacks.application import Export
from stacks.parts import private_bucket
from stacks.parts.policies import arn
from stacks.security import record_bucket
from stacks.settings import Settings
from stacks.wiring import Stack

CLOUDTRAIL = Principal("Service", "cloudtrail.amazonaws.com")


def add(stack: Stack, watched: Bucket | None, prompts: Bucket | None) -> None:
    """
    Add the trail and its bucket, if the file asks for one.

    *watched* is the configuration's bucket; of the bucket of *prompts*, reads are recorded. CloudTrail checks
    the bucket's policy when the trail is created. The bucket has no bucket key: with one, CloudTrail would
    have to be allowed to decrypt (AWS CloudTrail User Guide, "Configure AWS KMS key policies for
    CloudTrail").
    """
    settings = stack.settings
    if not settings.observability.cloudtrail:
        return
    days = settings.observability.cloudtrail_days
    bucket = record_bucket.add(stack, "TrailBucket", "trail", days=days, bucket_key=False)
    policy = private_bucket.guard(stack, bucket, *_delivery(settings, bucket))
    stack.add(
        Trail(
            "Trail",
            DependsOn=policy.title,
            TrailName=settings.trail_name,
            S3BucketName=Ref(bucket),
            KMSKeyId=stack.resolved(Export("security", "KmsKeyArn")),
            IsLogging=True,
            IsMultiRegionTrail=True,
            IncludeGlobalServiceEvents=True,
            EnableLogFileValidation=True,
            AdvancedEventSelectors=_events(watched, prompts),
        ),
        name="trail",
    )
    stack.export("TrailBucketName", Ref(bucket), "Bucket of the account's activity, by CloudTrail")


def key_statements(settings: Settings) -> list[Statement]:
    """
    Let the trail encrypt with the environment's key, and only this trail; readers come through S3.

    Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
    """
    if not settings.observability.cloudtrail:
        return []
    trails = Sub("arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*")
    context = StringLike("kms:EncryptionContext:aws:cloudtrail:arn", trails)
    encrypts = Condition([_this_trail(settings), context])
    describes = Condition(_this_trail(settings))
    return [
        _allow("TrailEncrypts", [kms.GenerateDataKey, kms.GenerateDataKeyWithoutPlaintext], "*", encrypts),
        _allow("TrailDescribesKey", [kms.DescribeKey], "*", describes),
    ]


def _delivery(settings: Settings, bucket: Bucket) -> tuple[Statement, Statement]:
    """Source: AWS CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"."""
    files = Sub(f"${{{bucket.title}.Arn}}/AWSLogs/${{AWS::AccountId}}/*")
    owned = StringEquals({"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": _arn(settings)})
    looks = Condition(_this_trail(settings))
    return (
        _allow("TrailLooks", [s3.GetBucketAcl], GetAtt(bucket, "Arn"), looks),
        _allow("TrailWrites", [s3.PutObject], files, Condition(owned)),
    )


def _events(watched: Bucket | None, prompts: Bucket | None) -> list[AdvancedEventSelector]:
    found = [_selector("Management events", eventCategory={"Equals": ["Management"]})]
    if watched:
        found.append(_selector("Configuration and code", **_objects(watched)))
    if prompts:  # each request would be a write event
        reads: dict[str, dict[str, list[object]]] = {"readOnly": {"Equals": ["true"]}}
        found.append(_selector("Reading of prompts", **_objects(prompts), **reads))
    return found


def _objects(bucket: Bucket) -> dict[str, dict[str, list[object]]]:
    return {
        "eventCategory": {"Equals": ["Data"]},
        "resources.type": {"Equals": ["AWS::S3::Object"]},
        "resources.ARN": {"StartsWith": [Sub(f"${{{bucket.title}.Arn}}/")]},
    }


def _selector(name: str, **fields: dict[str, list[object]]) -> AdvancedEventSelector:
    wanted = [AdvancedFieldSelector(Field=field, **test) for field, test in fields.items()]
    return AdvancedEventSelector(Name=name, FieldSelectors=wanted)


def _arn(settings: Settings) -> Sub:
    """Return the trail's ARN by its name: bucket and key are created first."""
    return arn("cloudtrail", f"trail/{settings.trail_name}")


def _this_trail(settings: Settings) -> StringEquals:
    return StringEquals("aws:SourceArn", _arn(settings))


def _allow(sid: str, actions: list[object], on: object, condition: Condition) -> Statement:
    return Statement(
        Sid=sid, Effect=Allow, Principal=CLOUDTRAIL, Action=actions, Resource=[on], Condition=condition
    )
