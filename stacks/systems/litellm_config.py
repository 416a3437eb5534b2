"""LiteLLM's config.yaml: its text and its S3 key, both from the settings alone. Makes no AWS calls."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import yaml

from stacks import collector
from stacks.checking import limits
from stacks.sections.prompt_logs import AUDIT, PROMPTS
from stacks.settings import Settings

FILE = "litellm-config.yaml"
"""Name in the built folder."""
BUCKET, KEY = "LITELLM_CONFIG_BUCKET_NAME", "LITELLM_CONFIG_BUCKET_OBJECT_KEY"
"""Variables that tell LiteLLM where it is (LiteLLM docs, "Proxy config", S3)."""

S3 = "s3_v2"
"""LiteLLM's own name of the callback that writes to S3."""
PROMPT_LOG_BUCKET = "PROMPT_LOG_BUCKET"
"""Variable that config.yaml names the bucket by."""
CONTENT_OF_TRACES = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""Variable that says how much of prompts and answers traces have, whatever other callbacks get."""


def text(settings: Settings) -> str:
    """Return config.yaml as the environment file has it, keys in its order, with additions by other keys."""
    config: Mapping[str, object] = _with_cache(settings) if settings.cache.used else settings.service.config
    if collector.wanted(settings):
        config = _with_collector(config, redacts=not settings.observability.prompt_logs.whole)
    if settings.observability.prompt_logs.recorded:
        config = _with_prompt_logs(config, settings)
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=110)


def key(settings: Settings) -> str:
    """Return the object key, named after the content: an edit is another object, which rolls the service."""
    digest = sha256(text(settings).encode()).hexdigest()
    return f"litellm/config-{digest[:16]}.yaml"


def quiets_traces(settings: Settings) -> bool:
    """Whether `CONTENT_OF_TRACES` has to keep prompts out of traces: the record of requests has them."""
    otel = _section(_section(settings.service.config, "callback_settings"), "otel")
    wanted = otel.get("message_logging") or CONTENT_OF_TRACES in settings.service.environment
    return collector.wanted(settings) and settings.observability.prompt_logs.whole and not wanted


def _with_cache(settings: Settings) -> dict[str, object]:
    """
    Enable Redis, for which variables do not suffice; values of the environment file stay.

    The tasks then share rate limits, budgets and cool-downs. Answers are not cached: no type of call is
    named, and a file with ``cache`` or ``cache_params`` decides itself. Source: LiteLLM docs, "Caching" and
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


def _with_collector(config: Mapping[str, object], *, redacts: bool) -> dict[str, object]:
    """
    Let LiteLLM send traces and metrics, without prompts and answers; values of the environment file stay.

    *redacts*: by ``message_logging``, which every release knows, and which redacts what all other callbacks
    get too; else `CONTENT_OF_TRACES` is there for it. Sources: LiteLLM docs, "OpenTelemetry v1", callbacks;
    1.93.0, integrations/opentelemetry.py and litellm_core_utils/redact_messages.py, read 2026-11-28.
    """
    own, settings = _section(config, "litellm_settings"), _section(config, "callback_settings")
    _call_back(own, "otel")
    if redacts:
        settings["otel"] = {"message_logging": False} | _section(settings, "otel")
    return {**config, "litellm_settings": own, **({"callback_settings": settings} if settings else {})}


def _with_prompt_logs(config: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """
    Let LiteLLM put a record of each request into the bucket; values of the environment file stay.

    Each is an object of its own, written some seconds after the answer. Source: LiteLLM 1.93.0,
    integrations/s3_v2.py (S3Logger), proxy/management_helpers/audit_logs.py, read 2026-11-28.
    """
    said, own = settings.observability.prompt_logs, _section(config, "litellm_settings")
    place = {"s3_bucket_name": f"{limits.ENVIRONMENT}{PROMPT_LOG_BUCKET}", "s3_region_name": settings.region}
    own |= {"s3_callback_params": {**place, "s3_path": PROMPTS}}
    _call_back(own, S3, "success_callback", "failure_callback")
    if said.redact:
        own.setdefault("turn_off_message_logging", True)
    if said.audit:
        own |= {"s3_audit_callback_params": {**place, "s3_path": AUDIT}}
        own.setdefault("store_audit_logs", True)
        _call_back(own, S3, key="audit_log_callbacks")
    return {**config, "litellm_settings": own}


def _call_back(own: dict[str, object], name: str, *instead: str, key: str = "callbacks") -> None:
    """Add *name* to the list *key* of *own*, unless it or one of the lists *instead* has it."""
    before = own.get(key)
    callbacks = [before] if isinstance(before, str) else list(before) if isinstance(before, list) else []
    elsewhere = [own.get(one) for one in instead]
    if name not in callbacks and not any(isinstance(one, str | list) and name in one for one in elsewhere):
        own[key] = [*callbacks, name]


def _access(settings: Settings) -> tuple[str, ...]:
    return ("host", "port", "password") if settings.cache.has_password else ("host", "port")


def _section(config: Mapping[str, object], name: str) -> dict[str, object]:
    found = config.get(name)
    return dict(found) if isinstance(found, Mapping) else {}
