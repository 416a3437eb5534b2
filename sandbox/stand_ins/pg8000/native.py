"""Connections that take every login and do nothing; quoting and errors of the real driver."""

from __future__ import annotations

from pg8000.converters import identifier, literal
from pg8000.exceptions import DatabaseError, Error, InterfaceError

__all__ = ["Connection", "DatabaseError", "Error", "InterfaceError", "identifier", "literal"]


class Connection:
    """A login that always works, to a database that keeps nothing: no statement has a result."""

    def __init__(self, user: str, **settings: object) -> None:
        del user, settings

    def run(self, sql: str, **values: object) -> list[list[object]]:
        """Do nothing."""
        del sql, values
        return []

    def close(self) -> None:
        """Do nothing."""
