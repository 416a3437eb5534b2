"""
The four systems, as data: `<system>.yaml` has the defaults, a module says what the system consists of.

A new system needs one of each, registered here and in `stacks.settings.System`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from stacks.application import Application
    from stacks.settings import Settings

MODULES = {
    "litellm": "litellm",
    "litellm-benchmark": "litellm",
    "llm-proxy": "llm_proxy",
    "llm-testing": "llm_testing",
}
"""System -> the module of this package that holds its `APPLICATION`."""


@cache
def application(system: str) -> Application:
    """Return what *system* consists of."""
    return cast("Application", import_module(f"stacks.systems.{MODULES[system]}").APPLICATION)


def has_database_stack(settings: Settings) -> bool:
    """Whether the database stack has resources: an own server, or a migration of the schema."""
    migrates = settings.database.used and application(settings.system).migration is not None
    return settings.keeps_data or migrates
