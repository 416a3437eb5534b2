"""
The LLM Proxy (S0): two services of one image with different commands, and Redis between them.

The names of its variables are those that its source reads (sofatutor/llm-proxy, internal/config,
internal/database/factory.go, cmd/proxy/main.go); S0's CACHE_ENABLED and rate-limit-rpm lead to them.

Its driver is pgx: PGSSLROOTCERT names the CA certificate, and the URL the verification mode
(internal/database/factory_postgres.go; jackc/pgx v5, pgconn/config.go, parseEnvSettings, configTLS; read
2026-11-28). The URL's first value stays in its secret, so the container sets verify-full when it starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.application import (
    LOG_LEVEL,
    LOWER_CASE_LEVELS,
    PLACEHOLDER,
    SHOWN,
    Administration,
    Application,
    Background,
    Export,
    FromParameter,
    FromSecret,
    Generated,
    Injected,
    OwnSecret,
    Program,
    Seeded,
    Text,
    Value,
    Written,
)
from stacks.authorities import CERTIFICATE, CONTAINER_FILE, starting
from stacks.checking.problems import Finding
from stacks.settings import Settings

IMAGE_COMMAND = "server"
START = ("/app/entrypoint.sh",)
"""The image's own entry point (Dockerfile)."""
CERTIFICATE_FILE = "PGSSLROOTCERT"
VERIFY_FULL = (
    'DATABASE_URL=$(printf %s "$DATABASE_URL" | sed s/sslmode=require/sslmode=verify-full/)',
    "export DATABASE_URL",
)
"""Chain and name; with PGSSLROOTCERT alone, pgx takes any server of RDS's in the region for ours."""

MANAGEMENT_TOKEN = OwnSecret(
    "management-token",
    "Token of the management API",
    Generated("MANAGEMENT_TOKEN", 48),
    not_rotated="set another one, then start new tasks: `gatestack secret set {env} MANAGEMENT_TOKEN`",
)
ADMIN_PASSWORD = OwnSecret(
    "admin-password",
    "Password of the admin UI, for releases that have one",
    Generated("ADMIN_PASSWORD", 24),
    not_rotated="people choose it: `gatestack secret set {env} ADMIN_PASSWORD`",
)
ENCRYPTION_KEY = OwnSecret(
    "encryption-key",
    "Key of what the database holds encrypted: never change it",
    # 32 bytes as base64: 42 characters are 252 bits, and A= ends them with the four that are left.
    Seeded('{"ENCRYPTION_KEY": "{seed}A="}', 42),
    kept=True,
    not_by_hand="the providers' keys in the database would be unreadable for ever; it is never changed",
    not_rotated="the providers' keys in the database would be unreadable for ever",
)
DISPATCHER_API_KEY = OwnSecret(
    "dispatcher-api-key",
    "Key of the service that events are sent to, put in by hand",
    Written({"LLM_PROXY_API_KEY": PLACEHOLDER}),
    not_rotated="the service makes it: `gatestack secret set {env} LLM_PROXY_API_KEY`",
)

REDIS_ADDRESS, REDIS_DB = "redis-addr", "redis-db"
HOST_AND_PORT = {"Host": Export("database", "RedisEndpoint"), "Port": Export("database", "RedisPort")}

EVENT_FILE = "/app/data/events.jsonl"
"""In the image's own folder for data; it goes with the task."""


def _request_seconds(settings: Settings) -> int:
    """Return the proxy's timeout: shorter than the load balancer's, which would answer instead."""
    return max(settings.alb.idle_timeout_seconds - 10, 1)


def _variables(settings: Settings) -> dict[str, Value]:
    return {
        "API_ENV": "production",
        "DB_DRIVER": "postgres",
        "LISTEN_ADDR": f":{settings.service.port}",
        "REQUEST_TIMEOUT": f"{_request_seconds(settings)}s",
        **_event_bus(settings),
        **_http_cache(settings),
        **_verified(settings),
    }


def _verified(settings: Settings) -> dict[str, Value]:
    """Return the certificate of the database's authority, and where the driver finds it."""
    authority = settings.database.authority(settings.region)
    return {CERTIFICATE: authority, CERTIFICATE_FILE: CONTAINER_FILE} if authority else {}


def _entry_point(settings: Settings) -> tuple[str, ...]:
    return starting(CERTIFICATE_FILE, START, *VERIFY_FULL) if _verified(settings) else ()


def _event_bus(settings: Settings) -> dict[str, Value]:
    return {"LLM_PROXY_EVENT_BUS": "redis-streams" if settings.cache.used else "in-memory"}


def _http_cache(settings: Settings) -> dict[str, Value]:
    """Encrypt the connection to cached answers: this client supports TLS, unlike the event bus."""
    if not settings.cache.used:
        return {}
    scheme = "rediss" if settings.cache.has_tls else "redis"
    return {
        "HTTP_CACHE_BACKEND": "redis",
        "REDIS_CACHE_URL": Text(f"{scheme}://${{Host}}:${{Port}}/1", HOST_AND_PORT),
    }


def _injected(settings: Settings) -> dict[str, Injected]:
    own = (MANAGEMENT_TOKEN, ADMIN_PASSWORD, ENCRYPTION_KEY)
    return {
        **{key: FromSecret(secret.arn, key) for secret in own for key in secret.value.keys},
        "DATABASE_URL": FromSecret(Export("database", "DbSecretArn"), "DATABASE_URL"),
        "LOG_LEVEL": FromParameter(LOG_LEVEL),
        **_redis_address(settings),
    }


def _redis_address(settings: Settings) -> dict[str, Injected]:
    return {"REDIS_ADDR": FromParameter(REDIS_ADDRESS)} if settings.cache.used else {}


def _dispatcher_command(settings: Settings) -> tuple[str, ...]:
    dispatcher = settings.dispatcher
    endpoint = dispatcher.endpoint or (EVENT_FILE if dispatcher.backend == "file" else None)
    where = ("--endpoint", endpoint) if endpoint else ()
    return ("dispatcher", "--service", dispatcher.backend, *where)


def _dispatcher_injected(settings: Settings) -> dict[str, Injected]:
    key = FromSecret(DISPATCHER_API_KEY.arn, "LLM_PROXY_API_KEY")
    return _redis_address(settings) | ({key.key: key} if settings.dispatcher.backend != "file" else {})


DISPATCHER = Program(
    "dispatcher", "llm-proxy-dispatcher", _dispatcher_command, _event_bus, _dispatcher_injected
)


def _background(settings: Settings) -> tuple[Background, ...]:
    wanted = settings.dispatcher
    return (Background(DISPATCHER, wanted.cpu, wanted.memory_mb, wanted.tasks),) if wanted.enabled else ()


def _probe(port: int, path: str) -> tuple[str, ...]:
    """Return a check with what Alpine Linux has; the image has no curl."""
    return ("CMD", "wget", "--quiet", "--spider", f"http://127.0.0.1:{port}{path}")


def _findings(settings: Settings) -> Iterator[Finding]:
    there, why = settings.cache.existing, "the event bus speaks neither TLS nor AUTH"
    if settings.cache.makes_password:
        message = f"{why}, and the proxy ends where Redis asks for them; write preferred"
        yield Finding("cache.transit_encryption", message, ("cache.enabled",))
    if there and (there.tls or there.secret_arn):
        message = f"{why}; name a Redis that asks for neither, with tls: false and no secret_arn"
        yield Finding("cache.existing", message)
    if settings.dispatcher.enabled and not settings.cache.used:
        message = "takes its events out of Redis; add cache.enabled: true, or write false"
        yield Finding("dispatcher.enabled", message, ("cache.enabled",))


def _advice(settings: Settings) -> Iterator[str]:
    if settings.cache.exists:
        yield (
            "cache.transit_encryption: preferred, so events travel to Redis unencrypted inside the VPC: "
            "llm-proxy's event bus knows no TLS"
        )
    if settings.dispatcher.enabled and settings.dispatcher.backend == "file":
        yield "dispatcher.backend: file keeps the events in the task, and they are lost with it"


APPLICATION = Application(
    title="LLM Proxy",
    secrets=(MANAGEMENT_TOKEN, ADMIN_PASSWORD, ENCRYPTION_KEY, DISPATCHER_API_KEY),
    entrance=Program("proxy", "llm-proxy", lambda _: (IMAGE_COMMAND,), _variables, _injected, _entry_point),
    probe=_probe,
    routes={100: "/*"},
    answers_at=("/health",),
    shown={
        **SHOWN,
        "secret-rotation-days": "secrets.rotation_days",
    },
    read_by_tasks={
        LOG_LEVEL: "LOG_LEVEL",
        REDIS_ADDRESS: "REDIS_ADDR",
        "cache-enabled": "HTTP_CACHE_ENABLED",
        "rate-limit-rpm": "GLOBAL_RATE_LIMIT",
        REDIS_DB: "REDIS_DB",
    },
    log_levels=LOWER_CASE_LEVELS,
    reserved=frozenset(
        {
            "API_ENV",
            "CMD",
            CERTIFICATE,
            "DATABASE_PATH",
            "DATABASE_URL",
            "DB_DRIVER",
            "HTTP_CACHE_BACKEND",
            "HTTP_CACHE_ENABLED",
            "LISTEN_ADDR",
            "LLM_PROXY_EVENT_BUS",
            "LOG_LEVEL",
            CERTIFICATE_FILE,
            "REDIS_ADDR",
            "REDIS_CACHE_URL",
            "REDIS_DB",
            "REQUEST_TIMEOUT",
        }
    ),
    providers=("openai", "anthropic"),  # those of its own config/api_providers.yaml
    first_key="MANAGEMENT_TOKEN",
    public_image="ghcr.io/sofatutor/llm-proxy",
    database="llmproxy",
    administration=Administration(("/manage",)),  # internal/server/server.go, read 2026-11-28
    background=_background,
    located={REDIS_ADDRESS: Text("${Host}:${Port}", HOST_AND_PORT)},
    findings=_findings,
    advice=_advice,
)
