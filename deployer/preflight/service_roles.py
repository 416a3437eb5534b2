"""Service-linked roles that the first deployment in an account has to create. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from deployer.day2.verification import Check
from deployer.preflight.demand import Wanted
from deployer.preflight.permissions import SERVICE_ROLES


def needed(found: Sequence[Wanted]) -> tuple[tuple[str, str], ...]:
    """Return the services whose own roles *found* needs, with those roles' names."""
    return tuple(sorted({SERVICE_ROLES[one.type] for one in found if one.type in SERVICE_ROLES}))


def present(services: Collection[str]) -> Iterator[Check]:
    """Say which service-linked roles are there."""
    if services:
        yield Check("service roles", "ok", f"there: {', '.join(sorted(services))}")


def absent(service: str, found: Check) -> Check:
    """Return what *found*, the judgement on making the role of *service*, means for the deployment."""
    create = f"`aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com`"
    if found.outcome == "ok":
        return Check(f"service role {service}", "ok", "is created with the first resource")
    what = f"{service} has no service-linked role here, and this role may not create it: {found.detail}"
    return replace(
        found, name=f"service role {service}", detail=what, remedy=f"once, with a role that may: {create}"
    )


def unjudged(service: str, why: str) -> Check:
    """Report that it is unknown whether the missing role of *service* can be created."""
    create = f"`aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com`"
    what = f"not there, and whether the role that deploys may create it is unknown: {why}"
    return Check(f"service role {service}", "warning", what, f"if the deployment reports it: {create}")
