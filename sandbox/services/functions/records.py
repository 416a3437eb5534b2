"""
Lambda's functions: settings, code (an archive's bytes), and invoke permissions.

moto's own functions run in containers and are not used; `runs.py` runs these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """A function as last deployed."""

    arn: str
    name: str
    code: bytes = field(repr=False)
    handler: str
    timeout: float
    """Time limit of one invocation, in seconds."""
    variables: Mapping[str, str] = field(repr=False)

    @property
    def region(self) -> str:
        """The region it is in."""
        return self.arn.split(":")[3]


class Functions:
    """The functions of one account, and who may invoke them."""

    def __init__(self) -> None:
        self._held: dict[str, Function] = {}
        self._permits: dict[str, dict[str, str]] = {}

    def put(self, function: Function) -> None:
        """Add the function, or replace the one with its ARN."""
        self._held[function.arn] = function

    def remove(self, arn: str) -> None:
        """Delete the function and its permissions; a missing one is no error."""
        self._held.pop(arn, None)
        self._permits.pop(arn, None)

    def get(self, arn: str) -> Function | None:
        """Return the function."""
        return self._held.get(arn)

    def permit(self, arn: str, statement: str, principal: str) -> None:
        """Allow *principal* to invoke the function."""
        self._permits.setdefault(arn, {})[statement] = principal

    def forbid(self, arn: str, statement: str) -> None:
        """Revoke a permission; a missing one is no error."""
        self._permits.get(arn, {}).pop(statement, None)

    def may_invoke(self, arn: str, principal: str) -> bool:
        """Whether *principal* may invoke the function."""
        return principal in self._permits.get(arn, {}).values()

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self._permits.clear()
