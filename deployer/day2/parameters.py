"""The environment's SSM parameters: which names and values a person may write. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from deployer.errors import Refused
from stacks.checking.secret_texts import is_secret, names_a_secret

HIDDEN = "********"
SECURE = "SecureString"
MOST_BYTES = 4096
"""Of a standard parameter's value (SSM API Reference, PutParameter, Value)."""
MOST_LEVELS = 15
"""Of a name (SSM API Reference, PutParameter, Name), the environment's own among them."""

NAME = r"[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*"


@dataclass(frozen=True)
class Parameter:
    """One parameter under the environment's path."""

    name: str
    """Below the path: ``log-level``."""
    value: str
    """As it is shown: a SecureString's stays hidden."""
    type: str
    """``String``, ``StringList`` or ``SecureString``."""
    modified: datetime
    arn: str

    @property
    def account(self) -> str:
        """Return the account that it is in, twelve digits."""
        return self.arn.split(":")[4]


class ParameterStore(Protocol):
    """The parameters under one path. Every call may raise a DeployError."""

    def all(self) -> tuple[Parameter, ...]:
        """Return all of them, by name."""

    def get(self, name: str) -> Parameter | None:
        """Return the one called *name*; None where there is none."""

    def put(self, name: str, value: str) -> bool:
        """Make or overwrite the text *name*; returns whether it is marked as gatestack's own writing."""


def is_name(name: str) -> bool:
    """Whether *name* can be a parameter's below the environment's path."""
    return re.fullmatch(NAME, name) is not None and len(name.split("/")) < MOST_LEVELS


def check_name(name: str) -> None:
    """Raise Refused where *name* can be no parameter's below the environment's path, or is a secret's."""
    if not is_name(name):
        parts = f"letters, digits and . _ -, in {MOST_LEVELS - 1} parts at most, with / between them"
        raise Refused(f"{name!r} is not a valid parameter name: {parts}")
    if names_a_secret(name):
        raise Refused(
            f"{name} sounds like a secret, and parameters are not for secrets: use `gatestack secret set`"
        )


def check_value(name: str, value: str) -> None:
    """Raise Refused where *value* can be no parameter's value or looks like a secret; it is not repeated."""
    if not value:
        raise Refused(f"{name}: a parameter cannot be empty")
    if len(value.encode()) > MOST_BYTES:
        raise Refused(f"{name}: the value is longer than the {MOST_BYTES} bytes of a parameter")
    if is_secret(value):
        raise Refused(
            f"{name}: the value looks like a secret, and parameters are not for secrets: "
            "use `gatestack secret set`"
        )


def check_kind(there: Parameter | None) -> None:
    """Raise Refused if *there* is a secret that somebody else keeps in the parameter store."""
    if there and there.type == SECURE:
        raise Refused(f"{there.name} is a SecureString: gatestack neither shows nor writes those")
