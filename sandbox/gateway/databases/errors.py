"""What goes wrong with the servers."""


class DatabaseError(Exception):
    """A server cannot be made, started or asked; the message says why, and holds no password."""
