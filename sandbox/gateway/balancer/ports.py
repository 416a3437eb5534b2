"""Loopback ports of load balancers: any free one at first, the same one after a restart."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

ADDRESS = "127.0.0.1"
_FILE = "load-balancer-ports.json"
_WAITING = 128
"""Backlog of connections that wait to be accepted."""


class Ports:
    """The ports by name; stored in a file of the state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._known = self._read()

    def bound(self, name: str) -> socket.socket:
        """Return a listening socket for *name*; on its previous port, if that is still free."""
        made = self._bound(self._known.get(name, 0))
        port = int(made.getsockname()[1])
        if self._known.get(name) != port:
            self._known[name] = port
            self._write()
        return made

    def _bound(self, port: int) -> socket.socket:
        try:
            return _listening(port)
        except OSError:
            return _listening(0)

    def _read(self) -> dict[str, int]:
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): int(port) for name, port in found.items()}
        return {}

    def _write(self) -> None:
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(self._known), encoding="utf-8")
        beside.replace(self._path)


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
        made.listen(_WAITING)
        made.setblocking(False)  # noqa: FBT003 - the method has no keywords
    except BaseException:
        made.close()
        raise
    return made
