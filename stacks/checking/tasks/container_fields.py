"""Types of values of container keys: names, image, user, health check. Independent of any key."""

from __future__ import annotations

import re
from typing import Annotated, Final

from stacks.checking import limits
from stacks.checking.fields import Checked, shape

VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"
REFERENCE: Final = (
    rf"(?P<name>{limits.IMAGE_NAME})"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)
"""Open Container Initiative, Distribution Specification, "Pulling manifests"."""


def _check(command: tuple[str, ...]) -> tuple[str, ...]:
    """Amazon ECS API Reference, HealthCheck: the first part is CMD or CMD-SHELL, which takes one line."""
    kind, count = (command[0] if command else ""), len(command)
    if kind not in {"CMD", "CMD-SHELL"} or count < 2 or (kind == "CMD-SHELL" and count > 2):
        raise ValueError(
            f"{list(command)} is not a check like [CMD, /healthcheck] or "
            "[CMD-SHELL, wget -qO- localhost:8080 || exit 1]"
        )
    return command


CHECK = Checked(_check, (("minItems", 2),))
ContainerName = Annotated[
    str, shape(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", "a container's name: letters, digits, _ and -")
]
"""
Read 2026-11-28: Amazon ECS API Reference, ContainerDefinition, name: 255 letters, digits, _ and -. A log
stream of 512 characters has the name twice, and the task's id.
"""
Image = Annotated[
    str,
    shape(REFERENCE, "an image like public.ecr.aws/docker/library/redis:7.4, or with @sha256:<64 hex>"),
]
Variable = Annotated[str, shape(VARIABLE, "a variable's name: letters, digits and _, no digit first")]
User = Annotated[
    str, shape(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?", "a user like app or 1000:1000")
]
ProgramName = Annotated[str, shape(r"[a-z][a-z0-9-]*", "a program's name, like proxy")]


def parts(image: str) -> tuple[str, str, str]:
    """Return name, tag and digest of an image; what it does not say is empty."""
    found = re.fullmatch(REFERENCE, image)
    if found is None:
        return image, "", ""
    return found["name"], (found["tag"] or "")[1:], (found["digest"] or "")[1:]
