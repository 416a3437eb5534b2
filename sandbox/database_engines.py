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
        """Note that the ``instance`` or ``cluster`` of that name, made next, is restored from *snapshot*."""

    def before(self, environ: Mapping[str, Any], form: bytes) -> bytes | None:
        """Return RDS's refusal of a request."""

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Follow what was answered."""

    def settle(self, region: str) -> None:
        """Follow what changed by itself."""

    def status(self) -> dict[str, Any]:
        """Return `servers`, and `lacks`, why there are none; nothing where there are to be none."""

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return those of *variables* that hold RDS's authority, with the one of the servers."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """End what runs."""


class Records:
    """No servers; *lacks* says why, where there were to be some."""

    def __init__(self, lacks: str = "") -> None:
        self._lacks = lacks

    def begins_from(self, region: str, kind: str, name: str, snapshot: str) -> None:
        """A record has no data."""

    def before(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Refuse nothing."""

    def after(self, environ: Mapping[str, Any], form: bytes) -> None:
        """Nothing follows."""

    def settle(self, region: str) -> None:
        """Nothing follows."""

    def status(self) -> dict[str, Any]:
        """Say why there is nothing."""
        return {"servers": [], "lacks": self._lacks} if self._lacks else {}

    def trusted(self, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return none of *variables*: there is no server to trust."""
        del variables
        return {}

    def clear(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing runs."""
