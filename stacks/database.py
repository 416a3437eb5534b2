"""The database stack: PostgreSQL on RDS, the login that tasks use and its rotation, the migration, alarms."""

from __future__ import annotations

from troposphere import Ref

from stacks.parts import aurora, cache, migration, postgres_instance
from stacks.parts.database_alarms import add_alarms
from stacks.parts.database_login import add_login, attach_administrator, rotate
from stacks.parts.database_server import NAME
from stacks.parts.task import Login
from stacks.settings import Settings
from stacks.wiring import Stack


def build(settings: Settings) -> Stack:
    """Return the stack that holds the database and what describes how to reach it."""
    stack = Stack(settings, "database", "PostgreSQL, its login and the login's rotation, migration, alarms")
    server = aurora.add(stack) if settings.database.aurora else postgres_instance.add(stack)
    login = add_login(stack, server)
    attachment = attach_administrator(stack, server)
    rotate(stack, login, attachment)
    migration.add(stack, Login(server.host, NAME, Ref(login)))
    add_alarms(stack, server)
    cache.add(stack)
    stack.export("DbEndpoint", server.host, "Host name of the database")
    stack.export("DbPort", server.port, "Port of the database")
    stack.export("DbName", NAME, "Name of the database")
    stack.export(
        "DbSecretArn", Ref(login), "Secret that the proxy logs in with; DATABASE_URL in it is for people"
    )
    return stack
