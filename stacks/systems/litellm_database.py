"""
How LiteLLM's containers are told of the database, with a password or with tokens of IAM's. Pure.

With tokens LiteLLM makes one at its start and another before it runs out, by the task's role; it takes the
region from Fargate (LiteLLM 1.93, litellm/proxy/proxy_cli.py, db/prisma_client.py, auth/rds_iam_token.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.application import Export, FromSecret, Injected, Value
from stacks.settings import Settings

NAME = "litellm"
"""The database and its administrator; a snapshot of an earlier environment holds both under this name too."""

POSTGRES = 5432
LOGIN: Mapping[str, Injected] = {
    f"DATABASE_{key.upper()}": FromSecret(Export("database", "DbSecretArn"), key)
    for key in ("username", "password")
}
"""
What the migration always logs in with: a token is for 15 minutes of new connections, and a migration may need
longer; and in the run that switches tokens on it may come before the role that they are for.
"""


def place(settings: Settings) -> Mapping[str, Value]:
    """
    Return where the database is.

    LiteLLM puts host and name into its URL as they are, and no port (LiteLLM 1.93, litellm/proxy/utils.py,
    construct_database_url_from_env_vars): one that is not PostgreSQL's own stands behind the host.
    """
    there = settings.database.existing
    elsewhere = there is not None and there.port != POSTGRES
    host = f"{there.host}:{there.port}" if there and elsewhere else Export("database", "DbEndpoint")
    return {"DATABASE_HOST": host, "DATABASE_NAME": Export("database", "DbName")}


def variables(settings: Settings) -> Mapping[str, Value]:
    """Return where the database is, and with tokens as whom to log in; LiteLLM makes the URL."""
    if not settings.database.iam_authentication:
        return place(settings)
    # The same name as `stacks.database.access.token_user` returns; that module knows CloudFormation.
    tokens = {"DATABASE_USER": f"{NAME}_iam", "IAM_TOKEN_DB_AUTH": "True"}
    return {**place(settings), "DATABASE_PORT": Export("database", "DbPort"), **tokens}


def injected(settings: Settings) -> Mapping[str, Injected]:
    """Return the password and whose it is; nothing with tokens."""
    return {} if settings.database.iam_authentication else LOGIN
