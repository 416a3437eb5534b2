"""
The versions of a secret and their staging labels, in moto's state, as rotation changes them.

Source of the rules: AWS API Reference, RotateSecret; AWS docs, "How rotation works".
"""

from __future__ import annotations

import time
from typing import Any

from sandbox.errors import ApiError

PENDING, CURRENT = "AWSPENDING", "AWSCURRENT"


def found(backend: Any, secret_id: str) -> Any:
    """Return moto's secret by ARN or name; raises ApiError."""
    secret = backend.secrets.get(secret_id)
    if secret is None:
        raise ApiError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.is_deleted():
        raise ApiError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return secret


def labelled(secret: Any, label: str) -> str | None:
    """Return the id of the version with *label*."""
    for version_id, version in secret.versions.items():
        if label in version["version_stages"]:
            return str(version_id)
    return None


def unfinished(secret: Any) -> str | None:
    """Return the version of an unfinished rotation: pending, and not current."""
    pending = labelled(secret, PENDING)
    return pending if pending != labelled(secret, CURRENT) else None


def add_pending(secret: Any, version_id: str, *, with_value: bool) -> None:
    """Attach AWSPENDING to a new version: empty, or with the current value."""
    secret.remove_version_stages_from_old_versions([PENDING])
    current = secret.versions.get(labelled(secret, CURRENT), {}) if with_value else {}
    values = {name: current[name] for name in ("secret_string", "secret_binary") if name in current}
    secret.versions.setdefault(
        version_id, {"createdate": int(time.time()), "version_id": version_id, "version_stages": [], **values}
    )
    secret.versions[version_id]["version_stages"].append(PENDING)


def remove(secret: Any, version_id: str) -> None:
    """Remove a version; a missing one is no error."""
    secret.versions.pop(version_id, None)


def settle(secret: Any) -> None:
    """Let moto return the version with AWSCURRENT: it does not when the label is moved."""
    current = labelled(secret, CURRENT)
    if current is not None:
        secret.set_default_version_id(current)
