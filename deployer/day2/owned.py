"""
Changes that AWS makes by itself after a deployment, which are no drift. One table, as data. Pure.

A row is about one property of one resource type, and says which changes are AWS's. Every other difference is
drift. Read in November 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from deployer.day2.drift_state import PropertyDrift, ResourceDrift
from deployer.lookups import newer_minor

Move = Literal["any", "newer", "larger", "untold"]
"""
``newer``: a later minor version of the same major one; ``larger``: a greater whole number, up to the row's
limit; ``untold``: drift detection reports no value, because it does not read it; ``any``: whatever it is.
"""


@dataclass(frozen=True)
class Owned:
    """One property that AWS changes by itself."""

    type: str
    path: str
    """``/EngineVersion``; what is below it counts, too."""
    move: Move
    mover: str
    """Who changes it, and when."""
    source: str
    limit: str = ""
    """The property of the same resource that bounds a ``larger`` one; without it, nothing does."""

    def covers(self, resource: ResourceDrift, one: PropertyDrift) -> bool:
        """Whether the difference *one* of *resource* is AWS's own move."""
        below = one.path == self.path or one.path.startswith(f"{self.path}/")
        if resource.type != self.type or resource.status != "MODIFIED" or not below:
            return False
        if self.move == "any":
            return True
        if self.move == "untold":
            return one.kind == "REMOVE" and one.path == self.path
        expected, actual = one.expected.strip('"'), one.actual.strip('"')
        if self.move == "newer":
            return newer_minor(actual, than=expected)
        return self._larger(resource, expected, actual)

    def _larger(self, resource: ResourceDrift, expected: str, actual: str) -> bool:
        if not re.fullmatch(r"\d+", expected) or not re.fullmatch(r"\d+", actual):
            return False
        most = resource.numbers.get(self.limit) if self.limit else int(actual)
        return most is not None and int(expected) < int(actual) <= most


OWNED: tuple[Owned, ...] = (
    Owned(
        "AWS::RDS::DBInstance",
        "/EngineVersion",
        "newer",
        "RDS raises minor versions in maintenance windows",
        "Amazon RDS User Guide, Automatically upgrading the minor engine version",
    ),
    Owned(
        "AWS::RDS::DBCluster",
        "/EngineVersion",
        "newer",
        "Aurora raises minor versions in maintenance windows",
        "Amazon Aurora User Guide, Automatic minor version upgrades for PostgreSQL",
    ),
    Owned(
        "AWS::RDS::DBInstance",
        "/AllocatedStorage",
        "larger",
        "RDS grows the disk when less than a tenth of it is free",
        "Amazon RDS User Guide, Managing capacity automatically with Amazon RDS storage autoscaling",
        limit="MaxAllocatedStorage",
    ),
    Owned(
        "AWS::ElastiCache::ReplicationGroup",
        "/EngineVersion",
        "newer",
        "ElastiCache raises minor versions in maintenance windows, and names the patch, too",
        "Amazon ElastiCache User Guide, Version Management for ElastiCache",
    ),
    Owned(
        "AWS::ElasticLoadBalancingV2::Listener",
        "/MutualAuthentication",
        "untold",
        "drift detection does not read every mode",
        "aws-cloudformation/cloudformation-coverage-roadmap#1897",
    ),
)
"""
Not here, since no template says them, and drift is looked for in what templates say: the CA certificate, the
engine version of Aurora's instances, the zone of the writer, the present capacity of Serverless v2, the
throughput that a disk gets from 400 GiB on. Secrets' values are write-only (CloudFormation User Guide,
"Resource type support"), and maintenance and backup windows that a template gives are never moved.
"""


def moved(resource: ResourceDrift) -> tuple[ResourceDrift | None, tuple[str, ...]]:
    """Return what is left of *resource* without AWS's own moves, None for nothing, and a text for each."""
    own = {one: row for one in resource.properties if (row := _row(resource, one))}
    if not own:
        return resource, ()
    texts = tuple(_text(resource, one, row) for one, row in own.items())
    left = tuple(one for one in resource.properties if one not in own)
    return (replace(resource, properties=left) if left else None), texts


def _row(resource: ResourceDrift, one: PropertyDrift) -> Owned | None:
    return next((row for row in OWNED if row.covers(resource, one)), None)


def _text(resource: ResourceDrift, one: PropertyDrift, row: Owned) -> str:
    what = f"{resource.logical_id}{one.path} {one.expected} -> {one.actual}"
    return f"{what} is not drift: {row.mover}"
