"""Requirements and costs of logging in to the database with IAM tokens. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.checking.problems import Finding
from stacks.settings import Settings

KEY = "database.iam_authentication"

OTHER_SIGNERS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_PROFILE_NAME",
        "AWS_ROLE_ARN",
        "AWS_ROLE_NAME",
        "AWS_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)
"""Variables that make another identity than the task's role sign a token; only that role may log in."""

OTHER_REGIONS = frozenset({"AWS_REGION", "AWS_REGION_NAME"})
"""Variables that would make the token one for another region's database."""


def access_findings(settings: Settings, *, supported: bool) -> Iterator[Finding]:
    """Yield what prevents tokens; *supported*: whether the system's program can create them."""
    if not settings.database.iam_authentication:
        return
    if not settings.database.exists:
        yield Finding(
            KEY,
            "there is no database of our own to log in to; false",
            ("database.engine", "database.existing"),
        )
        return
    if not supported:
        message = f"{settings.system} logs in with a password only; false"
        yield Finding(KEY, message, ("system",))
        return
    yield from _signed_by_others(settings)


def _signed_by_others(settings: Settings) -> Iterator[Finding]:
    """LiteLLM 1.93, litellm/proxy/auth/rds_iam_token.py; its file sets variables too."""
    why = "the token for the database would not be signed by the task's role; remove it, or {}: false"
    written = settings.service.config.get("environment_variables")
    for name in settings.service.environment:
        if name in OTHER_SIGNERS:
            yield Finding("service.environment", why.format(KEY), (KEY,), (name,))
    for name, value in written.items() if isinstance(written, Mapping) else ():
        elsewhere = name in OTHER_REGIONS and value != settings.region
        if name in OTHER_SIGNERS or elsewhere:
            below = ("environment_variables", name)
            yield Finding("service.config", why.format(KEY), (KEY, "region"), below)


def access_advice(settings: Settings) -> Iterator[str]:
    """
    Yield what should be known about tokens.

    Sources: Amazon RDS User Guide, "Limitations for IAM database authentication", on memory; LiteLLM 1.93,
    litellm/proxy/db/prisma_client.py: the URL with the next token has none of the first one's options.
    """
    database = settings.database
    if not database.iam_authentication:
        return
    if not database.aurora and database.instance_class.endswith(".micro"):
        yield (
            f"{KEY}: it takes 300 to 1000 MiB of the database's memory, and {database.instance_class} has "
            "1 GiB for everything: logins may time out; db.t4g.small or larger"
        )
    if database.aurora and database.min_acu < 1:
        yield (
            f"{KEY}: it takes 300 to 1000 MiB of the database's memory, and min_acu {database.min_acu:g} has "
            "little to spare; 1 or more"
        )
    yield (
        f"{KEY}: LiteLLM forgets database_connection_pool_limit with the first new token, after 12 minutes; "
        "a worker then opens up to twice its processors' cores and one more"
    )
