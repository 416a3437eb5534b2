"""
The database settings of LiteLLM's containers, with a password or with IAM tokens. Pure.

Prisma reads the CA certificate of the database from a file, and no image has RDS's: the containers write it
when they start, to the folder that they may write to. LiteLLM verifies chain and name where
DATABASE_SSLROOTCERT is set, in every process, also with new tokens (LiteLLM 1.108.7,
litellm/proxy/db/db_url_settings.py; Prisma docs, "PostgreSQL connector", sslcert and sslaccept; read
2026-11-28). No test connects to PostgreSQL: PyPI does not have Prisma's engines.

With IAM, LiteLLM generates a token when it starts and another before it expires, with the task's role; it
takes the region from Fargate (LiteLLM 1.93, litellm/proxy/proxy_cli.py, db/prisma_client.py,
auth/rds_iam_token.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stacks.application import Export, FromSecret, Injected, Value
from stacks.authorities import CERTIFICATE, CONTAINER_FILE, starting
from stacks.checking import limits
from stacks.checking.releases.advisory import Release, Releases
from stacks.settings import Settings

NAME = "litellm"
"""The database and its administrator; a snapshot of an earlier environment holds both under this name too."""

START: Final = ("docker/prod_entrypoint.sh",)
"""LiteLLM's own entry point, in the folder that its image starts in (docker/Dockerfile.database)."""
MIGRATION: Final = ("python", "litellm/proxy/prisma_migration.py")

VERIFIES_FROM: Final = "1.102.0"
"""First release that reads DATABASE_SSLROOTCERT; an older one ignores it, and verifies nothing."""
CERTIFICATE_FILE: Final = "DATABASE_SSLROOTCERT"
"""LiteLLM's variable for the file's path."""

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
    construct_database_url_from_env_vars): another than PostgreSQL's default is appended to the host.
    """
    there = settings.database.existing
    elsewhere = there is not None and there.port != POSTGRES
    host = f"{there.host}:{there.port}" if there and elsewhere else Export("database", "DbEndpoint")
    there_is = {"DATABASE_HOST": host, "DATABASE_NAME": Export("database", "DbName")}
    authority = _authority(settings)
    if authority is None:
        return there_is
    return {**there_is, CERTIFICATE: authority, CERTIFICATE_FILE: CONTAINER_FILE}


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


def started(settings: Settings, program: tuple[str, ...], *, own: bool = False) -> tuple[str, ...]:
    """Return the entry point that runs *program*; empty if the image's *own* suffices."""
    if _authority(settings) is None:
        return () if own else program
    return starting(CERTIFICATE_FILE, program)


def advice(settings: Settings) -> Iterator[str]:
    """Warn of a release that verifies nothing, although the file asks for it."""
    database = settings.database
    if database.authority(settings.region) and not _verifies(settings):
        yield (
            f"database.verify_certificate: LiteLLM verifies from v{VERIFIES_FROM} on, so tasks of "
            f"{settings.service.image_tag} do not; the rotation does"
        )


def _authority(settings: Settings) -> str | None:
    return settings.database.authority(settings.region) if _verifies(settings) else None


def _verifies(settings: Settings) -> bool:
    """Whether the release verifies; an unknown one is assumed to."""
    service, first = settings.service, Release.of(VERIFIES_FROM)
    named = Releases(limits.LITELLM_IMAGES, ()).named_by(service.image, service.image_tag)
    return named is None or first is None or named >= first
