"""
What a team adds to an environment: its own stacks, and patches of gatestack's templates.

Texts and dicts in, dicts and problems out; only `loading` reads files, and `generator.extending` makes stacks
of the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from stacks.checking.problems import Place

GIVEN = ("Prefix", "Environment", "System", "Tier")
"""Parameters that every own template of a team gets if it declares them."""


class Extension(NamedTuple):
    """One own stack of a team, as its file defines it."""

    name: str
    file: str
    """Of its template, as messages show it."""
    template: Mapping[str, Any]
    """With long functions; parameters and names are not put in yet."""
    lines: Mapping[Place, int]
    """Place in the template -> its line in the file, from 1."""
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    timeout_minutes: int

    def where(self, place: Place) -> str:
        """Return where *place*, or the nearest above it, is: ``extensions/extras.yaml:12``."""
        line = line_of(self.lines, place)
        return f"{self.file}:{line}" if line else self.file


class Patch(NamedTuple):
    """One change to one resource of a finished template, checked as far as possible without it."""

    stack: str
    resource: str
    path: str
    verb: Literal["set", "append", "remove"]
    value: Any
    """None with remove."""
    reason: str
    accept_risk: bool
    where: str
    """``environments/prod.yaml:41``."""

    @property
    def mark(self) -> str:
        """The mark of the resource."""
        return f"patched by {self.where}: {self.reason}"


class Added(NamedTuple):
    """Everything that a team adds to one environment."""

    stacks: tuple[Extension, ...] = ()
    patches: tuple[Patch, ...] = ()
    policy: Path | None = None
    """Folder of rules that every template has to keep."""


class ExtensionError(ValueError):
    """A team's additions do not fit the rest; each line says where, what, and what to do."""


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """Return the line of *place*, or of the nearest above it that has one."""
    above = (place[:length] for length in range(len(place), -1, -1))
    return next((lines[part] for part in above if part in lines), None)
