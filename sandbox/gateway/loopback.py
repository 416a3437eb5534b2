"""Which loopback addresses of this machine a server can listen on."""

from __future__ import annotations

import socket


def objection(address: str, port: int) -> str:
    """Return why the address cannot be used now, as the system's message; empty if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""
