"""
The disks of RDS: they grow by themselves, never shrink, and rest after every growth. In front of moto.

Sources: Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling"
(increments, the bound) and "Increasing DB instance storage capacity" (six hours' rest); RDS API Reference,
ModifyDBInstance, AllocatedStorage (at least 10 % more, or it is rounded up). RDS's words for a smaller disk
are those of InvalidParameterCombination as users report them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.resources.reach import Reach

REST_SECONDS = 6 * 3600.0
STEP_GB = 10
RESTING = (
    "You can't currently modify the storage of this DB instance because the previous storage change is "
    "being optimized."
)
_REGION = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")


class Disks:
    """The disks of one account's DB instances."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._grown: dict[tuple[str, str], float] = {}
        """Region and instance -> when its disk grew last."""

    def clear(self) -> None:
        """Forget every growth."""
        self._grown.clear()

    def fill(self, region: str, name: str) -> int:
        """Have the disk of *name* be nearly full: RDS grows it, up to its bound; returns its size in GiB."""
        instance = self._reach.backend("rds", region).databases[name]
        size = int(instance.allocated_storage)
        most = int(instance.max_allocated_storage or size)
        grown = min(max(size + STEP_GB, -(-size * 11 // 10)), most)
        if grown > size:
            instance.allocated_storage = grown
            self._grown[region, name] = self._reach.surroundings.now()
        return max(grown, size)

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of a ModifyDBInstance; None where it takes it, and for every other request."""
        if b"Action=ModifyDBInstance&" not in form + b"&":
            return None
        asked = {key: values[0] for key, values in parse_qs(form.decode()).items()}
        found = _REGION.search(environ.get("HTTP_AUTHORIZATION", ""))
        region, name = (found[1] if found else "us-east-1"), asked.get("DBInstanceIdentifier", "")
        instance = self._reach.backend("rds", region).databases.get(name)
        if instance is None or "AllocatedStorage" not in asked:
            return None
        size, wanted = int(instance.allocated_storage), int(asked["AllocatedStorage"])
        if wanted < size:
            what = f"engine name {instance.engine} and storage type {instance.storage_type}"
            return _refusal(f"Invalid storage size for {what}: {wanted}")
        if wanted == size:
            return None
        now = self._reach.surroundings.now()
        if now - self._grown.get((region, name), -REST_SECONDS) < REST_SECONDS:
            return _refusal(RESTING)
        self._grown[region, name] = now
        return None


def _refusal(message: str) -> bytes:
    root = Element("ErrorResponse", xmlns="http://rds.amazonaws.com/doc/2014-10-31/")
    error = SubElement(root, "Error")
    for name, text in {"Type": "Sender", "Code": "InvalidParameterCombination", "Message": message}.items():
        SubElement(error, name).text = text
    SubElement(root, "RequestId").text = "sandbox"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
