"""What the parts of the services need from the whole: clients, moto's state, and the sandbox."""

from __future__ import annotations

from typing import Any, Protocol

from sandbox.surroundings import Surroundings


class Reach(Protocol):
    """The services of one account, for their parts."""

    account: str
    surroundings: Surroundings

    def client(self, service: str, region: str) -> Any:
        """Return the botocore client of *service* in *region*."""

    def backend(self, service: str, region: str) -> Any:
        """Return moto's own state of *service* in *region*."""
