"""
Stacks whose first creation failed: none of their resources has held data yet. Pure.

A rollback cannot delete a protected resource (a database, a load balancer) or a bucket that is not empty
(Elastic Load Balancing writes a test file), so it ends in ROLLBACK_FAILED, and every deletion in
DELETE_FAILED. If protection came in a second step, each creation would take two, and one that is interrupted
between them would leave a database unprotected. So the resources of a failed creation are unprotected, and no
others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from deployer.states import Resource, StackEvent
from deployer.statuses import RESOURCE_GONE, SUCCEEDED

OF_CREATION = frozenset({"CREATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE"})
"""Statuses that only a first creation ends in (CloudFormation User Guide, "Stack status codes")."""
BEGINNINGS = frozenset({"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"})
"""The stack's own first event: CloudFormation forgets events after 90 days, and then nothing is proven."""
LOCKED = ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::ElasticLoadBalancingV2::LoadBalancer")
"""Types with a deletion protection of their own."""


def never_whole(status: str, events: Callable[[], Collection[StackEvent]]) -> bool:
    """
    Whether a stack in *status* has never been complete, for which its *events* may have to be read.

    A deletion that failed says nothing by itself: only events that reach back to its beginning do.
    """
    if status in OF_CREATION:
        return True
    if status != "DELETE_FAILED":
        return False
    own = [event.status for event in events() if event.is_stack]
    imported = any(status.startswith("IMPORT_") for status in own)
    return bool(own) and own[0] in BEGINNINGS and not imported and not SUCCEEDED & set(own)


def said(there: Collection[Resource]) -> str:
    """Return what is done to a stack's resources before their deletion, as text; empty for none."""
    locked = sorted(f"{one.logical_id} ({one.physical_id})" for one in there if _locked(one))
    if not locked:
        return ""
    which = f"the deletion protection of {', '.join(locked)} is switched off"
    return f"its first creation failed and nothing was ever put into it: {which}"


def _locked(one: Resource) -> bool:
    return one.type in LOCKED and bool(one.physical_id) and one.status not in RESOURCE_GONE
