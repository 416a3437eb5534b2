"""The prompt logs: settings in LiteLLM's file that would disable them, and requests that they lack. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stacks import task_secrets
from stacks.checking.gateway.sso import LICENSE
from stacks.checking.problems import Finding
from stacks.settings import Settings
from stacks.systems.litellm_config import CONTENT_OF_TRACES, quiets_traces

SECTION = "observability.prompt_logs"
LEAST_RELEASE = (1, 93)
"""
Least release of LiteLLM that knows `CONTENT_OF_TRACES`: it is in 1.93.0 and not in 1.88.0, which records
prompts in traces all the same (integrations/opentelemetry.py, read 2026-11-28).
"""


def prompt_log_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between `observability.prompt_logs`, LiteLLM's file, and the collector."""
    said = settings.observability.prompt_logs
    if not said.recorded:
        for key in ("redact", "audit"):
            if getattr(said, key):
                message = "keep_days: 0 records nothing; say how many days, like 90"
                yield Finding(f"{SECTION}.{key}", message, (f"{SECTION}.keep_days",))
        return
    own = _section(settings.service.config, "litellm_settings")
    for key in ("s3_callback_params", "s3_audit_callback_params"):
        if key in own:
            message = f"{SECTION} says where LiteLLM's s3_v2 writes; remove one of the two"
            yield _in_config(message, "litellm_settings", key)
    for key, contradicts, wanted in (
        ("turn_off_message_logging", said.redact, "redact"),
        ("store_audit_logs", said.audit, "audit"),
    ):
        if contradicts and own.get(key) is False:
            yield _in_config(f"contradicts {SECTION}.{wanted}: true; remove it", "litellm_settings", key)
    yield from _traces(settings)


def _traces(settings: Settings) -> Iterator[Finding]:
    """
    Refuse what would redact the record, or not redact the traces.

    For a callback with ``message_logging: false`` LiteLLM takes prompt and answer out of the one object that
    all callbacks get (litellm_core_utils/redact_messages.py, perform_redaction; tried with 1.93.0).
    """
    if not settings.observability.prompt_logs.whole:
        return
    otel = _section(_section(settings.service.config, "callback_settings"), "otel")
    if otel.get("message_logging") is False:
        message = f"LiteLLM would take prompts and answers out of the record of {SECTION} too; remove it"
        yield _in_config(message, "callback_settings", "otel", "message_logging")
    release = re.fullmatch(r"v?(\d+)\.(\d+)\..*", settings.service.image_tag)
    if release and quiets_traces(settings) and (int(release[1]), int(release[2])) < LEAST_RELEASE:
        message = (
            f"{settings.service.image_tag} does not know {CONTENT_OF_TRACES}: with prompt_logs it would send "
            "prompts to X-Ray; take v1.93.0 or later, redact: true, or no collector"
        )
        also = ("observability.collector", SECTION, "service.config")
        yield Finding("service.image_tag", message, also)


def prompt_log_advice(settings: Settings) -> Iterator[str]:
    """Yield what is not recorded without a licence (audit_logs.py, create_audit_log_for_update)."""
    said = settings.observability.prompt_logs
    if said.recorded and said.audit and LICENSE not in task_secrets.injected(settings):
        yield (
            f"{SECTION}.audit: LiteLLM records no changes without a licence: name {LICENSE} in "
            "service.secrets"
        )


def _section(config: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _in_config(message: str, *below: str) -> Finding:
    return Finding("service.config", message, (SECTION,), below)
