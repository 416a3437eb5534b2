"""The tasks' login to the database: its secret, its rotation, and the administrator's secret."""

from __future__ import annotations

import json

from awacs import secretsmanager
from troposphere import Ref, Sub
from troposphere.secretsmanager import Secret, SecretTargetAttachment

from stacks.database.server import PORT, Server, administrator, administrator_arn
from stacks.parts.policies import allow
from stacks.parts.retention import removed
from stacks.parts.rotation import Rotation, add_rotation
from stacks.wiring import Stack


def add_login(stack: Stack, server: Server) -> Secret:
    """
    Add the proxy's login; it is deleted with the stack, since the administrator can create another.

    Its first value is the administrator's login, and so is every value that an update writes: it always
    works, and the next rotation replaces it.
    """
    return stack.add(
        Secret(
            "LoginSecret",
            **removed(),
            Name=stack.settings.login_secret_name,
            Description="How the proxy logs in to its database; DATABASE_URL is for people",
            KmsKeyId=stack.imported("security", "KmsKeyArn"),
            SecretString=Sub(
                _login_text(stack.application.database), Host=server.host, **administrator_arn(stack)
            ),
        )
    )


def _login_text(database: str | None) -> str:
    """Return the secret's JSON; nothing is escaped, since the password is made of letters and digits only."""
    user, secret = administrator("username"), administrator("password")
    fields = {
        "engine": "postgres",
        "host": "${Host}",
        "port": PORT,
        "dbname": database,
        "username": user,
        "password": secret,
        "DATABASE_URL": f"postgresql://{user}:{secret}@${{Host}}:{PORT}/{database}?sslmode=require",
    }
    return json.dumps(fields)


def attach_administrator(stack: Stack, server: Server) -> SecretTargetAttachment:
    """Complete the administrator's secret with engine, host and port."""
    return stack.add(
        SecretTargetAttachment(
            "AdministratorAttachment",
            SecretId=stack.imported("security", "DatabaseSecretArn"),
            TargetId=server.reference,
            TargetType=server.type,
        )
    )


def rotate(stack: Stack, server: Server, login: Secret, attachment: SecretTargetAttachment) -> None:
    """
    Rotate between two login roles, from the start on: the first value is the administrator's.

    The schedule rotates as soon as it exists, and CloudFormation waits for no rotation. So the server has to
    take connections by then: what fails is repeated at a time that Secrets Manager does not tell.

    If tasks log in with tokens, a rotation creates their role. So one has to follow at once when tokens are
    switched on: Secrets Manager rotates when the same schedule is worded differently.
    """
    tokens = stack.settings.database.iam_authentication
    secret = stack.imported("security", "DatabaseSecretArn")
    authority = stack.settings.database.authority(stack.settings.region)
    rotation = Rotation(
        name="database",
        secret_name=stack.settings.login_secret_name,
        secret=Ref(login),
        module="database",
        at_once=True,
        variables={
            "ADMINISTRATOR_SECRET_ARN": secret,
            **({"IAM_LOGIN": "on"} if tokens else {}),
            **({"DATABASE_CERTIFICATE": authority} if authority else {}),
        },
        permissions=(allow("ReadAdministrator", [secretsmanager.GetSecretValue], [secret]),),
        after=(attachment.title, *server.answers_with),
        as_rate=tokens,
    )
    add_rotation(stack, rotation)
