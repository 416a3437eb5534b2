"""Connections to databases that accept every login and do nothing; quoting and errors of the real driver."""

from __future__ import annotations

import os

from pg8000.converters import identifier, literal
from pg8000.exceptions import DatabaseError, Error, InterfaceError

__all__ = ["Connection", "DatabaseError", "Error", "InterfaceError", "identifier", "literal"]


class Connection:
    """A login that works wherever there is a server, which keeps nothing: no statement has a result."""

    def __init__(self, user: str, host: str = "localhost", **settings: object) -> None:
        del user, settings
        if host in os.environ.get("SANDBOX_CLOSED_HOSTS", "").split(","):
            raise InterfaceError(f"Can't create a connection to host {host}")

    def run(self, sql: str, **values: object) -> list[list[object]]:
        """Do nothing."""
        del sql, values
        return []

    def close(self) -> None:
        """Do nothing."""
