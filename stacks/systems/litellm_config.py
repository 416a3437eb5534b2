"""LiteLLM's config.yaml: its text and its place in S3, both follow from the settings alone. Knows no AWS."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import yaml

from stacks.checking import limits
from stacks.settings import Settings

FILE = "litellm-config.yaml"
"""Name in the built folder."""
BUCKET, KEY = "LITELLM_CONFIG_BUCKET_NAME", "LITELLM_CONFIG_BUCKET_OBJECT_KEY"
"""Variables that tell LiteLLM where it is (LiteLLM docs, "Proxy config", S3)."""


def text(settings: Settings) -> str:
    """Return config.yaml as the environment file has it, keys in its order, and what a cache takes."""
    config = _with_cache(settings) if settings.cache.used else settings.service.config
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110)


def key(settings: Settings) -> str:
    """Return the object key, named after the content: an edit is another object, which rolls the service."""
    digest = sha256(text(settings).encode()).hexdigest()
    return f"litellm/config-{digest[:16]}.yaml"


def _with_cache(settings: Settings) -> dict[str, object]:
    """
    Let LiteLLM use Redis, which variables alone do not bring about; what the environment file says stays.

    The tasks then share rate limits, budgets and cool-downs. Answers are not kept: no type of call is named,
    and a file that has ``cache`` or ``cache_params`` says by itself. Source: LiteLLM docs, "Caching" and
    "Best Practices for Production".
    """
    config = settings.service.config
    access = {name: f"{limits.ENVIRONMENT}REDIS_{name.upper()}" for name in _access(settings)}
    router, own = _section(config, "router_settings"), _section(config, "litellm_settings")
    if not any(name.startswith("redis_") for name in router):
        router |= {f"redis_{name}": value for name, value in access.items()}
    if "cache" not in own:
        params = {"cache_params": {"type": "redis", **access, "supported_call_types": []}}
        own = params | own | {"cache": True}
    return {**config, "router_settings": router, "litellm_settings": own}


def _access(settings: Settings) -> tuple[str, ...]:
    return ("host", "port", "password") if settings.cache.has_password else ("host", "port")


def _section(config: Mapping[str, object], name: str) -> dict[str, object]:
    found = config.get(name)
    return dict(found) if isinstance(found, Mapping) else {}
