"""LiteLLM's proxy (S1; S2 runs the same): its secrets, what its containers are told, routes, rules."""

from __future__ import annotations

from collections.abc import Iterator

from stacks import collector
from stacks.application import (
    LOG_LEVEL,
    PLACEHOLDER,
    SHOWN,
    Application,
    ConfigFile,
    Export,
    FromParameter,
    FromSecret,
    Generated,
    Injected,
    Migration,
    OwnRotation,
    OwnSecret,
    Program,
    Seeded,
    Value,
    Written,
)
from stacks.beside import Size, left, sidecars
from stacks.checking import limits
from stacks.checking.cache import cache_advice, cache_findings
from stacks.checking.litellm import config_advice, config_findings
from stacks.checking.problems import Finding
from stacks.known_secrets import CACHE
from stacks.settings import Settings
from stacks.systems import litellm_config, litellm_database, litellm_providers
from stacks.systems.litellm_administration import ADMINISTRATION

ENOUGH_MEMORY_MB = 2048
"""LiteLLM's imports alone take more than 1 GiB."""

MASTER_KEY = OwnSecret(
    "master-key",
    "LiteLLM's master key",
    Seeded('{"LITELLM_MASTER_KEY": "sk-{seed}"}', 45),  # LiteLLM demands the prefix; S1: 48 characters
    not_by_hand=(
        "clients that hold the old key would be locked out at once: use `gatestack rotate {env} master-key`"
    ),
)
UI_PASSWORD = OwnSecret(
    "ui-password",
    "Login of LiteLLM's admin UI",
    Generated("UI_PASSWORD", 24, {"UI_USERNAME": "admin"}),
    not_rotated="people choose it: `gatestack secret set {env} UI_PASSWORD`",
)
API_KEYS = OwnSecret(
    "api-keys",
    "Keys of the model providers, put in by hand",
    Written(
        {
            "OPENAI_API_KEY": PLACEHOLDER,
            "ANTHROPIC_API_KEY": PLACEHOLDER,
            "AWS_BEDROCK_REGION": "{region}",
        }
    ),
    not_rotated="the providers make them: `gatestack secret set {env} OPENAI_API_KEY`",
)
SALT_KEY = OwnSecret(
    "salt-key",
    "LiteLLM's salt key: never change it, what the database holds is encrypted with it",
    Generated("LITELLM_SALT_KEY", 48),
    kept=True,
    not_by_hand=(
        "what LiteLLM has encrypted in the database would be unreadable for ever; it is never changed"
    ),
    not_rotated="what LiteLLM has encrypted in the database would be unreadable for ever",
)


def _command(settings: Settings) -> tuple[str, ...]:
    """
    Return the arguments of LiteLLM's command.

    ``--config`` is there to be given, not to be read: with the bucket set LiteLLM takes the file from S3, but
    its command line looks at general_settings (the connection pool's limit) only when the option is present.
    """
    service = settings.service
    workers = ("--num_workers", str(service.workers))
    return ("--port", str(service.port), *workers, "--config", "/app/config.yaml")


def _variables(settings: Settings) -> dict[str, Value]:
    """Return what tasks are told; LiteLLM puts host, name and login together and encodes them by itself."""
    always: dict[str, Value] = {
        **litellm_database.variables(settings),
        "DISABLE_SCHEMA_UPDATE": "true",
        "GRACEFUL_SHUTDOWN_TIMEOUT": str(max(settings.service.stop_timeout_seconds - 10, 1)),
        "KEEPALIVE_TIMEOUT": str(settings.alb.idle_timeout_seconds + 5),
        litellm_config.BUCKET: Export("security", "ConfigBucketName"),
        litellm_config.KEY: litellm_config.key(settings),
        "LITELLM_MODE": "PRODUCTION",
        "STORE_MODEL_IN_DB": "true",
    }
    return always | _redis(settings) | _bedrock(settings) | _offline(settings) | _metrics(settings)


def _redis(settings: Settings) -> dict[str, Value]:
    """Say where Redis is, in parts: LiteLLM is slower with REDIS_URL ("Best Practices for Production")."""
    if not settings.cache.used:
        return {}
    host, port = (Export("database", output) for output in ("RedisEndpoint", "RedisPort"))
    encrypted = {"REDIS_SSL": "True"} if settings.cache.has_tls else {}
    return {"REDIS_HOST": host, "REDIS_PORT": port, **encrypted}


def _bedrock(settings: Settings) -> dict[str, Value]:
    return {"AWS_REGION_NAME": settings.region} if "bedrock" in settings.service.providers else {}


def _metrics(settings: Settings) -> dict[str, Value]:
    """LiteLLM sends traces alone unless it is told (litellm/integrations/opentelemetry.py)."""
    return {"LITELLM_OTEL_INTEGRATION_ENABLE_METRICS": "true"} if collector.wanted(settings) else {}


def _offline(settings: Settings) -> dict[str, Value]:
    """Without a way out the price list comes from the image: every start would wait for GitHub in vain."""
    return {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} if settings.closed else {}


def _injected(settings: Settings) -> dict[str, Injected]:
    secrets = {key: secret for secret in (MASTER_KEY, SALT_KEY, UI_PASSWORD) for key in secret.value.keys}
    needed = [key for name in settings.service.providers for key in litellm_providers.VARIABLES[name]]
    secrets |= {key: API_KEYS for key in needed if key in API_KEYS.value.keys}
    own = {key: FromSecret(secret.arn, key) for key, secret in secrets.items()}
    level = FromParameter(LOG_LEVEL)
    return {**own, **litellm_database.injected(settings), **_redis_password(settings), "LITELLM_LOG": level}


def _redis_password(settings: Settings) -> dict[str, Injected]:
    if not settings.cache.has_password:
        return {}
    there = settings.cache.existing
    key = there.secret_key if there else CACHE.content
    return {"REDIS_PASSWORD": FromSecret(CACHE.arn, key)}


def _migration_variables(settings: Settings) -> dict[str, Value]:
    own = {
        "DISABLE_SCHEMA_UPDATE": "false",
        # Some releases end with success after a failed migration unless they are told not to.
        "ENFORCE_PRISMA_MIGRATION_CHECK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": settings.service.log_level,
        "LITELLM_MODE": "PRODUCTION",
    }
    return {**litellm_database.place(settings), **own}


def _probe(port: int, path: str) -> tuple[str, ...]:
    """Return S1's container check; the image has Python, no curl, and ``localhost`` may mean IPv6 there."""
    url = f"http://127.0.0.1:{port}{path}"
    probe = f"import urllib.request as u; u.urlopen({url!r}, timeout=5)"  # a path may hold a quote
    return ("CMD", "python3", "-c", probe)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from config_findings(settings)
    yield from cache_findings(settings)


def _advice(settings: Settings) -> Iterator[str]:
    service = settings.service
    beside = sidecars(settings, APPLICATION.entrance.name)
    memory_mb = left(Size(service.cpu, service.memory_mb), beside).memory_mb
    if memory_mb < ENOUGH_MEMORY_MB:
        besides = " beside the task's other containers" if beside else ""
        yield (
            f"service.memory_mb: {memory_mb} MB{besides} is little: "
            f"LiteLLM's imports alone take more than 1 GiB; {ENOUGH_MEMORY_MB} or more"
        )
    yield from config_advice(settings)
    yield from cache_advice(settings)


APPLICATION = Application(
    title="LiteLLM",
    secrets=(MASTER_KEY, UI_PASSWORD, API_KEYS, SALT_KEY),
    entrance=Program("proxy", "litellm-proxy", _command, _variables, _injected),
    probe=_probe,
    routes={10: "/v1/*", 20: "/health", 30: "/ui/*", 100: "/*"},  # S1, "Request Routing"
    # Both are open and call no model, as /health does (LiteLLM docs, "Health Checks").
    answers_at=("/health/readiness", "/health/liveliness"),
    shown={
        **SHOWN,
        "providers": "service.providers",
        "secret-rotation-days": "secrets.rotation_days",
        "workers": "service.workers",
    },
    read_by_tasks={LOG_LEVEL: "LITELLM_LOG"},
    log_levels={level: level for level in ("DEBUG", "INFO", "WARNING", "ERROR")},
    reserved=limits.TEMPLATE_VARIABLES,
    providers=tuple(dict.fromkeys([*limits.PROVIDER_KEYS, "bedrock", *litellm_providers.VARIABLES])),
    first_key="LITELLM_MASTER_KEY",
    public_image="ghcr.io/berriai/litellm-database",  # LiteLLM docs, "Docker image security"
    database=litellm_database.NAME,
    takes_tokens=True,
    migration=Migration(
        Program(
            "migration",
            "litellm-migration",
            lambda _: (),
            _migration_variables,
            lambda _: litellm_database.LOGIN,
            entry_point=("python", "litellm/proxy/prisma_migration.py"),
            folder="/app",
        ),
        cpu=1024,
        memory_mb=4096,  # LiteLLM's own Terraform gives its migrations four gigabytes
    ),
    config=ConfigFile(
        litellm_config.FILE,
        litellm_config.text,
        litellm_config.key,
        litellm_config.BUCKET,
        litellm_config.KEY,
    ),
    rotation=OwnRotation("master-key", "master_key"),
    administration=ADMINISTRATION,
    findings=_findings,
    advice=_advice,
)
