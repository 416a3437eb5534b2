"""The secrets of the gateway. No template holds a value: Secrets Manager makes it, or a person puts it in."""

from __future__ import annotations

import json
from dataclasses import dataclass

from troposphere import Ref, Sub, kms
from troposphere.secretsmanager import GenerateSecretString, Secret

from stacks.parts.retention import kept_in_production, removed
from stacks.settings import Settings
from stacks.wiring import Stack

PLACEHOLDER = "REPLACE_ME"
"""Stands where a provider's key belongs until somebody puts it in."""

# Everything below that makes a value is frozen: as soon as one of these properties changes, a new version is
# written and what a rotation or a person put in is lost ("AWS::SecretsManager::Secret", GenerateSecretString,
# SecretString). Letters and digits only: values stand in JSON and in DATABASE_URL, where nothing is escaped.
SEED = GenerateSecretString(PasswordLength=45, ExcludePunctuation=True)
UI_PASSWORD = GenerateSecretString(
    SecretStringTemplate='{"UI_USERNAME": "admin"}',
    GenerateStringKey="UI_PASSWORD",
    PasswordLength=24,
    ExcludePunctuation=True,
)
DATABASE_PASSWORD = GenerateSecretString(
    SecretStringTemplate='{"username": "litellm"}',
    GenerateStringKey="password",
    PasswordLength=32,
    ExcludePunctuation=True,
)
SALT_KEY = GenerateSecretString(
    SecretStringTemplate="{}",
    GenerateStringKey="LITELLM_SALT_KEY",
    PasswordLength=48,
    ExcludePunctuation=True,
)

# 16 to 128 characters, hardly any punctuation: ElastiCache User Guide, "Authenticating with AUTH".
CACHE_PASSWORD = GenerateSecretString(
    SecretStringTemplate="{}",
    GenerateStringKey="REDIS_PASSWORD",
    PasswordLength=64,
    ExcludePunctuation=True,
)


@dataclass(frozen=True)
class GatewaySecrets:
    """The secrets of S1's "Secrets Architecture", and the salt key that S1 lacks."""

    master_key: Secret
    ui_password: Secret
    api_keys: Secret
    database: Secret
    """The database's administrator; the tasks log in with a secret of the database stack."""
    salt_key: Secret
    cache: Secret | None
    """Redis's password, where there is a cache that asks for one; it is not rotated."""

    @property
    def read_by_tasks(self) -> tuple[Secret, ...]:
        """Return what ECS injects into the containers."""
        always = (self.master_key, self.ui_password, self.api_keys, self.salt_key)
        return always if self.cache is None else (*always, self.cache)


def add(stack: Stack, key: kms.Key) -> GatewaySecrets:
    """Add all secrets to *stack*, encrypted with *key*."""
    return GatewaySecrets(
        master_key=_master_key(stack, key),
        ui_password=_secret(
            stack,
            key,
            "UiPasswordSecret",
            "ui-password",
            "Login of LiteLLM's admin UI",
            GenerateSecretString=UI_PASSWORD,
        ),
        api_keys=_api_keys(stack, key),
        database=_secret(
            stack,
            key,
            "DatabaseSecret",
            "database",
            "Administrator of the database",
            GenerateSecretString=DATABASE_PASSWORD,
        ),
        salt_key=_salt_key(stack, key),
        cache=_cache_password(stack, key) if stack.settings.cache.has_password else None,
    )


def _master_key(stack: Stack, key: kms.Key) -> Secret:
    """
    Make a master key of 48 characters that starts with ``sk-``, as LiteLLM demands, without a step by hand.

    GenerateSecretString knows no prefix, so a seed is generated and the key refers to it dynamically
    (CloudFormation User Guide, "Get a secret or secret value from Secrets Manager"), read once, at creation.
    """
    description = "What the first master key is made of"
    seed = _secret(stack, key, "MasterKeySeed", "master-key-seed", description, GenerateSecretString=SEED)
    value = f'{{"LITELLM_MASTER_KEY": "sk-{{{{resolve:secretsmanager:${{{seed.title}}}:SecretString}}}}"}}'
    return _secret(
        stack, key, "MasterKeySecret", "master-key", "LiteLLM's master key", SecretString=Sub(value)
    )


def _api_keys(stack: Stack, key: kms.Key) -> Secret:
    """Make the secret that people fill; it is written once, so that no update resets what they put in."""
    placeholders = {
        "OPENAI_API_KEY": PLACEHOLDER,
        "ANTHROPIC_API_KEY": PLACEHOLDER,
        "AWS_BEDROCK_REGION": stack.settings.region,
    }
    description = "Keys of the model providers, put in by hand"
    return _secret(
        stack, key, "ApiKeysSecret", "api-keys", description, SecretString=json.dumps(placeholders)
    )


def _salt_key(stack: Stack, key: kms.Key) -> Secret:
    """Make the key of the credentials in LiteLLM's database; rotated, it would make them unreadable."""
    description = "LiteLLM's salt key: never change it, what the database holds is encrypted with it"
    return _secret(stack, key, "SaltKeySecret", "salt-key", description, GenerateSecretString=SALT_KEY)


def _cache_password(stack: Stack, key: kms.Key) -> Secret:
    """Make the password of Redis; it goes with the cache, which is empty when it comes again."""
    return _secret(
        stack, key, "CacheSecret", "cache", "Password of Redis", GenerateSecretString=CACHE_PASSWORD
    )


def _secret(stack: Stack, key: kms.Key, title: str, name: str, description: str, **value: object) -> Secret:
    return stack.add(
        Secret(
            title,
            Name=stack.settings.secret_name(name),
            Description=description,
            KmsKeyId=Ref(key),
            **value,
            **_policies(stack.settings, name),
        )
    )


def _policies(settings: Settings, name: str) -> dict[str, str]:
    """A kept snapshot is useless without its password and its salt key; the rest can be made anew."""
    return kept_in_production(settings) if name in {"database", "salt-key"} else removed()
