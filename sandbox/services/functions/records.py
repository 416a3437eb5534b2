"""
Lambda's functions: settings, code (an archive's bytes), and invoke permissions.

moto's own functions run in containers and are not used; `runs.py` runs these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """A function as it was last deployed."""

    arn: str
    name: str
    code: bytes = field(repr=False)
    handler: str
    timeout: float
    """Seconds that one invocation may take."""
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
        """Add the function, or take it for the one of its ARN."""
        self._held[function.arn] = function

    def remove(self, arn: str) -> None:
        """Forget the function and its permissions; gone already is no error."""
        self._held.pop(arn, None)
        self._permits.pop(arn, None)

    def get(self, arn: str) -> Function | None:
        """Return the function."""
        return self._held.get(arn)

    def permit(self, arn: str, statement: str, principal: str) -> None:
        """Let *principal* invoke the function."""
        self._permits.setdefault(arn, {})[statement] = principal

    def forbid(self, arn: str, statement: str) -> None:
        """Take a permission back; gone already is no error."""
        self._permits.get(arn, {}).pop(statement, None)

    def may_invoke(self, arn: str, principal: str) -> bool:
        """Whether *principal* was permitted to invoke the function."""
        return principal in self._permits.get(arn, {}).values()

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
        self._permits.clear()
