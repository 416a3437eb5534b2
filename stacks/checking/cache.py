"""What the cache's keys must agree on with the rest, and what LiteLLM's own file says about Redis. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.checking import limits
from stacks.checking.problems import Finding
from stacks.checking.secret_texts import names_a_secret
from stacks.settings import Settings


def cache_variables(settings: Settings) -> frozenset[str]:
    """Return the environment variables with which the templates tell the tasks about Redis."""
    cache = settings.cache
    if not cache.used:
        return frozenset()
    absent = {"REDIS_PASSWORD": not cache.has_password, "REDIS_SSL": not cache.has_tls}
    return limits.CACHE_VARIABLES - {name for name, is_absent in absent.items() if is_absent}


def cache_findings(settings: Settings) -> Iterator[Finding]:
    """Yield each variable of the service that would lead LiteLLM past the environment's own Redis."""
    taken = limits.CACHE_VARIABLES | limits.OTHER_CACHE_VARIABLES if settings.cache.used else frozenset()
    for name in settings.service.environment:
        if name in taken and not names_a_secret(name):
            key = "cache.existing" if settings.cache.existing else "cache.enabled"
            message = f"leads past the Redis of {key}; remove one of them"
            yield Finding("service.environment", message, (key,), (name,))


def cache_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each choice about Redis that the user should know about."""
    cache = settings.cache
    if not cache.used:
        yield from _no_redis(settings)
        return
    if cache.existing and not cache.existing.tls:
        yield "cache.existing.tls: false, so what tasks keep in Redis, and its password, travel as clear text"
    if cache.exists and settings.production and cache.nodes < 2:
        yield "cache.nodes: one node's failure empties the cache and stops it for minutes (production)"
    if cache.exists and not cache.has_password:
        yield "cache.transit_encryption: preferred takes connections without TLS too, and no password"
    if _litellm_settings(settings).get("cache") is False:
        yield (
            "service.config.litellm_settings.cache: off, so tasks count rate limits each for itself "
            "although there is a Redis"
        )


def _no_redis(settings: Settings) -> Iterator[str]:
    """The proxy takes Redis for its cache where no other type is named (LiteLLM docs, "Caching")."""
    own = _litellm_settings(settings)
    given = own.get("cache_params")
    params = given if isinstance(given, Mapping) else {}
    wants = own.get("cache") is True and str(params.get("type", "redis")).startswith("redis")
    elsewhere = any(
        (
            {"REDIS_HOST", "REDIS_URL"} & settings.service.environment.keys(),
            {"host", "url", "redis_startup_nodes"} & params.keys(),
        )
    )
    if wants and not elsewhere:
        yield "service.config.litellm_settings.cache: there is no Redis; write cache.enabled: true"


def _litellm_settings(settings: Settings) -> Mapping[str, object]:
    own = settings.service.config.get("litellm_settings")
    return own if isinstance(own, Mapping) else {}
