"""The database stack: PostgreSQL, the tasks' login and its rotation, the migration; optionally Redis."""

from __future__ import annotations

from troposphere import Ref

from stacks.database import aurora, instance
from stacks.database.access import allow_tokens
from stacks.database.alarms import add_alarms
from stacks.database.login import add_login, attach_administrator, rotate
from stacks.parts import migration
from stacks.settings import Settings
from stacks.wiring import Stack


def build(settings: Settings) -> Stack:
    """Return the stack with the tasks' data; it is empty if they need none."""
    stack = Stack(settings, "database", "PostgreSQL, its login and the login's rotation, migration, alarms")
    if settings.database.exists:
        _database(stack)
    elif settings.database.used:
        migration.add(stack)
    if settings.cache.exists:
        from stacks.database import cache  # noqa: PLC0415 - troposphere's ElastiCache is slow to load

        cache.add(stack)
    return stack


def _database(stack: Stack) -> None:
    server = aurora.add(stack) if stack.settings.database.aurora else instance.add(stack)
    login = add_login(stack, server)
    attachment = attach_administrator(stack, server)
    rotate(stack, server, login, attachment)
    allow_tokens(stack, server)
    stack.export("DbEndpoint", server.host, "Host name of the database")
    stack.export("DbPort", server.port, "Port of the database")
    stack.export("DbName", stack.application.database, "Name of the database")
    stack.export(
        "DbSecretArn", Ref(login), "Secret that the proxy logs in with; DATABASE_URL in it is for people"
    )
    migration.add(stack)
    add_alarms(stack, server)
