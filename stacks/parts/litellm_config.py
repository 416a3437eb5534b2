"""LiteLLM's config.yaml: its text and its place in S3, both follow from the settings alone. Knows no AWS."""

from __future__ import annotations

from hashlib import sha256

import yaml

from stacks.settings import Settings

FILE = "litellm-config.yaml"
"""Name in the built folder."""


def text(settings: Settings) -> str:
    """Return config.yaml as the environment file has it, keys in its order."""
    return yaml.safe_dump(settings.service.config, sort_keys=False, allow_unicode=True, width=110)


def key(settings: Settings) -> str:
    """Return the object key, named after the content: an edit is another object, which rolls the service."""
    digest = sha256(text(settings).encode()).hexdigest()
    return f"litellm/config-{digest[:16]}.yaml"
