"""Whether the environment's KMS key can be used. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

USABLE = frozenset({"Enabled", "Creating", "Updating"})
"""Key states that are no reason to stop (KMS Developer Guide, "Key states of AWS KMS keys")."""


@dataclass(frozen=True)
class Key:
    """A KMS key as DescribeKey tells it."""

    id: str
    state: str
    """``Enabled``, ``Disabled``, ``PendingDeletion``, …"""
    gone_at: datetime | None = None
    """When it is deleted, where that is announced."""


def trouble(key: Key) -> tuple[str, str]:
    """Return what is wrong with *key*, and the commands that help; both empty where nothing is."""
    enable = f"`aws kms enable-key --key-id {key.id}`"
    if key.state in USABLE:
        return "", ""
    if key.state == "PendingDeletion":
        when = f" on {key.gone_at:%Y-%m-%d}" if key.gone_at else ""
        what = f"the key {key.id} is deleted{when}, and with it everything that it encrypts"
        return what, f"`aws kms cancel-key-deletion --key-id {key.id}`, then {enable}"
    if key.state == "Disabled":
        return f"the key {key.id} is disabled: nothing that it encrypts can be read", enable
    what = f"the key {key.id} is in the state {key.state}: nothing that it encrypts can be read"
    return what, f"see `aws kms describe-key --key-id {key.id}`"
