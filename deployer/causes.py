"""
Why an operation failed: the first real cause out of a stack's events, and what to do about it. Pure.

"Resource creation cancelled" is a consequence and the stack's own reason a summary: neither is the cause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deployer.cloud import StackEvent
from deployer.progress import Cause

_BEGINNINGS = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
)

REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"cannot be (updated|deleted|removed) as it is in use by|in use by [\w-]+$",
        "deploy or destroy the stack that imports it first",
    ),
    (r"No export named", "deploy the stack that exports it first"),
    (
        r"circuit breaker|failed to stabilize|did not stabilize",
        "look at the service's events and the task logs: `gatestack events ENV --stack service`",
    ),
    (
        r"not authorized to perform|AccessDenied|is not authorized|UnauthorizedOperation",
        "grant the deploy role the action that is named, then run the same command again",
    ),
    (
        r"already exists",
        "something outside this stack has that name: delete it, or rename the environment",
    ),
    (
        r"LimitExceeded|limit exceeded|maximum number of|quota",
        "ask for a higher quota (Service Quotas), or remove what is no longer used",
    ),
    (r"bucket you tried to delete is not empty", "empty the bucket, then run the same command again"),
    (
        r"has dependencies|DependencyViolation|dependent object",
        "delete what still uses it, then run it again",
    ),
    (
        r"scheduled for deletion",
        "restore the secret (`aws secretsmanager restore-secret`), or wait until its recovery window is over",
    ),
    (
        r"Cannot find version|version .* (is )?not (supported|available|found)",
        "choose a version that the region offers: `aws rds describe-db-engine-versions`",
    ),
    (r"certificate", "the certificate has to be ISSUED and in the region of the load balancer"),
    (
        r"service.linked role",
        "create it once for the account: `aws iam create-service-linked-role`, then run this again",
    ),
    (r"Rate exceeded|Throttling", "AWS throttled the account: run the same command again"),
)
"""Patterns of AWS's messages (from its service documentation and recorded events), with what to do."""


def operation(events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """Return the events of the newest operation of a stack; *events* are oldest first."""
    starts = [index for index, event in enumerate(events) if event.is_stack and event.status in _BEGINNINGS]
    return tuple(events[starts[-1] :]) if starts else tuple(events)


def first_cause(events: Sequence[StackEvent]) -> Cause | None:
    """Return the first failure that is nobody else's consequence; *events* are oldest first."""
    failures = [event for event in events if event.status.endswith("_FAILED") and not event.is_stack]
    real = [event for event in failures if "cancelled" not in event.reason.lower()]
    for event in (*real, *failures):
        return Cause(event.logical_id, event.type, event.status, event.reason, remedy(event.reason))
    return None


def remedy(reason: str) -> str:
    """Return what to do about a failure with this *reason*; empty where nobody knows."""
    return next((text for pattern, text in REMEDIES if re.search(pattern, reason, re.IGNORECASE)), "")
