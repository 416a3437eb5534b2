"""One PostgreSQL server: its folder, its address, and its superuser's statements."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pg8000 import native

from sandbox.gateway.databases import settings
from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.databases.owner import Owner
from sandbox.gateway.databases.programs import Programs
from sandbox.gateway.databases.settings import SUPERUSER, Parameters

_QUIET = {"log_statement": "none", "log_min_error_statement": "panic", "log_min_duration_statement": "-1"}
"""Options of the superuser's sessions: their statements may hold a password."""
_SECONDS = 20
"""Time limit of a login and of each response."""
_START_SECONDS = 30
_LOOKS = 1000
_LIBRARIES = "shared_preload_libraries"


@dataclass(frozen=True)
class Site:
    """A server's location, programs and owner."""

    owner: Owner
    programs: Programs
    folder: Path
    address: str
    port: int
    password: str = field(repr=False)
    """The superuser's."""

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs; raises DatabaseError."""
        secret = {"PGPASSWORD": self.password}
        command = [str(self.programs.folder / program), *arguments]
        self.owner.run(command, {**self.programs.environment, **secret})


class Server:
    """A stopped or running server."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.running = False
        self._times = 0
        self.left_out: Mapping[str, str] = {}
        """Parameters of its group that it lacks, and why."""

    @classmethod
    def begun(cls, site: Site, source: Path, certificate: tuple[str, str]) -> Server:
        """Create one with a copy of the data in *source*."""
        site.folder.mkdir(mode=0o700)
        site.owner.give(site.folder)
        site.owner.copy(source, site.data)
        own, key = certificate
        site.owner.write(site.data / "server.crt", own)
        site.owner.write(site.data / "server.key", key)
        site.owner.write(site.data / "postgresql.auto.conf", "")
        site.owner.write(site.data / "pg_hba.conf", settings.access(force_tls=True))
        made = cls(site)
        made._configure()
        return made

    def start(self) -> None:
        """Start it, if it does not run; returns when it accepts logins. Raises DatabaseError."""
        if self.running:
            return
        site, log = self.site, self.site.folder / "log"
        how = ["-s", "-w", "-t", str(_START_SECONDS), "-D", str(site.data), "-l", str(log)]
        try:
            site.run("pg_ctl", "start", *how)
        except DatabaseError as error:
            raise DatabaseError(f"{error} {self.said()}") from error
        self.running = True

    def stop(self) -> None:
        """End its connections and stop it, if it runs."""
        if self.running:
            self.running = False
            self.site.run("pg_ctl", "stop", "-s", "-w", "-m", "fast", "-D", str(self.site.data))

    def restart(self) -> None:
        """Restart it, if it runs: pending parameters are applied."""
        if self.running:
            self.stop()
            self.start()

    def remove(self) -> None:
        """Kill it, and remove its folder."""
        if self.running:
            self.running = False
            with contextlib.suppress(DatabaseError):
                self.site.run("pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", str(self.site.data))
        self.site.owner.remove(self.site.folder)

    def said(self) -> str:
        """Return the end of its log."""
        log = self.site.folder / "log"
        return log.read_text(encoding="utf-8", errors="replace")[-500:] if log.exists() else ""

    def copy(self, target: Path) -> None:
        """Write a copy of its data to the folder *target*, consistent while it runs."""
        site = self.site
        if not self.running:
            site.owner.copy(site.data, target)
            return
        where = ["-h", site.address, "-p", str(site.port), "-U", SUPERUSER, "-D", str(target)]
        site.run("pg_basebackup", *where, "-X", "fetch", "-c", "fast", "--no-sync", "--no-manifest")

    def give_login(self, user: str, password: str, database: str = "") -> None:
        """
        Create *user* and *database* as RDS does, unless they exist; *password* is set in any case.

        RDS's administrator has CREATEROLE and CREATEDB, is a member of rds_superuser, and no superuser
        (Amazon RDS User Guide, "Understanding PostgreSQL roles and permissions").
        """
        name, secret = native.identifier(user), native.literal(password)
        with self._superuser() as run:
            if not run(f"SELECT FROM pg_roles WHERE rolname = {native.literal(user)}"):
                _roles(run)
                run(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB IN ROLE rds_superuser PASSWORD {secret}")
                run(f"ALTER DATABASE postgres OWNER TO {name}")
            run(f"ALTER ROLE {name} PASSWORD {secret}")
            if database and not run(f"SELECT FROM pg_database WHERE datname = {native.literal(database)}"):
                run(f"CREATE DATABASE {native.identifier(database)} OWNER {name}")

    def apply(self, group: Mapping[str, str]) -> bool:
        """
        Set the parameters of *group* that it knows; returns whether one waits for a restart.

        New logins have all others when this returns: a session shows what the server has read, and the server
        then reads the access rules before it accepts another login.
        """
        with self._superuser() as run:
            known = {
                str(name): str(context) for name, context in run("SELECT name, context FROM pg_settings")
            }
            found = settings.judged(group, frozenset(known), self.site.programs.major)
            refused = self._set(run, found)
            self.left_out = {**found.left_out, **refused}
            self.site.owner.write(self.site.data / "pg_hba.conf", settings.access(force_tls=found.force_tls))
            self._times += 1
            self._configure()
            run("SELECT pg_reload_conf()")
            for _ in range(_LOOKS):
                if run(f"SELECT current_setting('{settings.MARK}', true)") == [[str(self._times)]]:
                    break
        return any(known[name] == "postmaster" for name in found.given.keys() - refused.keys())

    def _configure(self) -> None:
        site = self.site
        text = settings.configuration(site.address, site.port, self._times)
        site.owner.write(site.data / "postgresql.conf", text)

    def _set(self, run: Callable[[str], Any], found: Parameters) -> Mapping[str, str]:
        """Set the given parameters; returns what the server refuses, and why."""
        refused: dict[str, str] = {}
        run("ALTER SYSTEM RESET ALL")
        for name, value in found.given.items():
            kept = self._libraries(value) if name == _LIBRARIES else value
            if kept != value:
                refused[name] = f"of {value} it has {kept or 'none'}"
            try:
                run(f"ALTER SYSTEM SET {native.identifier(name)} TO {native.literal(kept)}")
            except native.DatabaseError as error:
                refused[name] = _said(error)
        return refused

    def _libraries(self, wanted: str) -> str:
        """Return which of the libraries *wanted* exist: without one no server starts."""
        roots = [self.site.programs.folder.parent / each for each in ("lib", "lib/postgresql")]
        names = [one.strip() for one in wanted.split(",") if one.strip()]
        return ",".join(one for one in names if any((root / f"{one}.so").exists() for root in roots))

    @contextlib.contextmanager
    def _superuser(self) -> Any:
        """
        Give a function that runs a statement as the superuser; raises DatabaseError, without the statement.
        """
        site = self.site
        try:
            connection = native.Connection(
                SUPERUSER,
                host=site.address,
                port=site.port,
                database="postgres",
                password=site.password,
                ssl_context=False,
                timeout=_SECONDS,
                startup_params=_QUIET,
            )
        except (native.DatabaseError, native.InterfaceError, OSError) as error:
            raise DatabaseError(f"the server at {site.address}:{site.port} takes no login") from error
        try:
            yield connection.run
        except native.DatabaseError as error:
            raise DatabaseError(f"the server refuses: {_said(error)}") from None
        except (native.InterfaceError, OSError) as error:
            raise DatabaseError(f"the connection to {site.address}:{site.port} broke") from error
        finally:
            with contextlib.suppress(native.InterfaceError, OSError):
                connection.close()


def _roles(run: Callable[[str], Any]) -> None:
    """Create the group of RDS's administrators, unless it exists."""
    if not run("SELECT FROM pg_roles WHERE rolname = 'rds_superuser'"):
        run("CREATE ROLE rds_superuser NOLOGIN IN ROLE pg_monitor, pg_signal_backend")


def _said(error: native.DatabaseError) -> str:
    """Return the message alone: other fields may repeat a statement, which may hold a password."""
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(fields.get("M", "no reason given"))
