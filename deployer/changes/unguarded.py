"""Resources with data that have neither a DeletionPolicy nor an UpdateReplacePolicy. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.stateful import STATEFUL

POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
SNAPSHOT = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::GlobalCluster"})
"""
Types that leave a snapshot where no policy is written, or hold nothing themselves.

CloudFormation Template Reference, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute": all others
are deleted.
"""


def unguarded(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (logical id, sentence) of each resource of *template* that holds data and lacks such a policy."""
    for logical_id, resource in template["Resources"].items():
        missing = [one for one in POLICIES if one not in resource]
        if missing and resource["Type"] in STATEFUL - SNAPSHOT:
            lacks, write = " and no ".join(missing), " and ".join(missing)
            yield (
                logical_id,
                (
                    f"{logical_id} ({resource['Type']}) holds data and has no {lacks}: CloudFormation "
                    f"deletes it {_when(missing)}; write {write}: Retain, or Delete where the data may go"
                ),
            )


def _when(missing: list[str]) -> str:
    told = {"DeletionPolicy": "with its stack or its entry", "UpdateReplacePolicy": "when it is replaced"}
    return " and ".join(told[one] for one in missing)
