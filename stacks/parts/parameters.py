"""Configuration without secrets, as SSM parameters under the environment's path: for people and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from troposphere.ssm import Parameter

from stacks.application import LOG_LEVEL, camel
from stacks.settings import Settings
from stacks.wiring import Stack


def path(settings: Settings, name: str) -> str:
    """Return the name of a parameter in SSM: ``/dev-litellm/log-level``."""
    return f"/{settings.prefix}/{name}"


def add(stack: Stack) -> None:
    """Add the parameters that show the environment file."""
    for name, value in _written(stack).items():
        _add(stack, name, value)
    if stack.settings.cache.existing:
        add_located(stack)


def add_located(stack: Stack) -> None:
    """
    Add the parameters with the cache's address, in its own stack; that of an existing cache is known before.
    """
    for name, value in stack.application.located.items():
        _add(stack, name, stack.resolved(value))


def _add(stack: Stack, name: str, value: Any) -> None:
    stack.add(
        Parameter(f"{camel(name)}Parameter", Name=path(stack.settings, name), Type="String", Value=value)
    )


def _written(stack: Stack) -> Mapping[str, str]:
    """Return name and text of each; SSM takes no empty one."""
    settings, application = stack.settings, stack.application
    shown = {name: _text(attrgetter(key)(settings)) for name, key in application.shown.items()}
    level = {LOG_LEVEL: application.log_levels[settings.service.log_level]}
    found = shown | level | settings.service.parameters
    return {name: value for name, value in found.items() if value}


def _text(value: object) -> str:
    return ",".join(value) or "none" if isinstance(value, tuple) else str(value)
