"""The settings that are no secret, as SSM parameters under the environment's path, for people to read."""

from __future__ import annotations

from collections.abc import Mapping

from troposphere.ssm import Parameter

from stacks.settings import Settings
from stacks.wiring import Stack


def add(stack: Stack) -> None:
    """Add one parameter a setting: ``/dev-litellm/log-level``."""
    for name, value in _values(stack.settings).items():
        title = "".join(part.capitalize() for part in name.split("-")) + "Parameter"
        stack.add(Parameter(title, Name=f"/{stack.settings.prefix}/{name}", Type="String", Value=value))


def _values(settings: Settings) -> Mapping[str, str]:
    service = settings.service
    image = {"image-tag": service.image_tag} if service.image_tag else {}
    return image | {
        "image": service.image,
        "log-level": service.log_level,
        "min-tasks": str(service.min_tasks),
        "max-tasks": str(service.max_tasks),
        "providers": ",".join(service.providers) or "none",
        "secret-rotation-days": str(settings.secrets.rotation_days),
        "workers": str(service.workers),
    }
