"""Tags of resources and when they were set: tags of a KMS key affect authorization only after a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Since:
    time: float
    tags: Mapping[str, str]


class Tagged:
    """Type and physical id -> tags, with their history. Threads may share it."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], tuple[_Since, ...]] = {}
        self._ids: dict[str, tuple[str, str]] = {}

    def note(self, type_name: str, physical_id: str, arn: str, tags: Mapping[str, str], now: float) -> None:
        """Set the *tags* of a resource from *now* on, virtual seconds."""
        key = (type_name, physical_id)
        before = self._held.get(key, ())
        if not before or before[-1].tags != tags:
            self._held[key] = (*before, _Since(now, tags))
        for name in (physical_id, arn):
            self._ids[name] = key

    def forget(self, type_name: str, physical_id: str) -> None:
        """Forget a deleted resource."""
        self._held.pop((type_name, physical_id), None)

    def clear(self) -> None:
        """Forget all of them."""
        self._held, self._ids = {}, {}

    def last(self, type_name: str, physical_id: str) -> Mapping[str, str]:
        """Return the tags of a resource, effective or not."""
        found = self._held.get((type_name, physical_id), ())
        return found[-1].tags if found else {}

    def counting(self, name: str, now: float, delay: float) -> Mapping[str, str] | None:
        """
        Return the tags effective for access to *name* (ARN, or its last part) at *now*.

        Those of a key are effective *delay* seconds after they were set: up to five minutes (AWS KMS
        Developer Guide, "Control access to KMS keys using tags"). None if it is unknown.
        """
        key = self._ids.get(name) or self._ids.get(name.rpartition("/")[2])
        found = self._held.get(key, ()) if key else ()
        if key is None or not found:
            return None
        wait = delay if key[0] == "AWS::KMS::Key" else 0.0
        old_enough = [one.tags for one in found if one.time + wait <= now]
        return old_enough[-1] if old_enough else {}
