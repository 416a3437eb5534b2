"""
Resolves references to values in services: CloudFormation's `{{resolve:service:…}}`, ECS's `valueFrom`.

Reads Secrets Manager and Parameter Store, changes nothing. No message contains a value.
"""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import ProvisionError
from sandbox.services.reach import Reach

_REFERENCE = re.compile(r"^\{\{resolve:(ssm|ssm-secure|secretsmanager):(.+)\}\}$", re.DOTALL)
_SECRET_ARN = re.compile(r"^(arn:[^:]+:secretsmanager:([^:]+):[^:]+:secret:[^:]+)(?::(.*))?$", re.DOTALL)
_PARAMETER = re.compile(r"^([a-zA-Z0-9_.\-/]+|arn:.+?:parameter/[^:]+)(?::(\d+))?$")


def resolve(reference: str, services: Reach, region: str) -> str:
    """
    Return the value that *reference* stands for.

    The forms are those of AWS docs, "Get values stored in other services using dynamic references".

    Raises:
        ProvisionError: the reference is none, or what it names does not exist.

    """
    found = _REFERENCE.match(reference.strip())
    if not found:
        raise ProvisionError(f"Invalid dynamic reference: {reference}")
    service, rest = found.groups()
    if service == "secretsmanager":
        return _secret(rest, services, region)
    return _parameter(rest, services, region)


def injected(value_from: str, services: Reach, region: str) -> str:
    """
    Return what ECS injects for *value_from*: a secret, one key of it, or a parameter, by ARN or name.

    The forms are those of AWS docs, "Pass Secrets Manager secrets through Amazon ECS environment variables".

    Raises:
        ProvisionError: what it names does not exist.

    """
    found = _SECRET_ARN.match(value_from)
    if not found:
        return _parameter(value_from.rpartition(":parameter")[2], services, region)
    key, stage, version = (*(found.group(3) or "").split(":"), "", "", "")[:3]
    return _secret(f"{found.group(1)}:SecretString:{key}:{stage}:{version}", services, region)


def _parameter(rest: str, services: Reach, region: str) -> str:
    found = _PARAMETER.match(rest)
    if not found:
        raise ProvisionError(f"Incorrect format is used in the following SSM reference: [{rest}]")
    name, version = found.groups()
    asked = f"{name}:{version}" if version else name
    try:
        answer = services.client("ssm", region).get_parameter(Name=asked, WithDecryption=True)
    except ClientError as error:
        raise ProvisionError(f"Parameters: [{asked}] cannot be found.") from error
    return str(answer["Parameter"]["Value"])


def _secret(rest: str, services: Reach, region: str) -> str:
    arn = _SECRET_ARN.match(rest)
    if arn:
        secret_id, region, tail = arn.group(1), arn.group(2), arn.group(3) or ""
    else:
        secret_id, _, tail = rest.partition(":")
    kind, key, stage, version = (*tail.split(":"), "", "", "", "")[:4]
    if kind not in ("", "SecretString"):
        raise ProvisionError(
            f"Invalid dynamic reference: only SecretString of {secret_id} can be read, not {kind}"
        )
    text = _secret_string(services.client("secretsmanager", region), secret_id, stage, version)
    return _by_key(text, key, secret_id) if key else text


def _secret_string(client: Any, secret_id: str, stage: str, version: str) -> str:
    chosen = {"VersionStage": stage, "VersionId": version}
    try:
        answer = client.get_secret_value(
            SecretId=secret_id, **{name: value for name, value in chosen.items() if value}
        )
    except ClientError as error:
        raise ProvisionError(
            f"Secrets Manager can't find the specified secret value: {secret_id}"
            f" ({error.response['Error']['Code']}) (HandlerErrorCode: NotFound)"
        ) from error
    return str(answer["SecretString"])


def _by_key(text: str, key: str, secret_id: str) -> str:
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError) as error:
        raise ProvisionError(
            f"Could not find a value associated with JSONKey in SecretString: {key} of {secret_id}"
        ) from error
    return value if isinstance(value, str) else json.dumps(value)
