"""The settings that are no secret, as SSM parameters under the environment's path, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from troposphere.ssm import Parameter

from stacks import mirrored
from stacks.settings import Settings
from stacks.wiring import Stack


def path(settings: Settings, name: str) -> str:
    """Return the name of a parameter in SSM: ``/dev-litellm/log-level``."""
    return f"/{settings.prefix}/{name}"


def add(stack: Stack) -> None:
    """Add one parameter a setting."""
    for name, value in _values(stack.settings).items():
        title = "".join(part.capitalize() for part in name.split("-")) + "Parameter"
        stack.add(Parameter(title, Name=path(stack.settings, name), Type="String", Value=value))


def _values(settings: Settings) -> Mapping[str, str]:
    found = {name: _text(attrgetter(key)(settings)) for name, key in mirrored.MIRRORED.items()}
    return {name: value for name, value in found.items() if value}


def _text(value: object) -> str:
    return ",".join(value) or "none" if isinstance(value, tuple) else str(value)
