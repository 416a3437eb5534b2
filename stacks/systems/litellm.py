"""LiteLLM's proxy (S1; S2 runs the same): its secrets, container configuration, routes, rules."""

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
from stacks.checking import limits
from stacks.checking.cache import cache_advice, cache_findings
from stacks.checking.gateway.prompt_logs import prompt_log_advice, prompt_log_findings
from stacks.checking.gateway.sso import sso_advice, sso_findings
from stacks.checking.litellm import config_advice, config_findings
from stacks.checking.problems import Finding
from stacks.checking.releases.advisory import Releases
from stacks.checking.releases.advisory_table import ADVISORIES
from stacks.confinement import Confinement
from stacks.known_secrets import CACHE
from stacks.settings import Settings
from stacks.systems import (
    litellm_config,
    litellm_database,
    litellm_probe,
    litellm_providers,
    litellm_sso,
    litellm_stop,
    litellm_web,
)
from stacks.systems.litellm_administration import ADMINISTRATION, SIGNED_IN
from stacks.systems.litellm_advice import capacity_advice
from stacks.systems.litellm_aws.reading import reading

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


WRITABLE = "/tmp"  # noqa: S108 - the container's
PLACES = {
    "HOME": f"{WRITABLE}/litellm",
    "LITELLM_UI_PATH": f"{WRITABLE}/litellm/ui",
    "LITELLM_ASSETS_PATH": f"{WRITABLE}/litellm/assets",
    "LITELLM_MIGRATION_DIR": f"{WRITABLE}/litellm/migrations",
}
"""Folders that LiteLLM writes to at its start as an ordinary user; Prisma's programs are in /opt/prisma."""

WRITABLE_MIB = 512
"""Its start takes a fraction of it; uploads above a megabyte are buffered there (Starlette, UploadFile)."""


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
    """Return the tasks' variables; LiteLLM joins host, name and login, and encodes them itself."""
    always: dict[str, Value] = {
        **litellm_database.variables(settings),
        **litellm_stop.variables(settings),
        **litellm_web.variables(settings),
        **PLACES,
        "DISABLE_SCHEMA_UPDATE": "true",
        "KEEPALIVE_TIMEOUT": str(settings.alb.idle_timeout_seconds + 5),
        litellm_config.BUCKET: Export("security", "ConfigBucketName"),
        litellm_config.KEY: litellm_config.key(settings),
        "LITELLM_MODE": "PRODUCTION",
        "STORE_MODEL_IN_DB": "true",
    }
    return (
        always
        | _redis(settings)
        | _bedrock(settings)
        | _offline(settings)
        | _metrics(settings)
        | _prompt_logs(settings)
        | litellm_sso.variables(settings)
    )


def _redis(settings: Settings) -> dict[str, Value]:
    """Set Redis's address in parts: LiteLLM is slower with REDIS_URL ("Best Practices for Production")."""
    if not settings.cache.used:
        return {}
    host, port = (Export("database", output) for output in ("RedisEndpoint", "RedisPort"))
    encrypted = {"REDIS_SSL": "True"} if settings.cache.has_tls else {}
    return {"REDIS_HOST": host, "REDIS_PORT": port, **encrypted}


def _bedrock(settings: Settings) -> dict[str, Value]:
    """Set the region: parts of LiteLLM read no other variable (litellm/integrations/dynamodb.py)."""
    called = "bedrock" in settings.service.providers or reading(settings).calls
    return {"AWS_REGION_NAME": settings.region} if called else {}


def _metrics(settings: Settings) -> dict[str, Value]:
    """Enable metrics: by default LiteLLM sends traces alone (litellm/integrations/opentelemetry.py)."""
    return {"LITELLM_OTEL_INTEGRATION_ENABLE_METRICS": "true"} if collector.wanted(settings) else {}


def _prompt_logs(settings: Settings) -> dict[str, Value]:
    """Set the bucket, and keep prompts out of traces where `litellm_config` cannot."""
    if not settings.observability.prompt_logs.recorded:
        return {}
    quiet = litellm_config.quiets_traces(settings)
    return {
        litellm_config.PROMPT_LOG_BUCKET: Export("security", "PromptLogBucketName"),
        **({litellm_config.CONTENT_OF_TRACES: "NO_CONTENT"} if quiet else {}),
    }


def _offline(settings: Settings) -> dict[str, Value]:
    """Take the price list from the image if there is no route out: each start would wait for GitHub."""
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
        **PLACES,
        "DISABLE_SCHEMA_UPDATE": "false",
        # Some releases exit with success after a failed migration unless this is set.
        "ENFORCE_PRISMA_MIGRATION_CHECK": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": settings.service.log_level,
        "LITELLM_MODE": "PRODUCTION",
    }
    return {**litellm_database.place(settings), **own}


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from config_findings(settings)
    yield from cache_findings(settings)
    yield from sso_findings(settings)
    yield from prompt_log_findings(settings)


def _advice(settings: Settings) -> Iterator[str]:
    yield from capacity_advice(settings)
    yield from config_advice(settings)
    yield from cache_advice(settings)
    yield from sso_advice(settings)
    yield from prompt_log_advice(settings)
    yield from litellm_stop.advice(settings)
    yield from litellm_database.advice(settings)


APPLICATION = Application(
    title="LiteLLM",
    secrets=(MASTER_KEY, UI_PASSWORD, API_KEYS, SALT_KEY),
    entrance=Program(
        "proxy",
        "litellm-proxy",
        _command,
        _variables,
        _injected,
        entry_point=lambda settings: litellm_database.started(settings, litellm_database.START, own=True),
    ),
    probe=litellm_probe.probe,
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
    client_secrets=litellm_sso.CLIENT_SECRETS,
    callback=litellm_sso.CALLBACK,
    releases=Releases(limits.LITELLM_IMAGES, ADVISORIES),
    database=litellm_database.NAME,
    takes_tokens=True,
    migration=Migration(
        Program(
            "migration",
            "litellm-migration",
            lambda _: (),
            _migration_variables,
            lambda _: litellm_database.LOGIN,
            entry_point=lambda settings: litellm_database.started(settings, litellm_database.MIGRATION),
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
    calls=reading,
    confined=Confinement(user="65534:65534", writable={WRITABLE: WRITABLE_MIB}),
    administration=ADMINISTRATION,
    signed_in=SIGNED_IN,
    findings=_findings,
    advice=_advice,
)
