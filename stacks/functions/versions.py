"""One secret in Secrets Manager during one rotation: its labels, its values, the move. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacks.functions.errors import RotationError

Value = dict[str, Any]
"""A secret's JSON object. Never log it."""
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"


@dataclass(frozen=True)
class Labels:
    """What Secrets Manager says of the secret, values aside."""

    enabled: bool
    """False when its rotation was cancelled."""
    by_version: Mapping[str, frozenset[str]]

    def of(self, token: str) -> frozenset[str]:
        """Return the labels of a version; none where there is no such version."""
        return self.by_version.get(token, frozenset())

    @property
    def current(self) -> str:
        """Return the version that is current; raises RotationError without one."""
        for version, labels in self.by_version.items():
            if CURRENT in labels:
                return version
        raise RotationError("the secret has no current value: put one in, then rotate again")


def current_value(client: Any, secret: str) -> Value:
    """Return what *secret* holds; raises RotationError where it is no JSON object, and botocore's errors."""
    return _object(client.get_secret_value(SecretId=secret, VersionStage=CURRENT), CURRENT)


@dataclass(frozen=True)
class Versions:
    """The versions of one secret, of which *token* names the new one."""

    client: Any
    """A Secrets Manager client; every method passes its errors on."""
    secret: str
    """ARN or name."""
    token: str

    def labels(self) -> Labels:
        """Return all versions that have a label."""
        answer = self.client.describe_secret(SecretId=self.secret)
        stages = answer.get("VersionIdsToStages") or {}
        # Left out for a secret whose rotation was never switched on (DescribeSecret, RotationEnabled).
        return Labels(
            enabled=answer.get("RotationEnabled", True),
            by_version={version: frozenset(labels) for version, labels in stages.items()},
        )

    def current(self) -> Value:
        """Return the current value."""
        return current_value(self.client, self.secret)

    def pending(self) -> Value | None:
        """Return the new value; None while the version has a label and no value yet."""
        try:
            answer = self.client.get_secret_value(
                SecretId=self.secret, VersionId=self.token, VersionStage=PENDING
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return _object(answer, PENDING)

    def put(self, value: Value) -> None:
        """Give the new version its value; it can be given once."""
        self.client.put_secret_value(
            SecretId=self.secret,
            ClientRequestToken=self.token,
            SecretString=json.dumps(value),
            VersionStages=[PENDING],
        )

    def make_current(self, instead_of: str) -> None:
        """
        Move the label in one call; the other version becomes AWSPREVIOUS by itself.

        AWSPENDING stays on the new version: taking it away by a call of its own may tell Secrets Manager that
        the rotation failed (User Guide, "Lambda rotation functions", finishSecret).
        """
        self.client.update_secret_version_stage(
            SecretId=self.secret,
            VersionStage=CURRENT,
            MoveToVersionId=self.token,
            RemoveFromVersionId=instead_of,
        )


def _object(answer: Mapping[str, Any], label: str) -> Value:
    try:
        value = json.loads(answer.get("SecretString", ""))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RotationError(
            f"the secret's {label} value is not a JSON object: put a right one in, then rotate"
        )
    return value
