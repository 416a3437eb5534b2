"""Errors of the database servers."""


class DatabaseError(Exception):
    """A server cannot be created, started or used; the message says why, and holds no password."""
