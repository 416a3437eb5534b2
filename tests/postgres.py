"""
A throwaway PostgreSQL server on a loopback port, and databases in it as RDS hands them over.

It never runs as root (PostgreSQL refuses that), writes nothing for safety's sake, and is gone when the tests
are, however they end: a small process waits for the end of a pipe. Whose programs it is made of says
`postgres_programs.py`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from pg8000 import core, native

from tests.postgres_programs import NoServerError, certificate, environment, programs

SUPERUSER, DATABASE = "cluster", "litellm"
ADMINISTRATOR = "administratorsPassword1"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
log_connections = on
log_statement = all
"""
TAKE_TOKENS = """
cp data/pg_hba.conf hba
{ for one; do echo "hostssl all $one all scram-sha-256"; done
  echo 'hostssl all +rds_iam all trust'; cat hba; } > data/pg_hba.conf
"""
"""Shell script: first the administrators, who grant rds_iam and are no members of it."""
CLEAN_UP = 'cat; "$1" stop -m immediate -D "$2/data"; rm -rf "$2"'
"""For sh: wait for the end of the standard input first."""


def _send_at_once(make_socket: Callable[..., socket.socket]) -> Callable[..., socket.socket]:
    """Let pg8000 send small messages at once: a login waits 40 ms for an acknowledgement otherwise."""

    def make(*arguments: Any) -> socket.socket:
        made = make_socket(*arguments)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return make


core._make_socket = _send_at_once(core._make_socket)


@cache
def _unverified() -> ssl.SSLContext:
    """Return the context of sslmode=require: encrypted, not verified. Created once, without authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Server:
    """A running server, while the `with` block lasts."""

    def __init__(self, asked: Path | None = None) -> None:
        self.programs = programs(asked)
        self._folder = Path(tempfile.mkdtemp(prefix="gatestack-postgres-"))
        self._password = os.urandom(16).hex()
        self._administrators: list[str] = []
        self._watch: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.certificate = ""
        """Its certificate (PEM), created at its start: self-signed, for 127.0.0.1."""

    def __enter__(self) -> Server:
        try:
            self._ours()
            self._watch = self._watching()
            self._initialise()
            self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", f"-p {self.port}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def log(self) -> str:
        """The server's whole log."""
        return (self._folder / "log").read_text()

    def superuser(self, database: str = "postgres") -> native.Connection:
        """Log in as the owner of the cluster: on RDS that is AWS."""
        return native.Connection(
            SUPERUSER,
            host="127.0.0.1",
            port=self.port,
            database=database,
            password=self._password,
            ssl_context=False,
            startup_params={"log_statement": "none"},
        )

    def database(self, *, password: str = ADMINISTRATOR) -> Database:
        """
        Make a database and its administrator as RDS makes them: CREATEROLE and CREATEDB, no superuser.

        The name is another one each time: roles belong to the whole server.
        """
        name = f"{DATABASE}{len(self._administrators) + 1}"
        self._administrators.append(name)
        connection = self.superuser()
        connection.run(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD {native.literal(password)}")
        copied = "STRATEGY file_copy" if _is(connection, 15) else ""  # the cheaper one; the only one before
        connection.run(f"CREATE DATABASE {name} OWNER {name} {copied}")
        connection.close()
        return Database(self, name, password)

    @contextmanager
    def without_tls(self) -> Iterator[None]:
        """Accept new connections only without TLS, while the block lasts."""
        self._set_tls("off")
        try:
            yield
        finally:
            self._set_tls("on")

    @contextmanager
    def taking_tokens(self) -> Iterator[None]:
        """
        Have RDS's role rds_iam; take anything for a token from its members and theirs, and nothing else.

        RDS's line is ``hostssl all +rds_iam all pam``; here it trusts, where it would ask IAM. The parameter
        shows when the server has read it. RDS lets its administrators grant the role without being members;
        PostgreSQL itself does so up to 15, and from 16 on wants them to have its ADMIN OPTION.
        """
        connection = self.superuser()
        connection.run("CREATE ROLE rds_iam NOLOGIN")
        if _is(connection, 16):
            for name in self._administrators:
                connection.run(f"GRANT rds_iam TO {name} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        self._run_any("sh", "-c", TAKE_TOKENS, "sh", *self._administrators)
        self._set("log_disconnections", "on")
        try:
            yield
        finally:
            self._run_any("mv", "hba", "data/pg_hba.conf")
            self._set("log_disconnections", "off")
            connection.run("DROP ROLE rds_iam")
            connection.close()

    def _set_tls(self, wanted: str) -> None:
        self._set("ssl", wanted)

    def _set(self, parameter: str, wanted: str) -> None:
        connection = self.superuser()
        connection.run(f"ALTER SYSTEM SET {parameter} = '{wanted}'")
        connection.run("SELECT pg_reload_conf()")
        connection.close()
        for _ in range(1000):  # the reload is a signal, which the server handles later
            connection = self.superuser()
            shown = connection.run(f"SELECT current_setting('{parameter}', true)")
            connection.close()
            if shown == [[wanted]]:
                return
        raise NoServerError(f"the server does not set {parameter} to {wanted}")

    def _ours(self) -> None:
        """Give the folder to the server's user, and a copy of the programs if it cannot reach them."""
        self._user = _unprivileged() if os.geteuid() == 0 else None
        if self._user is None:
            return
        self._give(self._folder)
        try:
            subprocess.run(
                [self.programs / "initdb", "--version"],
                cwd="/",
                stdout=subprocess.DEVNULL,
                check=True,
                **self._identity(),
            )
        except PermissionError:  # a clone in root's home
            copy = shutil.copytree(self.programs.parent, self._folder / "server", symlinks=True)
            for one in (copy, *copy.rglob("*")):
                self._give(one)
            self.programs = copy / "bin"

    def _give(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def _watching(self) -> subprocess.Popen[bytes]:
        """Start the clean-up process, which runs once the other end of its standard input is closed."""
        return subprocess.Popen(
            ["sh", "-c", CLEAN_UP, "sh", str(self.programs / "pg_ctl"), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests, not for this process
            cwd="/",
            **self._identity(),
        )

    def _initialise(self) -> None:
        self._write("password", self._password)
        options = ["-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", "password", "-E", "UTF8", "--locale=C"]
        self._run("initdb", "-D", "data", *options, "--no-sync")
        self.certificate, key = certificate()
        self._write("data/server.crt", self.certificate)
        self._write("data/server.key", key)
        with (self._folder / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)

    def _write(self, name: str, text: str) -> None:
        """Write a file that only the server's user can read."""
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        self._give(path)

    def _run(self, program: str, *arguments: str) -> None:
        self._run_any(str(self.programs / program), *arguments)

    def _run_any(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # pg_ctl's child keeps it open
            stderr=(self._folder / "errors").open("wb"),
            check=False,
            **self._identity(),
        )
        if done.returncode:
            said = (self._folder / "errors").read_text() + self._said()
            raise NoServerError(f"{command[0]} ended with {done.returncode}: {said}")

    def _said(self) -> str:
        return self.log if (self._folder / "log").exists() else ""

    def _identity(self) -> dict[str, Any]:
        named = {"env": environment(self.programs)}
        if self._user is None:
            return named
        return named | {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _end(self) -> None:
        if self._watch is not None:
            self._watch.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)


def _is(connection: native.Connection, major: int) -> bool:
    """Whether the server is of *major* or a later one."""
    return int(connection.run("SHOW server_version_num")[0][0]) >= major * 10_000


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoServerError("there is no user postgres and none nobody to run the server as")


@dataclass(frozen=True)
class Database:
    """One database with its administrator, who has the database's name."""

    server: Server
    name: str
    password: str = field(repr=False)

    @property
    def login(self) -> dict[str, Any]:
        """The initial login in the database stack's secret."""
        where = f"127.0.0.1:{self.server.port}/{self.name}"
        return {
            "engine": "postgres",
            "host": "127.0.0.1",
            "port": self.server.port,
            "dbname": self.name,
            "username": self.name,
            "password": self.password,
            "DATABASE_URL": f"postgresql://{self.name}:{self.password}@{where}?sslmode=require",
        }

    def superuser(self) -> native.Connection:
        """Log in as a superuser, which is not possible on RDS."""
        return self.server.superuser(self.name)

    def ask(self, sql: str) -> list[Any]:
        """Return the rows of a query that only a superuser can run."""
        connection = self.superuser()
        try:
            return connection.run(sql) or []
        finally:
            connection.close()


def log_in(url: str) -> native.Connection:
    """Log in as a program that has only DATABASE_URL."""
    parts = urlsplit(url)
    assert parts.query == "sslmode=require"
    return native.Connection(
        unquote(parts.username or ""),
        host=parts.hostname or "",
        port=parts.port or 0,
        database=unquote(parts.path[1:]),
        password=unquote(parts.password or ""),
        ssl_context=_unverified(),
        timeout=20,
    )


def works(url: str) -> bool:
    """Whether a program started with *url* can log in."""
    try:
        log_in(url).close()
    except (native.DatabaseError, native.InterfaceError):
        return False
    return True


def run(url: str, *statements: str) -> list[Any]:
    """Log in with *url*, run *statements*, and return the rows of each."""
    connection = log_in(url)
    try:
        return [connection.run(statement) for statement in statements]
    finally:
        connection.close()
