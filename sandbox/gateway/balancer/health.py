"""
The health of one target, from its checks. Pure.

Source: User Guide for Application Load Balancers, "Health checks for Application Load Balancer target
groups": a registered target is healthy after one check that it passes, an unhealthy one after the group's
healthy threshold, and a target is unhealthy after the unhealthy threshold; its table of reason codes with
their descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.gateway.balancer.view import Check

State = Literal["initial", "healthy", "unhealthy", "draining", "unused"]


@dataclass(frozen=True)
class Health:
    """DescribeTargetHealth's data of a target, and how many checks in a row passed or failed."""

    state: State
    reason: str = ""
    description: str = ""
    passed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Failure:
    """Why a check failed."""

    reason: str
    description: str


REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health("healthy")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = Health(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
TIMEOUT = Failure("Target.Timeout", "Request timed out")
FAILED = Failure("Target.FailedHealthChecks", "Health checks failed")


def mismatch(status: int) -> Failure:
    """Return the failure of a target with the response *status*."""
    return Failure("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


def after(before: Health, failure: Failure | None, check: Check) -> Health:
    """Return the health after one more check, which passed if there is no *failure*."""
    if failure is None:
        passed = before.passed + 1
        enough = 1 if before.state == "initial" else check.healthy
        if before.state == "healthy" or passed >= enough:
            return HEALTHY
        return Health(before.state, before.reason, before.description, passed=passed)
    failed = before.failed + 1
    if before.state == "unhealthy" or failed >= check.unhealthy:
        return Health("unhealthy", failure.reason, failure.description, failed=failed)
    return Health(before.state, before.reason, before.description, failed=failed)
