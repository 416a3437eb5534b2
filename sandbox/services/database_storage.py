"""
Storage of RDS: it grows by itself, never shrinks, and cannot change again for a time. In front of moto.

Sources: Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling"
(increments, the limit) and "Increasing DB instance storage capacity" (six hours between changes); RDS API
Reference, ModifyDBInstance, AllocatedStorage (at least 10 % more). It says that less is rounded up; users of
CloudFormation see it refused, as smaller storage (aws-cloudformation/cloudformation-coverage-roadmap#1312).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.services.reach import Reach

REST_SECONDS = 6 * 3600.0
STEP_GB = 10
RESTING = (
    "You can't currently modify the storage of this DB instance because the previous storage change is "
    "being optimized."
)
REGION_OF = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")


class Disks:
    """The disks of one account's DB instances."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._grown: dict[tuple[str, str], float] = {}
        """Region and instance -> the time of its disk's last growth."""

    def clear(self) -> None:
        """Forget every growth."""
        self._grown.clear()

    def _grow(self, region: str, name: str, instance: Any) -> None:
        """Grow a nearly full disk up to its bound, as RDS does."""
        size = int(instance.allocated_storage)
        most = int(instance.max_allocated_storage or size)
        grown = min(max(size + STEP_GB, -(-size * 11 // 10)), most)
        if grown > size:
            instance.allocated_storage = grown
            self._grown[region, name] = self._reach.surroundings.now()

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of a ModifyDBInstance; None if it accepts it, and for every other request."""
        if b"DBInstanceIdentifier=" not in form:
            return None
        asked = {key: values[0] for key, values in parse_qs(form.decode()).items()}
        found = REGION_OF.search(environ.get("HTTP_AUTHORIZATION", ""))
        region, name = (found[1] if found else "us-east-1"), asked.get("DBInstanceIdentifier", "")
        instance = self._reach.backend("rds", region).databases.get(name)
        if instance is None:
            return None
        if self._reach.surroundings.faults.of_disk(name):
            self._grow(region, name, instance)
        if asked.get("Action") != "ModifyDBInstance" or "AllocatedStorage" not in asked:
            return None
        refused = self._modified(region, name, instance, int(asked["AllocatedStorage"]))
        return refusal(refused) if refused else None

    def _modified(self, region: str, name: str, instance: Any, wanted: int) -> str:
        """Note a change of size; returns why RDS refuses it, or nothing."""
        size, now = int(instance.allocated_storage), self._reach.surroundings.now()
        if wanted == size:
            return ""
        if wanted * 10 < size * 11:
            what = f"engine name {instance.engine} and storage type {instance.storage_type}"
            return f"Invalid storage size for {what}: {wanted}"
        if now - self._grown.get((region, name), -REST_SECONDS) < REST_SECONDS:
            return RESTING
        self._grown[region, name] = now
        return ""


def refusal(message: str, code: str = "InvalidParameterCombination") -> bytes:
    """Return RDS's response to a refused request."""
    root = Element("ErrorResponse", xmlns="http://rds.amazonaws.com/doc/2014-10-31/")
    error = SubElement(root, "Error")
    for name, text in {"Type": "Sender", "Code": code, "Message": message}.items():
        SubElement(error, name).text = text
    SubElement(root, "RequestId").text = "sandbox"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
