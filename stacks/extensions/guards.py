"""
How well a resource's properties protect its data, as comparable levels: a patch may not lower them. Pure.

Matched by property names, whatever the type, so that unlisted types are protected too. The names are those of
our own templates, and of AWS Control Tower's proactive controls that are about data (2026-11-28; the rules of
cdk-validator-cfnguard 0.0.62).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

POLICIES: Mapping[str, int] = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 3}
"""DeletionPolicy and UpdateReplacePolicy, by how much stays (CloudFormation template reference)."""
LEVELS: Mapping[str, Mapping[str, int]] = {
    "DeletionPolicy": POLICIES,
    "SSEAlgorithm": {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2},
    "TransitEncryptionMode": {"preferred": 0, "required": 1},
    "UpdateReplacePolicy": POLICIES,
}
"""Properties whose values protect more or less."""

ON = frozenset(
    [
        "AtRestEncryptionEnabled",
        "AutoMinorVersionUpgrade",
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "CacheDataEncrypted",
        "CopyTagsToSnapshot",
        "DeletionProtection",
        "DeletionProtectionEnabled",
        "EnableAtRestEncryption",
        "EnableInTransitEncryption",
        "EnableKeyRotation",
        "EnableLogFileValidation",
        "Encrypted",
        "EnforceHTTPS",
        "IgnorePublicAcls",
        "KmsMasterKeyEnabled",
        "ObjectLockEnabled",
        "PointInTimeRecoveryEnabled",
        "RequireTLS",
        "RestrictPublicBuckets",
        "SSEEnabled",
        "SqsManagedSseEnabled",
        "StorageEncrypted",
        "TransitEncryptionEnabled",
    ]
)
"""Properties that protect if true."""
THERE = frozenset(
    [
        "BucketEncryption",
        "DeletionProtectionMode",
        "EncryptionAtRestOptions",
        "EncryptionConfiguration",
        "KMSKeyId",
        "KMSMasterKeyID",
        "KmsKey",
        "KmsKeyArn",
        "KmsKeyId",
        "KmsMasterKeyId",
        "NodeToNodeEncryptionOptions",
        "PerformanceInsightsKMSKeyId",
        "PermissionsBoundary",
        "PublicAccessBlockConfiguration",
        "SSESpecification",
        "StreamEncryption",
        "VersioningConfiguration",
    ]
)
"""Properties that protect by existing."""
MORE = frozenset(
    [
        "AutomatedSnapshotRetentionPeriod",
        "BackupRetentionPeriod",
        "PendingWindowInDays",
        "RecoveryPeriodInDays",
        "RetentionInDays",
        "SnapshotRetentionLimit",
    ]
)
"""Numbers: the larger, the longer data can be restored."""
OPEN = frozenset(
    [
        "BypassPolicyLockoutSafetyCheck",
        "EmptyOnDelete",
        "EncryptionDisabled",
        "PubliclyAccessible",
        "SkipFinalSnapshot",
    ]
)
"""Properties that remove a protection if true."""
STATES: Mapping[str, str] = {"Status": "Enabled", "deletion_protection.enabled": "true"}
"""Names, or keys of key-and-value entries, with the value that protects."""
UNKNOWN = 0.5
"""A value known only on deployment protects less than a certain one."""


def weakened(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths at which *after* protects less than *before*."""
    old, new = dict(_levels(before, "")), dict(_levels(after, ""))
    yield from (place for place in sorted({*old, *new}) if new.get(place, 0) < old.get(place, 0))


def _levels(node: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, list):
        for place, one in enumerate(node):
            key = one.get("Key") if isinstance(one, dict) else None
            yield from _levels(one, f"{path}[{place if key is None else f'Key={key}'}]")
    if not isinstance(node, dict):
        return
    if node.get("Key") in STATES:
        yield path, _is(node.get("Value"), STATES[node["Key"]])
    for name, value in node.items():
        here = f"{path}.{name}".removeprefix(".")
        level = _level(name, value)
        if level is not None:
            yield here, level
        yield from _levels(value, here)


def _level(name: str, value: Any) -> float | None:
    if name in LEVELS:
        return LEVELS[name].get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN
    if name in ON:
        return _is(value, "true")
    if name in OPEN:
        return -_is(value, "true")
    if name in THERE:
        return 1
    if name in MORE:
        return _number(value)
    return _is(value, STATES[name]) if name in STATES else None


def _is(value: Any, wanted: str) -> float:
    if isinstance(value, dict):
        return UNKNOWN
    return float(str(value).lower() == wanted.lower())


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return UNKNOWN
