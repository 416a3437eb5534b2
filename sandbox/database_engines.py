"""
The interface to database servers: databases are records only, unless the sandbox runs with a gateway.

`sandbox.gateway.databases` runs servers; without it a database is only moto's record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class DatabaseEngines(Protocol):
    """The servers of one account's databases."""

    def begins_from(self, region: str, kind: str, name: str, snapshot: str) -> None:
        """
        Note that the ``instance`` or ``cluster`` of that name, created next, is restored from *snapshot*.
        """

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of a request."""

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Follow a response."""

    def settle(self, region: str) -> None:
        """Follow changes without a request."""

    def status(self) -> dict[str, Any]:
        """Return `servers`, and `lacks`, why there are none; nothing if none are wanted."""

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of *variables* with RDS's authority, replaced by the servers' one."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """End what runs."""


class Records:
    """No servers; *lacks* is the reason, if some are wanted."""

    def __init__(self, lacks: str = "") -> None:
        self._lacks = lacks

    def begins_from(self, region: str, kind: str, name: str, snapshot: str) -> None:
        """Do nothing: a record has no data."""

    def before(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Refuse nothing."""

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Do nothing."""

    def settle(self, region: str) -> None:
        """Do nothing."""

    def status(self) -> dict[str, Any]:
        """Return why there is nothing."""
        return {"servers": [], "lacks": self._lacks} if self._lacks else {}

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return none of *variables*: there is no server to trust."""
        del variables
        return {}

    def clear(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
