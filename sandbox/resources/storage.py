"""Object storage: S3 buckets, their settings, and bucket policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources.handler import Call, Handler
from sandbox.services.bucket_policies import applied

_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")
"""
Prefixes that a bucket's name may not have (Amazon S3 User Guide, "General purpose bucket naming rules").
"""


def _create_bucket(call: Call) -> Provisioned:
    name = call.name("BucketName", 63, lower=True)
    if _exists(call, name):
        raise call.already_exists(name)
    if name.startswith(_RESERVED):
        raise ProvisionError(
            "The specified bucket is not valid. (Service: S3, Status Code: 400, InvalidBucketName) "
            "(HandlerErrorCode: InvalidRequest)"
        )
    region = call.request.region
    place = None if region == "us-east-1" else {"LocationConstraint": region}
    call.ask("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place)
    begun = call.begin(name, **_bucket_attributes(name, region))
    _set(call, name, {})
    return begun


def _exists(call: Call, name: str) -> bool:
    try:
        call.ask("s3", "head_bucket", Bucket=name)
    except ClientError:
        return False
    return True


def _bucket_attributes(name: str, region: str) -> dict[str, str]:
    return {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _adopt_bucket(call: Call, name: str) -> Provisioned:
    call.ask("s3", "head_bucket", Bucket=name)
    return Provisioned(name, _bucket_attributes(name, call.request.region))


def _update_bucket(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    _set(call, current.physical_id, old)
    return current


def _delete_bucket(call: Call, current: Provisioned) -> None:
    call.ask("s3", "delete_bucket", Bucket=current.physical_id)


def _set(call: Call, bucket: str, old: Mapping[str, Any]) -> None:
    for name, (put, remove, parameters) in _SETTINGS.items():
        value = call.properties.get(name)
        if value is not None and value != old.get(name):
            call.ask("s3", put, Bucket=bucket, **parameters(value))
        elif value is None and name in old and remove:
            call.ask("s3", remove, Bucket=bucket)
    if call.user_tags and call.tags != call.previous_tags:
        call.ask("s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": call.user_tags})


def _encryption(value: Mapping[str, Any]) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault"),
            "BucketKeyEnabled": rule.get("BucketKeyEnabled"),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    moves = rule.get("Transitions") or ([rule["Transition"]] if "Transition" in rule else [])
    noncurrent = rule.get("NoncurrentVersionExpiration")
    old_days = rule.get("NoncurrentVersionExpirationInDays")
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    abort = rule.get("AbortIncompleteMultipartUpload")
    return {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": expiration if any(value is not None for value in expiration.values()) else None,
        "NoncurrentVersionExpiration": noncurrent or ({"NoncurrentDays": old_days} if old_days else None),
        "AbortIncompleteMultipartUpload": abort,
        "Transitions": [{**move, "Days": move.get("TransitionInDays")} for move in moves] or None,
    }


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    target = {
        "TargetBucket": value.get("DestinationBucketName"),
        "TargetPrefix": value.get("LogFilePrefix", ""),
    }
    return {"BucketLoggingStatus": {"LoggingEnabled": target}}


_SETTINGS: Mapping[str, tuple[str, str | None, Callable[[Any], dict[str, Any]]]] = {
    "BucketEncryption": ("put_bucket_encryption", "delete_bucket_encryption", _encryption),
    "VersioningConfiguration": (
        "put_bucket_versioning",
        None,
        lambda value: {"VersioningConfiguration": value},
    ),
    "PublicAccessBlockConfiguration": (
        "put_public_access_block",
        "delete_public_access_block",
        lambda value: {"PublicAccessBlockConfiguration": value},
    ),
    "OwnershipControls": (
        "put_bucket_ownership_controls",
        "delete_bucket_ownership_controls",
        lambda value: {"OwnershipControls": value},
    ),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", "delete_bucket_lifecycle", _lifecycle),
    "LoggingConfiguration": ("put_bucket_logging", None, _logging),
}
"""By property: the operation that sets it, the one that removes it, and its parameters."""


def _create_bucket_policy(call: Call) -> Provisioned:
    bucket = call.properties["Bucket"]
    call.ask("s3", "head_bucket", Bucket=bucket)
    document = applied(call.properties["PolicyDocument"])
    if document:
        call.ask("s3", "put_bucket_policy", Bucket=bucket, Policy=document)
    return Provisioned(bucket)


def _update_bucket_policy(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _create_bucket_policy(call)
    return current


def _delete_bucket_policy(call: Call, current: Provisioned) -> None:
    call.ask("s3", "delete_bucket_policy", Bucket=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::S3::Bucket": Handler(_create_bucket, _update_bucket, _delete_bucket, _adopt_bucket),
    "AWS::S3::BucketPolicy": Handler(_create_bucket_policy, _update_bucket_policy, _delete_bucket_policy),
}
