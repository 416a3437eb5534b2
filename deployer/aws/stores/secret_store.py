"""Secrets Manager for `deployer.day2.secrets`. No message contains a value."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.sign_in.login import Clients
from deployer.day2.secrets import Rotation, SecretInfo, SecretValue
from deployer.errors import CloudError, NotAllowed

MISSING = "ResourceNotFoundException"
KEY_REFUSED = frozenset({"DecryptionFailure", "EncryptionFailure"})


class SecretsManager:
    """A `SecretStore`: the secrets of one account and region."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients("secretsmanager")

    def describe(self, name: str) -> SecretInfo | None:
        """Return what is known of the secret *name*; None where there is none."""
        try:
            answer = ask(self._client, "describe_secret", SecretId=name)
        except CloudError as error:
            if error.code == MISSING:
                return None
            raise _named(name, error) from None
        versions = answer.get("VersionIdsToStages") or {}
        return SecretInfo(
            name=name,
            arn=answer["ARN"],
            rotation=_rotation(answer),
            deleted=answer.get("DeletedDate"),
            versions={label: version for version, labels in versions.items() for label in labels},
        )

    def read(self, name: str, version: str | None = None) -> SecretValue:
        """Return its value: the current one, or that of *version*; raises CloudError where it has none."""
        which = {"VersionId": version} if version else {"VersionStage": "AWSCURRENT"}
        try:
            answer = ask(self._client, "get_secret_value", SecretId=name, **which)
        except CloudError as error:
            if error.code == MISSING:
                said = f"{name} is not there, or has no value"
                raise CloudError(said, code=error.code, operation=error.operation) from None
            raise _named(name, error) from None
        if "SecretString" not in answer:
            raise CloudError(f"{name} holds bytes, not text: only AWS's own tools can show it")
        return SecretValue(answer["SecretString"], answer["VersionId"], answer.get("CreatedDate"))

    def write(self, name: str, text: str) -> str:
        """
        Make *text* the current value and return its version; repeated by botocore, it is one version.

        ClientRequestToken: Secrets Manager API Reference, PutSecretValue.
        """
        token = str(uuid.uuid4())
        try:
            answer = ask(
                self._client, "put_secret_value", SecretId=name, SecretString=text, ClientRequestToken=token
            )
        except CloudError as error:
            raise _named(name, _without(text, error)) from None
        return str(answer["VersionId"])


def _rotation(answer: Mapping[str, Any]) -> Rotation:
    """Read an answer of DescribeSecret; a schedule may be a number of days or an expression."""
    if not answer.get("RotationEnabled"):
        return Rotation()
    days = answer.get("RotationRules", {}).get("AutomaticallyAfterDays")
    return Rotation(
        enabled=True, days=days, last=answer.get("LastRotatedDate"), next=answer.get("NextRotationDate")
    )


def _without(text: str, error: CloudError) -> CloudError:
    """Return *error* without AWS's message if that repeats any of the request."""
    parts = [part for part in text.split('"') if len(part) > 3]
    if any(part in str(error) for part in (text, *parts)):
        return type(error)(
            f"secretsmanager {error.operation}: {error.code}", code=error.code, operation=error.operation
        )
    return error


def _named(name: str, error: CloudError) -> CloudError:
    """Return *error* with the secret's name, and the permission to grant if the KMS key may not be used."""
    if error.code in KEY_REFUSED or (isinstance(error, NotAllowed) and "KMS" in str(error)):
        key = f"alias/{name.partition('/')[0]}"
        grant = (
            f"grant kms:Decrypt and kms:GenerateDataKey on {key} through secretsmanager, or enable the key"
        )
        return NotAllowed(
            f"{name}: its KMS key refuses ({error.code}): {grant}", code=error.code, operation=error.operation
        )
    return type(error)(f"{name}: {error}", code=error.code, operation=error.operation)
