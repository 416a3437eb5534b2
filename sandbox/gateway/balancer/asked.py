"""A request as a listener's rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Asked:
    """One request, before a rule is chosen; header names are in lower case."""

    method: str
    target: str
    headers: Sequence[Header]
    source: str
    """Address of the connection."""
    scheme: str
    """http or https: of the listener."""
    port: int
    """Port of the listener, as on AWS; not the one on loopback."""

    def values(self, name: str) -> list[str]:
        """Return the values of header *name*, in any case."""
        wanted = name.lower().encode("latin-1", "replace")
        return [value.decode("latin-1") for key, value in self.headers if key == wanted]

    @cached_property
    def authority(self) -> str:
        """The Host header: a name, with or without a port; that of an absolute target before it."""
        absolute = urlsplit(self.target).netloc if "://" in self.target else ""
        return absolute or next(iter(self.values("host")), "")

    @property
    def host(self) -> str:
        """The host name alone."""
        name, colon, port = self.authority.rpartition(":")
        return (name if colon and port.isdigit() else self.authority).lower()

    @cached_property
    def relative(self) -> str:
        """Path and query, also of an absolute target."""
        if "://" not in self.target:
            return self.target
        rest = self.target.split("://", 1)[1]
        return rest[rest.find("/") :] if "/" in rest else "/"

    @property
    def path(self) -> str:
        """The path as it was sent: nothing is decoded."""
        return self.relative.partition("?")[0]

    @property
    def query(self) -> str:
        """The query as it was sent, without its question mark."""
        return self.relative.partition("?")[2]
