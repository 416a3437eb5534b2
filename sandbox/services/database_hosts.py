"""
Databases that accept no connection: clusters without an available instance.

A cluster is available, and CloudFormation's creation complete, before it has an instance; its endpoints lead
to instances (Aurora User Guide, "Amazon Aurora DB clusters"; the handler of AWS::RDS::DBCluster waits for the
cluster alone). A DB instance of RDS accepts connections as soon as it exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.services.functions.records import Function
from sandbox.services.reach import Reach

VARIABLE = "SANDBOX_CLOSED_HOSTS"
"""Variable for the driver's stand-in in a function's process: host names, with commas between them."""


def closed(reach: Reach, function: Function) -> Mapping[str, str]:
    """Return the variable for *function*, with the databases of its region."""
    hosts = ",".join(_closed(reach.backend("rds", function.region)))
    return {VARIABLE: hosts} if hosts else {}


def _closed(rds: Any) -> Iterator[str]:
    for cluster in rds.clusters.values():
        if not any(one.status == "available" for one in cluster.members):
            yield from (cluster.endpoint, cluster.reader_endpoint)
