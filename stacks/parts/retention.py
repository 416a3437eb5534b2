"""DeletionPolicy and UpdateReplacePolicy of resources that hold data, always set together."""

from __future__ import annotations

from troposphere import Delete, Retain

from stacks.settings import Settings


def kept_in_production(settings: Settings) -> dict[str, str]:
    """
    Return both policies of a resource whose loss cannot be undone: kept in production, removed elsewhere.

    Source: CloudFormation User Guide, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute"; one
    without the other loses the data when an update replaces the resource.
    """
    return _both(Retain if settings.production else Delete)


def kept() -> dict[str, str]:
    """Return both policies of a resource that outlives its stack everywhere."""
    return _both(Retain)


def removed() -> dict[str, str]:
    """Return both policies of a resource that is deleted with its stack everywhere, stated explicitly."""
    return _both(Delete)


def _both(policy: str) -> dict[str, str]:
    return {"DeletionPolicy": policy, "UpdateReplacePolicy": policy}
