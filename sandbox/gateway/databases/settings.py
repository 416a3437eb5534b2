"""
Configuration of a server: the sandbox's own settings, and parameters of a group that apply to PostgreSQL.

Pure. ``rds.force_ssl`` decides who may log in without TLS; it is on by default from PostgreSQL 15 on (Amazon
RDS User Guide, "Requiring an SSL connection to a PostgreSQL DB instance"). A parameter of a group that the
server does not know is left out, with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SUPERUSER = "rdsadmin"
"""AWS's own role on RDS; nobody else logs in as it."""
FORCE_TLS, TLS_SINCE = "rds.force_ssl", 15
MARK = "sandbox.applied"
"""A parameter of our own: it shows sessions which configuration the server has read."""
MOST_CONNECTIONS = 100
SHARED_BUFFERS = "16MB"

_OWN = {
    "unix_socket_directories": "''",
    "ssl": "on",
    "ssl_cert_file": "'server.crt'",
    "ssl_key_file": "'server.key'",
    "shared_buffers": SHARED_BUFFERS,
    "huge_pages": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "replica",
    "max_wal_senders": "2",
    "max_wal_size": "64MB",
    "min_wal_size": "5MB",
    "max_replication_slots": "2",
    "logging_collector": "off",
}
"""Parameters that no group changes: the server's address, its memory, and the needs of a copy."""
_FIRST = {
    "max_connections": str(MOST_CONNECTIONS),
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "password_encryption": "'scram-sha-256'",
    "log_line_prefix": "'%t:%r:%u@%d:[%p]:'",
}
"""
Defaults that a group may change; the prefix is RDS's (User Guide, "RDS for PostgreSQL database log files").
"""
_ADDRESS = ("listen_addresses", "port")
_PLACES = (
    "data_directory",
    "config_file",
    "hba_file",
    "ident_file",
    "external_pid_file",
    "log_directory",
    "log_filename",
)
_ARCHIVE = ("archive_mode", "archive_command", "archive_library", "restore_command")
_THIS_MACHINE = frozenset((*_OWN, *_ADDRESS, *_PLACES, *_ARCHIVE))


@dataclass(frozen=True)
class Parameters:
    """
    A checked parameter group: the server's parameters, the reasons for others, and whether TLS is required.
    """

    given: Mapping[str, str]
    left_out: Mapping[str, str]
    force_tls: bool


def judged(group: Mapping[str, str], known: frozenset[str], major: int) -> Parameters:
    """Return the parameters of *group* for a server with the parameters *known*."""
    left_out = {name: reason for name, value in group.items() if (reason := _reason(name, value, known))}
    given = {name: value for name, value in group.items() if name not in left_out and name != FORCE_TLS}
    return Parameters(given, left_out, _forces(group.get(FORCE_TLS), major))


def configuration(address: str, port: int, times: int) -> str:
    """Return postgresql.conf of a server with that address; *times*: how often it was written."""
    lines = {"listen_addresses": f"'{address}'", "port": str(port), **_FIRST, **_OWN, MARK: str(times)}
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def access(*, force_tls: bool) -> str:
    """Return pg_hba.conf: passwords only; this machine only."""
    kind = "hostssl" if force_tls else "host"
    lines = [
        f"host all {SUPERUSER} 127.0.0.0/8 scram-sha-256",
        f"host replication {SUPERUSER} 127.0.0.0/8 scram-sha-256",
        f"{kind} all all 127.0.0.0/8 scram-sha-256",
    ]
    return "\n".join(lines) + "\n"


def _forces(said: str | None, major: int) -> bool:
    return major >= TLS_SINCE if said is None else said in ("1", "on", "true")


def _reason(name: str, value: str, known: frozenset[str]) -> str:
    if name == FORCE_TLS:
        return ""
    if name in _THIS_MACHINE:
        return "the sandbox's own"
    if name not in known:
        return "RDS's own" if name.startswith(("rds.", "aurora_", "apg_")) else "not known to this PostgreSQL"
    if "{" in value or "(" in value:
        return "a formula of the instance class"
    return ""
