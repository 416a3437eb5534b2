"""Errors of the database servers."""


class DatabaseError(Exception):
    """A server cannot be made, started or asked; the message says why, and holds no password."""
