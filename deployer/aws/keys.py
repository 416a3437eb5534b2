"""Looks up a KMS key by its alias. Read-only."""

from __future__ import annotations

from deployer.aws.endpoint import ask
from deployer.aws.sign_in.login import Clients
from deployer.checks.key import Key
from deployer.errors import CloudError


def key_of(clients: Clients, alias: str) -> Key | None:
    """
    Return the key that *alias* (``alias/dev-litellm``) leads to; None where there is none.

    Raises:
        DeployError: KMS cannot be asked.

    """
    try:
        found = ask(clients("kms"), "describe_key", KeyId=alias)["KeyMetadata"]
    except CloudError as error:
        if error.code == "NotFoundException":
            return None
        raise
    return Key(found["KeyId"], found["KeyState"], found.get("DeletionDate"))
