"""Secrets that an option creates in every system: the database's, the cache's. Data only."""

from __future__ import annotations

from stacks.application import PLACEHOLDER, Application, Generated, OwnSecret, Written

LOGIN = "database-login"
"""What the tasks log in to the database with; of the database stack, since it holds the host."""

LOGIN_KEYS = ("engine", "host", "port", "dbname", "username", "password", "DATABASE_URL")
ATTACHED_KEYS = ("engine", "host", "port")
"""What Secrets Manager adds to the administrator's secret once the database is there."""

CACHE = OwnSecret(
    "cache",
    "Password of Redis",
    # 16 to 128 characters, hardly any punctuation: ElastiCache User Guide, "Authenticating with AUTH".
    Generated("REDIS_PASSWORD", 64),
    not_by_hand="Redis would not know the new one",
    not_rotated="an update of the cache sets it: another one would lock out every task that runs",
)


def administrator(application: Application) -> OwnSecret:
    """Return the login that the database is made with, named after the database itself."""
    return OwnSecret(
        "database",
        "Administrator of the database",
        Generated("password", 32, {"username": application.database or ""}),
        reader="nobody",
        kept=True,
        not_by_hand=(
            "RDS would keep the old password, and rotations, which log in with this one, would fail; "
            "for another login of the tasks use `gatestack rotate {env} database`"
        ),
        not_rotated="it makes the tasks' logins: rotate database changes those",
    )


VARIABLES = "variables"
"""Below it, and below nothing else, stand the secrets of variables that people put in."""


def put_in(variable: str) -> OwnSecret:
    """
    Return the secret that holds nothing but *variable* of the tasks, which a person puts in.

    One for each variable: no other one is a property of it, so none that comes or goes touches its value.
    """
    return OwnSecret(
        f"{VARIABLES}/{variable}",
        f"{variable} of the tasks, put in by hand",
        Written({variable: PLACEHOLDER}),
        not_rotated=f"whoever issued it makes another one: `gatestack secret set {{env}} {variable}`",
    )


OIDC_CLIENT = OwnSecret(
    "alb/ALB_OIDC_CLIENT_SECRET",
    "By which the identity provider knows the load balancer, put in by hand",
    Written({"ALB_OIDC_CLIENT_SECRET": PLACEHOLDER}),
    reader="nobody",
    applied_by="deploy",
    not_rotated=(
        "the identity provider makes another one: `gatestack secret set {env} ALB_OIDC_CLIENT_SECRET`, then "
        "`gatestack deploy {env}`"
    ),
)
"""Of `alb.oidc`: CloudFormation reads it as it makes the listener's rules, no task does."""


def seed_of(secret: str) -> str:
    """Return the name of the secret that *secret*'s first value is made of."""
    return f"{secret}-seed"
