"""Which settings stand in the account as SSM parameters too. Data alone: every command may load it."""

from __future__ import annotations

from collections.abc import Mapping

LOG_LEVEL = "log-level"

MIRRORED: Mapping[str, str] = {
    "image": "service.image",
    "image-tag": "service.image_tag",
    LOG_LEVEL: "service.log_level",
    "max-tasks": "service.max_tasks",
    "min-tasks": "service.min_tasks",
    "providers": "service.providers",
    "secret-rotation-days": "secrets.rotation_days",
    "workers": "service.workers",
}
"""Parameter below the environment's path -> the key of the environment file that it shows."""

READ_BY_TASKS: Mapping[str, str] = {LOG_LEVEL: "LITELLM_LOG"}
"""Parameter -> the variable that tasks get from it at their start; the others only show the file."""
