"""The state of a secret's rotation, and what to do about one that blocks a change. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FAILURE_PAGE = "`gatestack docs rotation-failed`"


@dataclass(frozen=True)
class Rotating:
    """How far the rotation of a secret is, as DescribeSecret tells it."""

    secret: str
    """Its full name: ``dev-litellm/database-login``."""
    pending: str | None = None
    """The version that is on its way: it has AWSPENDING, and is not the current one."""
    first: bool = False
    """Whether it has a schedule and was never rotated: its value is still the one that it was made with."""

    @property
    def under_way(self) -> bool:
        """Whether a new value is to be expected; a rotation that failed looks the same."""
        return self.first or self.pending is not None

    def command(self, environment: str) -> str:
        """Return the command that follows a rotation to its end, or finishes one that hangs."""
        return f"`gatestack rotate {environment} {self.secret.rpartition('/')[2]}`"

    def refusal(self, environment: str) -> str:
        """Return why its schedule cannot be changed now, and what to do."""
        take = f"--secret-id {self.secret} --version-stage AWSPENDING --remove-from-version-id {self.pending}"
        give_up = (
            f"`aws secretsmanager cancel-rotate-secret --secret-id {self.secret}`, then "
            f"`aws secretsmanager update-secret-version-stage {take}`"
        )
        return (
            f"the rotation of {self.secret} is not complete, and Secrets Manager takes no change of its "
            f"schedule until it is (nothing was changed): {self.command(environment)} completes it; "
            f"or cancel it ({FAILURE_PAGE}): {give_up}; then deploy again"
        )

    def unrotated(self, environment: str, minutes: float) -> str:
        """Return why no task is started yet, and what to do."""
        return (
            f"{self.secret} is not rotated after {minutes:.0f} minutes, so it still holds the login of the "
            f"database's administrator and no task is started with it: {self.command(environment)} shows "
            f"the cause and completes it ({FAILURE_PAGE}), then deploy again"
        )
