"""Sessions of roles: their role, and their expiry on the sandbox's clock."""

from __future__ import annotations

from dataclasses import dataclass

EXPIRED = "The security token included in the request is expired"


@dataclass(frozen=True)
class Session:
    """A session with credentials of STS."""

    role_arn: str
    name: str
    ends: float | None = None
    """Virtual seconds since the epoch; None where sessions do not end (`Behaviour.sessions_end`)."""

    @property
    def account(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def role(self) -> str:
        """The role's name."""
        return self.role_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """The session's ARN in messages."""
        partition = self.role_arn.split(":")[1]
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.role}/{self.name}"

    def ended(self, now: float) -> bool:
        """Whether its credentials have expired."""
        return self.ends is not None and now >= self.ends
