"""
The LLM testing framework (S3): one service that calls Bedrock with the task's role, and stores no data.

The names of its variables are those that its source reads (OlegKonyk/llm-probe, backend/src): with S3's
API_KEY_SECRET_NAME the application exits when it starts.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.application import (
    LOG_LEVEL,
    LOWER_CASE_LEVELS,
    SHOWN,
    Application,
    FromParameter,
    OwnSecret,
    Program,
    Seeded,
    Value,
)
from stacks.settings import Settings

ENTRY_KEYS = frozenset({"id", "key", "description"})


def _clients_objection(values: Mapping[str, object]) -> str | None:
    """Return what the application cannot read: it wants a list of mappings, each with id and key."""
    entries = values.get("keys")
    if not isinstance(entries, list) or not entries:
        return 'keys is a list of {"id", "key", "description"} with one entry at least'
    for number, entry in enumerate(entries, 1):
        texts = isinstance(entry, Mapping) and all(isinstance(text, str) for text in entry.values())
        if not texts or not {"id", "key"} <= entry.keys() <= ENTRY_KEYS:
            return f"entry {number} of keys is no mapping with id and key, and description on wish, all texts"
        if not entry["id"] or not entry["key"]:
            return f"entry {number} of keys has an empty id or key"
    return None


API_KEYS = OwnSecret(
    "api-keys",
    "Keys of the clients; the first one is made here",
    Seeded('{"keys": [{"id": "first", "key": "{seed}", "description": "made with the environment"}]}', 40),
    reader="tasks",
    not_rotated="clients hold them: `gatestack secret set {env} api-keys`",
    objection=_clients_objection,
)


def _variables(settings: Settings) -> dict[str, Value]:
    return {
        "API_KEY_AUTH_ENABLED": "true",
        "API_KEY_PROVIDER": "secrets-manager",
        "API_KEYS_SECRET_NAME": settings.secret_name(API_KEYS.name),
        "BEDROCK_MODEL": next(iter(settings.service.bedrock_models), ""),
        "LLM_PROVIDER": "bedrock",
        "NODE_ENV": "production",
        "PORT": str(settings.service.port),
        "TRUST_PROXY": "true",  # requests come from the load balancer, whose header names the client
    }


def _probe(port: int, path: str) -> tuple[str, ...]:
    """Return S3's check, on the address that the server surely listens on; the image has Node.js, no curl."""
    url = f"http://127.0.0.1:{port}{path}"  # its repr, quotes and all, is a text for JavaScript too
    request = f"require('http').get({url!r},r=>process.exit(r.statusCode===200?0:1))"
    return ("CMD", "node", "-e", f"{request}.on('error',()=>process.exit(1))")


APPLICATION = Application(
    title="LLM testing framework",
    secrets=(API_KEYS,),
    entrance=Program(
        "backend",
        "backend",
        lambda _: (),
        _variables,
        lambda _: {"LOG_LEVEL": FromParameter(LOG_LEVEL)},
    ),
    probe=_probe,
    routes={100: "/*"},
    answers_at=("/health",),
    shown={
        **SHOWN,
        "bedrock-models": "service.bedrock_models",
    },
    read_by_tasks={LOG_LEVEL: "LOG_LEVEL"},
    log_levels=LOWER_CASE_LEVELS,
    reserved=frozenset(
        {
            "API_KEY",
            "API_KEYS_SECRET_NAME",
            "API_KEY_AUTH_ENABLED",
            "API_KEY_PROVIDER",
            "AWS_REGION",
            "BEDROCK_MODEL",
            "LLM_PROVIDER",
            "LOG_LEVEL",
            "NODE_ENV",
            "PORT",
            "TRUST_PROXY",
        }
    ),
    providers=("bedrock",),
    first_key="api-keys",
    aliases={
        "AlbDnsName": "LoadBalancerDNS",
        "ApiKeysSecretArn": "SecretArn",
        "EcrRepositoryUri": "RepositoryUri",
        "Url": "ApiEndpoint",
    },
)
