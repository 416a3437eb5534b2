"""The environment's secrets. Templates hold no values: Secrets Manager or a person provides them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import Ref, Sub, kms
from troposphere.secretsmanager import GenerateSecretString, Secret

from stacks import known_secrets, task_secrets
from stacks.application import Generated, OwnSecret, Seeded, Written, camel
from stacks.parts.retention import kept_in_production, removed
from stacks.wiring import Stack


def wanted(stack: Stack) -> Iterator[OwnSecret]:
    """
    Yield the secrets of the security stack: the system's, the database's, the cache's, those of the file.
    """
    yield from stack.application.secrets
    if stack.settings.database.exists:
        yield known_secrets.administrator(stack.application)
    if stack.settings.cache.makes_password:
        yield known_secrets.CACHE
    yield from task_secrets.put_in(stack.settings)


def add(stack: Stack, key: kms.Key) -> Mapping[str, Secret]:
    """Add all secrets to *stack*, encrypted with *key*; return them by their short names."""
    return {own.name: _secret(stack, key, own) for own in wanted(stack)}


def _secret(stack: Stack, key: kms.Key, own: OwnSecret) -> Secret:
    policies = kept_in_production(stack.settings) if own.kept else removed()
    return stack.add(
        Secret(
            own.title,
            Name=stack.settings.secret_name(own.name),
            Description=own.description,
            KmsKeyId=Ref(key),
            **_first_value(stack, key, own),
            **policies,
        )
    )


def _first_value(stack: Stack, key: kms.Key, own: OwnSecret) -> dict[str, Any]:
    """Return how the first value is generated: letters and digits, since nothing is escaped in its uses."""
    value = own.value
    if isinstance(value, Generated):
        text = json.dumps(dict(value.beside))
        made = {"SecretStringTemplate": text, "GenerateStringKey": value.key, "PasswordLength": value.length}
        return {"GenerateSecretString": GenerateSecretString(**made, ExcludePunctuation=True)}
    if isinstance(value, Seeded):
        return {"SecretString": _seeded(stack, key, own, value)}
    return {"SecretString": _written(value, stack.settings.region)}


def _written(value: Written, region: str) -> str:
    return json.dumps({name: text.replace("{region}", region) for name, text in value.values.items()})


def _seeded(stack: Stack, key: kms.Key, own: OwnSecret, value: Seeded) -> Sub:
    """
    Create a seed, and refer to it in the value, which is read once, at creation.

    GenerateSecretString supports no prefix and no list (CloudFormation User Guide, "Get a secret or secret
    value from Secrets Manager").
    """
    seed = stack.add(
        Secret(
            f"{camel(own.name)}Seed",
            Name=stack.settings.secret_name(known_secrets.seed_of(own.name)),
            Description=f"What the first {own.name.replace('-', ' ')} is made of",
            KmsKeyId=Ref(key),
            GenerateSecretString=GenerateSecretString(PasswordLength=value.length, ExcludePunctuation=True),
            **removed(),
        )
    )
    reference = f"{{{{resolve:secretsmanager:${{{seed.title}}}:SecretString}}}}"
    return Sub(value.template.replace("{seed}", reference))
