"""
Rotates the database's login: two roles take turns, so a running task's login works until the next rotation.

Any error leaves the current login as it is: what is changed belongs to the role whose turn comes next. Speaks
SQL through `postgres` only, AWS through the clients it is given.
"""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stacks.functions import aws, logins, postgres
from stacks.functions.errors import RotationError
from stacks.functions.postgres import Connect, Connection, Login
from stacks.functions.rotation import Say, rotate
from stacks.functions.scram import verifier
from stacks.functions.service import Service
from stacks.functions.versions import Value, current_value

PASSWORD_LENGTH = 40
ALPHABET = string.ascii_letters + string.digits
"""238 bits. Any printable ASCII would work; people paste this into shells and URLs."""


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Take one step, as Lambda; see `step`."""
    step(event, aws.client, os.environ)


def new_password() -> str:
    """Return a password that nobody had before."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH))


def step(
    event: Mapping[str, Any],
    client: Callable[[str], Any],
    environment: Mapping[str, str],
    *,
    connect: Connect = postgres.connect,
    password: Callable[[], str] = new_password,
    lock_milliseconds: int = postgres.LOCK_MILLISECONDS,
    say: Say = aws.say,
) -> None:
    """
    Take the step that *event* names.

    *environment*: ADMINISTRATOR_SECRET_ARN, CLUSTER and SERVICE; IAM_LOGIN=on where tasks log in with tokens;
    DATABASE_TLS=off for a server without TLS; DATABASE_CERTIFICATE (PEM), whose authority's certificate the
    server has to show for its name; left out: any certificate.
    Raises RotationError.
    """
    client_of_secrets = client("secretsmanager")
    subject = DatabaseLogin(
        secrets=client_of_secrets,
        administrator_arn=environment["ADMINISTRATOR_SECRET_ARN"],
        service=Service(client("ecs"), environment["CLUSTER"], environment["SERVICE"]),
        connect=connect,
        password=password,
        tls=environment.get("DATABASE_TLS") != "off",
        authority=environment.get("DATABASE_CERTIFICATE", ""),
        tokens=environment.get("IAM_LOGIN") == "on",
        lock_milliseconds=lock_milliseconds,
    )
    rotate(event, client_of_secrets, subject, say)


@dataclass(frozen=True)
class DatabaseLogin:
    """The subject of the rotation: a secret with host, port, dbname, username, password and DATABASE_URL."""

    secrets: Any
    administrator_arn: str
    service: Service
    connect: Connect
    password: Callable[[], str]
    tls: bool
    authority: str
    """Certificate of the authority that the server's is verified by (PEM); empty: none is."""
    tokens: bool
    """Whether the role that logs in with IAM's tokens is made too."""
    lock_milliseconds: int

    def next_value(self, current: Value) -> Value:
        """Return the other role's login with a new password."""
        roles, _ = self._administration(current)
        user, password = roles.after(_text(current, "username")), self.password()
        login = _login(current).by(user, password)
        return current | {"username": user, "password": password, "DATABASE_URL": url(login, current)}

    def put_in_place(self, current: Value, pending: Value, token: str) -> None:  # noqa: ARG002 - the versions' own
        """Give the new password to the trial role, and what the administrator made to the owner."""
        roles, administrator = self._administration(current)
        login = _next_login(roles, current, pending)
        made = verifier(login.password)
        statements = logins.put_in_place(roles, login.user, login.database, made)
        if self.tokens:
            statements += logins.tokens(roles, login.database)
        with self._connected(administrator) as connection:
            postgres.run_all(connection, statements)

    def check(self, current: Value, pending: Value) -> None:
        """Log in with the new password and do what a migration does."""
        if _login(pending) == _login(current):
            with self._connected(_login(pending)):
                return
        roles, _ = self._administration(current)
        login = _next_login(roles, current, pending)
        with self._connected(login.by(roles.trial(login.user))) as connection:
            connection.run(logins.is_owner(roles))
            connection.run("BEGIN")
            for statement in logins.migrates():
                connection.run(statement)
            connection.run("ROLLBACK")

    def take_over(self, current: Value, pending: Value) -> None:
        """Give the new password to the role itself, and log in with it before anybody else has to."""
        roles, administrator = self._administration(current)
        login = _next_login(roles, current, pending)
        statements = logins.take_over(roles, login.user, verifier(login.password))
        with self._connected(administrator) as connection:
            postgres.run_all(connection, statements)
        with self._connected(login) as connection:
            connection.run(logins.is_owner(roles))

    def roll(self) -> None:
        """Start new tasks: the old ones can log in until the next rotation ends."""
        self.service.roll()

    def _administration(self, current: Value) -> tuple[logins.Roles, Login]:
        """Where the database is stands in the login's secret: the administrator's may not have it yet."""
        value = current_value(self.secrets, self.administrator_arn)
        user = _text(value, "username")
        return logins.Roles(user), _login(current).by(user, _text(value, "password"))

    @contextmanager
    def _connected(self, login: Login) -> Iterator[Connection]:
        connection = self.connect(
            login, tls=self.tls, authority=self.authority, lock_milliseconds=self.lock_milliseconds
        )
        try:
            yield connection
        finally:
            connection.close()


def url(login: Login, current: Value) -> str:
    """Return the login as a URL with the options of the current one; TLS is asked for if that has none."""
    _, mark, options = str(current.get("DATABASE_URL", "")).rpartition("?")
    user, password, database = (quote(part, safe="") for part in (login.user, login.password, login.database))
    options = options if mark else "sslmode=require"
    return f"postgresql://{user}:{password}@{login.host}:{login.port}/{database}?{options}"


def _next_login(roles: logins.Roles, current: Value, pending: Value) -> Login:
    """
    Return what *pending* logs in with.

    Raises:
        RotationError: it is not the turn of that role: it is the current one, or none of ours. That happens
            when somebody changed the secret between two steps; another rotation begins with what is there.

    """
    login = _login(pending)
    where = _login(current).by(login.user, login.password)
    if (
        login.user not in {roles.first, roles.second}
        or login.user == current.get("username")
        or login != where
    ):
        raise RotationError("the secret changed during the rotation: start another one")
    return login


def _login(value: Value) -> Login:
    host, user, password, database = (
        _text(value, name) for name in ("host", "username", "password", "dbname")
    )
    try:
        port = int(value["port"])
    except (KeyError, TypeError, ValueError):
        raise RotationError("the secret has no port: put a right value in, then rotate") from None
    return Login(host=host, port=port, database=database, user=user, password=password)


def _text(value: Value, name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise RotationError(f"the secret has no {name}: put a right value in, then rotate")
    return text
