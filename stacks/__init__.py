"""
WHAT is deployed: five builders, each a pure function from settings to a template.

The order of deployment is not defined here: it follows from the templates' exports and imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from stacks.settings import Settings
    from stacks.wiring import Stack

STACKS = ("security", "network", "alb", "database", "service")
"""The builders by name: `stacks/<name>.py` holds `build`. A new stack is a new module named here."""


class Builder(Protocol):
    """What a stack module holds."""

    @staticmethod
    def build(settings: Settings) -> Stack:
        """Return the stack as *settings* want it; pure."""


def builder(name: str) -> Builder:
    """
    Load the module of the stack *name*; late, so that commands without templates do not load troposphere.
    """
    return cast("Builder", import_module(f"stacks.{name}"))
