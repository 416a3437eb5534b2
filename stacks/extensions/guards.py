"""
What of a resource guards data, as levels that can be compared: a patch may raise them, not lower. Pure.

By the names of the properties, whatever the type: a type that nobody thought of is guarded too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

POLICIES: Mapping[str, int] = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 3}
"""DeletionPolicy and UpdateReplacePolicy, by how much stays (CloudFormation template reference)."""

ON = frozenset(
    [
        "AtRestEncryptionEnabled",
        "AutoMinorVersionUpgrade",
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "CopyTagsToSnapshot",
        "DeletionProtection",
        "DeletionProtectionEnabled",
        "EnableKeyRotation",
        "EnableLogFileValidation",
        "Encrypted",
        "IgnorePublicAcls",
        "KmsMasterKeyEnabled",
        "PointInTimeRecoveryEnabled",
        "RestrictPublicBuckets",
        "SSEEnabled",
        "SqsManagedSseEnabled",
        "StorageEncrypted",
        "TransitEncryptionEnabled",
    ]
)
"""True guards; false, or nothing, does not."""
THERE = frozenset(
    [
        "BucketEncryption",
        "DeletionProtectionMode",
        "EncryptionConfiguration",
        "KMSKeyId",
        "KMSMasterKeyID",
        "KmsKey",
        "KmsKeyArn",
        "KmsKeyId",
        "KmsMasterKeyId",
        "PermissionsBoundary",
        "PublicAccessBlockConfiguration",
        "SSESpecification",
        "VersioningConfiguration",
    ]
)
"""Guards by being there."""
MORE = frozenset(
    [
        "BackupRetentionPeriod",
        "PendingWindowInDays",
        "RecoveryPeriodInDays",
        "RetentionInDays",
        "SnapshotRetentionLimit",
    ]
)
"""Numbers: the more, the longer something can be got back."""
OPEN = frozenset(
    {"PubliclyAccessible", "EmptyOnDelete", "SkipFinalSnapshot", "BypassPolicyLockoutSafetyCheck"}
)
"""True takes a guard away."""
STATES: Mapping[str, str] = {"Status": "Enabled", "deletion_protection.enabled": "true"}
"""Names, or keys of key-and-value entries, with the value that guards."""
UNKNOWN = 0.5
"""What only a deployment decides guards less than what is certain."""


def weakened(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the places whose guard *after* has less of than *before*, by their paths."""
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
    if name in {"DeletionPolicy", "UpdateReplacePolicy"}:
        return POLICIES.get(value, UNKNOWN) if isinstance(value, str) else UNKNOWN
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
