"""Whether the login is in the right account, and lasts long enough. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from deployer import expected
from deployer.day2.verification import Check
from deployer.graph import Graph
from deployer.history.durations import Touched
from deployer.preflight.account import Identity
from deployer.preflight.demand import Wanted

ROOT = ":root"


def account_check(identity: Identity, wanted: str | None, environment: str) -> Check:
    """Check the account of the credentials; *wanted*: the account that the environment's file names."""
    who = f"account {identity.account}, {identity.arn.rpartition(':')[2]}"
    if wanted not in {None, identity.account}:
        what = f"{who}; {environment} is for account {wanted}"
        return Check("login", "refused", what, f"log in to {wanted}, or correct `account` in its file")
    if identity.arn.endswith(ROOT):
        remedy = "log in as a role: nothing limits or records what a root user does as it does a role's"
        return Check("login", "warning", f"{who}: the root user", remedy)
    return Check("login", "ok", who)


def session_check(identity: Identity, seconds: float, now: datetime) -> Check | None:
    """Check whether credentials that end outlast *seconds* of deployment; None where they do not end."""
    if identity.ends is None:
        return None
    left = identity.ends - now
    needed = timedelta(seconds=seconds)
    what = f"ends in {_minutes(left)}, the deployment takes about {_minutes(needed)}"
    if left >= needed:
        return Check("session", "ok", what)
    return Check("session", "warning", what, "log in again just before deploying, for longer")


def expected_seconds(order: Graph, found: Sequence[Wanted]) -> float:
    """Return how long making *found* usually takes: stacks side by side, each after what it imports from."""
    new = {
        name: [Touched(one.logical_id, one.type, "create") for one in found if one.spec.name == name]
        for name in order.names
    }
    return order.longest({name: expected.seconds(each) for name, each in new.items()})


def _minutes(span: timedelta) -> str:
    return f"{max(span.total_seconds(), 0) / 60:.0f} minutes"
