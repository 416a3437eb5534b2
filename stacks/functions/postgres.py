"""
The only place that uses the PostgreSQL driver, pg8000: log in, run statements, close.

No result of a statement is read, here or by any caller: what a rotation has to find out the server decides
by itself, in a DO block that raises. Of the driver these names are used: ``pg8000.native.Connection`` (with
``run`` and ``close``), ``identifier``, ``literal``, ``DatabaseError`` and ``InterfaceError``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pg8000 import native

from stacks.functions.errors import RotationError

SOCKET_SECONDS = 20
"""For a connection, and for each answer: a step that hangs ends well within Lambda's time limit."""
STATEMENT_MILLISECONDS = 15_000
LOCK_MILLISECONDS = 5_000
"""A statement that waits for a table's lock makes later readers wait: give up, the step will be repeated."""


class UnreachableError(RotationError):
    """The server does not answer, answers without TLS, or the connection broke."""


class RefusedError(RotationError):
    """The server refuses a login or a statement."""


@dataclass(frozen=True)
class Login:
    """How to log in."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def by(self, user: str, password: str | None = None) -> Login:
        """Return the login of another user to the same database."""
        return replace(self, user=user, password=self.password if password is None else password)


class Connection(Protocol):
    """What the rotation needs of a connection."""

    def run(self, sql: str) -> None:
        """Run one statement; raises RefusedError and UnreachableError."""

    def close(self) -> None:
        """End it; an open transaction is rolled back. Raises nothing."""


class Connect(Protocol):
    """Opens connections; tests count and cut them."""

    def __call__(self, login: Login, *, tls: bool, authority: str, lock_milliseconds: int) -> Connection:
        """Log in; raises RefusedError and UnreachableError."""


def connect(
    login: Login, *, tls: bool = True, authority: str = "", lock_milliseconds: int = LOCK_MILLISECONDS
) -> Connection:
    """
    Log in; without *tls* only where the server has none, without *authority* (PEM) whoever the server is.

    Raises:
        UnreachableError: no server, one that refuses TLS, or one that *authority* does not vouch for.
        RefusedError: it does not take the login.

    """
    limits = {"statement_timeout": str(STATEMENT_MILLISECONDS), "lock_timeout": str(lock_milliseconds)}
    try:
        driver = native.Connection(
            login.user,
            host=login.host,
            port=login.port,
            database=login.database,
            password=login.password,
            ssl_context=_encrypted(authority) if tls else False,
            timeout=SOCKET_SECONDS,
            application_name="gatestack rotation",
            startup_params=limits,
        )
    except native.DatabaseError as error:
        raise _refused(error, f"login as {login.user}") from None
    except ssl.SSLCertVerificationError as error:
        raise UnreachableError(
            f"{login.host}:{login.port}: its certificate is not verified ({error.verify_message}): find "
            "out who answers there; database.verify_certificate in the environment file asks for it"
        ) from None
    except (native.InterfaceError, OSError) as error:
        why = "it refuses TLS" if "refuses SSL" in str(error) else "no answer"
        raise UnreachableError(
            f"{login.host}:{login.port}: {why}: look at the database and its security group"
        ) from None
    return _Open(driver)


def run_all(connection: Connection, statements: Iterable[str]) -> None:
    """Run *statements* in one transaction: all of them take effect, or none."""
    connection.run("BEGIN")
    for statement in statements:
        connection.run(statement)
    connection.run("COMMIT")


def name(text: str) -> str:
    """Return *text* as SQL's name of something, quoted."""
    return str(native.identifier(text))


def quoted(text: str) -> str:
    """Return *text* as an SQL string; backslashes are plain characters (standard_conforming_strings)."""
    return str(native.literal(text))


def block(body: str) -> str:
    """Return *body*, PL/pgSQL from BEGIN or DECLARE on, as one statement; quoted, whatever it holds."""
    return f"DO {quoted(body)}"


class _Open:
    """A connection of pg8000's with our errors."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def run(self, sql: str) -> None:
        try:
            self._driver.run(sql)
        except native.DatabaseError as error:
            # Only its first words: the rest may hold a verifier.
            raise _refused(error, " ".join(sql.split()[:2])) from None
        except (native.InterfaceError, OSError):
            raise UnreachableError(
                "the connection to the database broke: the step will be repeated"
            ) from None

    def close(self) -> None:
        try:
            self._driver.close()
        except (native.InterfaceError, OSError):
            return


def _encrypted(authority: str) -> ssl.SSLContext:
    """
    Return TLS with a server that *authority* (PEM) vouches for by its name; empty: with whoever is there.

    Not verified, it still is inside the VPC, between two security groups, and SCRAM proves to each side,
    bound to this TLS connection, that the other knows the password: somebody in the middle learns nothing to
    log in with. RDS's authorities are not in Lambda's trust store.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        context.load_verify_locations(cadata=authority)
        return context
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _refused(error: Exception, what: str) -> RefusedError:
    """Keep code and message; the fields "internal query" and "context" may repeat a statement."""
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return RefusedError(
        f"the database refuses the {what}: {fields.get('M', 'no reason given')} ({fields.get('C', '?')})"
    )
