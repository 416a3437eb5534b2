"""Consistency of the cache's keys with the others, and with Redis settings in LiteLLM's file. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.checking import limits
from stacks.checking.litellm import given_to_tasks
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
    """Yield each variable of the service that would point LiteLLM to another Redis."""
    taken = limits.CACHE_VARIABLES | limits.OTHER_CACHE_VARIABLES if settings.cache.used else frozenset()
    key = "cache.existing" if settings.cache.existing else "cache.enabled"
    whose = f"the Redis of {key}; remove one of them"
    for name in settings.service.environment:
        if name in taken and not names_a_secret(name):
            yield Finding("service.environment", f"leads past {whose}", (key,), (name,))
    for index, name in enumerate(settings.service.secrets):
        if name in taken - cache_variables(settings):
            yield Finding("service.secrets", f"{name} leads past {whose}", (key,), (index,))


def cache_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each choice about Redis that the user should know about."""
    cache = settings.cache
    if not cache.used:
        yield from _no_redis(settings)
        return
    policy = cache.parameters.get("maxmemory-policy", "")
    if cache.exists and policy.startswith("allkeys"):
        yield (
            f"cache.parameters.maxmemory-policy: {policy} lets a full Redis drop what is still to be "
            "counted; volatile-lru drops only what has an end"
        )
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
    """Warn of a cache type that is not Redis, which LiteLLM uses by default (LiteLLM docs, "Caching")."""
    if _leads_to_redis(settings):
        return
    own = _litellm_settings(settings)
    kind = _mapping(own.get("cache_params")).get("type", "redis")
    if own.get("cache") is True and str(kind).startswith("redis"):
        yield "service.config.litellm_settings.cache: there is no Redis; write cache.enabled: true"
    service = settings.service
    workers = service.max_tasks * service.workers
    if workers > 1:
        yield (
            f"cache: none, so up to {workers} workers ({service.max_tasks} tasks x {service.workers}) count "
            "limits and budgets each for itself, and a key that was deleted stays usable in the others; "
            "write cache.enabled: true, or name one in cache.existing"
        )


def _leads_to_redis(settings: Settings) -> bool:
    """Whether the file itself configures a Redis for LiteLLM (litellm/_redis.py; LiteLLM docs, "Caching")."""
    params = _mapping(_litellm_settings(settings).get("cache_params"))
    router = _mapping(settings.service.config.get("router_settings"))
    given = given_to_tasks(settings) | settings.service.environment_from.keys()
    return bool(
        {"host", "url", "redis_startup_nodes", "service_name"} & params.keys()
        or {"redis_host", "redis_url"} & router.keys()
        or {"REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SERVICE_NAME"} & given
    )


def _litellm_settings(settings: Settings) -> Mapping[str, object]:
    return _mapping(settings.service.config.get("litellm_settings"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
