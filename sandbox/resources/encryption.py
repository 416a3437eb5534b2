"""Keys and secrets: KMS, Secrets Manager, and the attachment of a secret to its database."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler, random_text

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def _create_key(call: Call) -> Provisioned:
    made = call.apply("kms", "create_key", Policy=call.properties.get("KeyPolicy"), Tags=call.tags)[
        "KeyMetadata"
    ]
    begun = call.begin(made["KeyId"], Arn=made["Arn"], KeyId=made["KeyId"])
    _set_key(call, made["KeyId"])
    return begun


def _set_key(call: Call, key_id: str) -> None:
    wanted = str(call.properties.get("EnableKeyRotation", False)).lower() == "true"
    if wanted:
        period = call.properties.get("RotationPeriodInDays")
        call.ask("kms", "enable_key_rotation", KeyId=key_id, RotationPeriodInDays=period)
    elif call.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT":
        call.ask("kms", "disable_key_rotation", KeyId=key_id)
    enabled = str(call.properties.get("Enabled", True)).lower() == "true"
    call.ask("kms", "enable_key" if enabled else "disable_key", KeyId=key_id)


def _update_key(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    key_id = current.physical_id
    if call.changed(old, "KeyPolicy"):
        call.ask(
            "kms", "put_key_policy", KeyId=key_id, PolicyName="default", Policy=call.properties["KeyPolicy"]
        )
    if call.changed(old, "Description"):
        call.ask(
            "kms", "update_key_description", KeyId=key_id, Description=call.properties.get("Description", "")
        )
    _set_key(call, key_id)
    call.retag("kms", "tag_resource", "untag_resource", KeyId=key_id)
    return current


def _delete_key(call: Call, current: Provisioned) -> None:
    days = call.properties.get("PendingWindowInDays", 30)
    call.ask("kms", "schedule_key_deletion", KeyId=current.physical_id, PendingWindowInDays=days)


def _adopt_key(call: Call, key_id: str) -> Provisioned:
    found = call.ask("kms", "describe_key", KeyId=key_id)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        raise call.not_found("Key", key_id)
    return Provisioned(found["KeyId"], {"Arn": found["Arn"], "KeyId": found["KeyId"]})


def _create_alias(call: Call) -> Provisioned:
    require.key(call, call.properties["TargetKeyId"])
    call.apply("kms", "create_alias")
    return Provisioned(call.properties["AliasName"])


def _update_alias(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    call.apply("kms", "update_alias")
    return current


def _delete_alias(call: Call, current: Provisioned) -> None:
    call.ask("kms", "delete_alias", AliasName=current.physical_id)


def _create_secret(call: Call) -> Provisioned:
    name = (
        call.properties.get("Name")
        or f"{call.request.logical_id}-{random_text(12, string.ascii_letters + string.digits)}"
    )
    require.key(call, call.properties.get("KmsKeyId"))
    value = _secret_value(call.properties)
    try:
        made = call.apply("secretsmanager", "create_secret", Name=name, SecretString=value, Tags=call.tags)
    except ClientError:
        _check_unscheduled(call, name)
        raise
    return Provisioned(made["ARN"], {"Id": made["ARN"]})


def _check_unscheduled(call: Call, name: str) -> None:
    """
    Refuse a name that is taken until its recovery window is over; moto reports it as any taken name.

    Words: Secrets Manager User Guide, "Delete a secret".
    """
    if "DeletedDate" in call.ask("secretsmanager", "describe_secret", SecretId=name):
        words = (
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
        told = f"{words} (Service: SecretsManager, Status Code: 400)"
        raise ProvisionError(
            f'Resource handler returned message: "{told}" (HandlerErrorCode: InvalidRequest)'
        )


def _update_secret(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    require.key(call, call.properties.get("KmsKeyId"))
    fresh = call.changed(old, "SecretString", "GenerateSecretString")
    value = _secret_value(call.properties) if fresh else None
    if fresh or call.changed(old, "Description", "KmsKeyId"):
        described = {
            "Description": call.properties.get("Description", ""),
            "KmsKeyId": call.properties.get("KmsKeyId"),
        }
        call.ask(
            "secretsmanager", "update_secret", SecretId=current.physical_id, SecretString=value, **described
        )
    call.retag("secretsmanager", "tag_resource", "untag_resource", SecretId=current.physical_id)
    return current


def _adopt_secret(call: Call, arn: str) -> Provisioned:
    found = call.ask("secretsmanager", "describe_secret", SecretId=arn)
    if "DeletedDate" in found:
        raise call.not_found("Secret", arn)
    return Provisioned(found["ARN"], {"Id": found["ARN"]})


def _delete_secret(call: Call, current: Provisioned) -> None:
    call.ask("secretsmanager", "delete_secret", SecretId=current.physical_id, ForceDeleteWithoutRecovery=True)


def _secret_value(properties: Mapping[str, Any]) -> str:
    if "SecretString" in properties and "GenerateSecretString" in properties:
        raise ProvisionError(
            "You can't specify both SecretString and GenerateSecretString (HandlerErrorCode: InvalidRequest)"
        )
    if "GenerateSecretString" not in properties:
        return str(properties.get("SecretString", "{}"))
    return generate(properties["GenerateSecretString"])


def generate(options: Mapping[str, Any]) -> str:
    """Return a new secret string by GenerateSecretString's *options* (AWS template reference)."""
    password = _password(options)
    key, template = options.get("GenerateStringKey"), options.get("SecretStringTemplate")
    if bool(key) != bool(template):
        raise ProvisionError(
            "SecretStringTemplate and GenerateStringKey must be given together"
            " (HandlerErrorCode: InvalidRequest)"
        )
    if not key:
        return password
    try:
        document = json.loads(str(template))
    except ValueError as error:
        raise ProvisionError(
            "SecretStringTemplate is no valid JSON (HandlerErrorCode: InvalidRequest)"
        ) from error
    return json.dumps({**document, str(key): password})


def _password(options: Mapping[str, Any]) -> str:
    excluded = set(str(options.get("ExcludeCharacters", "")))
    groups = {
        "ExcludeLowercase": string.ascii_lowercase,
        "ExcludeUppercase": string.ascii_uppercase,
        "ExcludeNumbers": string.digits,
        "ExcludePunctuation": _PUNCTUATION,
    }
    sets = [
        "".join(c for c in group if c not in excluded)
        for name, group in groups.items()
        if not _is(options, name)
    ]
    if _is(options, "IncludeSpace") and " " not in excluded:
        sets.append(" ")
    length = int(options.get("PasswordLength", 32))
    sets = [characters for characters in sets if characters]
    if not sets or length > 4096 or length < len(sets):
        raise ProvisionError(
            "No password can be generated with these settings (HandlerErrorCode: InvalidRequest)"
        )
    return _drawn(sets, length, every=_is(options, "RequireEachIncludedType", default=True))


def _drawn(sets: list[str], length: int, *, every: bool) -> str:
    while True:
        password = random_text(length, "".join(sets))
        if not every or all(any(c in group for c in password) for group in sets):
            return password


def _is(options: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    return str(options.get(name, default)).lower() == "true"


def _attach(call: Call) -> Provisioned:
    secret = call.properties["SecretId"]
    _put(call, {**_document(call, secret), **_connection(call)})
    return Provisioned(secret, {"Id": secret})


def _reattach(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _attach(call)
    return current


def _detach(call: Call, current: Provisioned) -> None:
    document = _document(call, current.physical_id)
    _put(
        call,
        {
            key: value
            for key, value in document.items()
            if key in ("username", "password") or key not in _CONNECTION
        },
    )


_CONNECTION = ("engine", "host", "port", "dbname", "dbInstanceIdentifier", "dbClusterIdentifier")


def _document(call: Call, secret: str) -> dict[str, Any]:
    text = call.ask("secretsmanager", "get_secret_value", SecretId=secret)["SecretString"]
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProvisionError(
            "The secret's value must be a JSON object to be attached to a target"
            " (HandlerErrorCode: InvalidRequest)"
        )
    return document


def _put(call: Call, document: Mapping[str, Any]) -> None:
    call.ask(
        "secretsmanager",
        "put_secret_value",
        SecretId=call.properties["SecretId"],
        SecretString=dict(document),
    )


def _connection(call: Call) -> dict[str, Any]:
    target, kind = call.properties["TargetId"], call.properties["TargetType"]
    if kind == "AWS::RDS::DBInstance":
        found = call.ask("rds", "describe_db_instances", DBInstanceIdentifier=target)["DBInstances"][0]
        place = {
            "host": found["Endpoint"]["Address"],
            "port": found["Endpoint"]["Port"],
            "dbname": found.get("DBName"),
        }
        return _known({"engine": found["Engine"], **place, "dbInstanceIdentifier": target})
    if kind == "AWS::RDS::DBCluster":
        found = call.ask("rds", "describe_db_clusters", DBClusterIdentifier=target)["DBClusters"][0]
        place = {"host": found["Endpoint"], "port": found["Port"], "dbname": found.get("DatabaseName")}
        return _known({"engine": found["Engine"], **place, "dbClusterIdentifier": target})
    raise ProvisionError(
        f"TargetType {kind} is not one that secrets are attached to here (HandlerErrorCode: InvalidRequest)"
    )


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


HANDLERS: Mapping[str, Handler] = {
    "AWS::KMS::Key": Handler(_create_key, _update_key, _delete_key, _adopt_key),
    "AWS::KMS::Alias": Handler(_create_alias, _update_alias, _delete_alias),
    "AWS::SecretsManager::Secret": Handler(_create_secret, _update_secret, _delete_secret, _adopt_secret),
    "AWS::SecretsManager::SecretTargetAttachment": Handler(_attach, _reattach, _detach),
}
