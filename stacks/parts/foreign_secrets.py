"""Permissions for existing secrets and parameters: exactly those, and the KMS keys that are named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from awacs import kms, secretsmanager, ssm
from awacs.aws import Action, Condition, Statement, StringEquals

from stacks.parts.policies import allow
from stacks.sections.variables import SecretSource
from stacks.settings import Settings


def reading(
    sources: Collection[SecretSource], filled: Callable[[str], Any] = lambda text: text
) -> Iterator[Statement]:
    """
    Yield what starting tasks with *sources* needs (ECS Developer Guide, "Task execution IAM role").

    *filled* puts outputs of own stacks into an ARN.
    """
    secrets = [one for one in sources if not one.is_parameter]
    parameters = [one for one in sources if one.is_parameter]
    yield from _of("Secrets", [secretsmanager.GetSecretValue], secrets, filled)
    yield from _of("Parameters", [ssm.GetParameters], parameters, filled)


def all_of(settings: Settings) -> list[SecretSource]:
    """Return the sources that the services' tasks need to start."""
    return [*settings.service.secrets_from.values(), *logins(settings)]


def logins(settings: Settings) -> list[SecretSource]:
    """Return the secrets for an existing database and cache."""
    return [one.secret for one in settings.existing_stores.values() if one.secret]


def there_already(settings: Settings) -> list[SecretSource]:
    """Return those of `all_of` that no own stack of the team creates."""
    return [one for one in all_of(settings) if not one.own_output]


def _of(
    kind: str, actions: list[Action], sources: Collection[SecretSource], filled: Callable[[str], Any]
) -> Iterator[Statement]:
    if sources:
        arns = sorted({one.resource for one in sources})
        yield allow(f"ReadOther{kind}", actions, [filled(one) for one in arns])
        yield from _decrypting(kind, sources)


def _decrypting(kind: str, sources: Collection[SecretSource]) -> Iterator[Statement]:
    """AWS's own keys need no permission of the reader (KMS Developer Guide, "AWS managed keys")."""
    found = sorted({one.kms_key_arn for one in sources if one.kms_key_arn})
    through = sorted({".".join([*one.parts[1:3], "amazonaws.com"]) for one in sources if one.kms_key_arn})
    if found:
        condition = Condition(StringEquals("kms:ViaService", through))
        yield allow(f"DecryptOther{kind}", [kms.Decrypt], found, condition)
