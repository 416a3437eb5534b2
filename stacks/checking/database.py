"""Consistency of the keys of `database`: version, storage, capacity, parameters, connections. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stacks.checking import limits
from stacks.checking.connections import connection_advice, connection_findings
from stacks.checking.problems import Finding
from stacks.settings import Database, Settings
from stacks.systems import application

BLOCK_KB = 8

MEMORY_PARAMETERS_KB: Mapping[str, int] = {
    "autovacuum_work_mem": 1,
    "effective_cache_size": BLOCK_KB,
    "maintenance_work_mem": 1,
    "shared_buffers": BLOCK_KB,
    "temp_buffers": BLOCK_KB,
    "wal_buffers": BLOCK_KB,
    "work_mem": 1,
}
"""Parameter -> kB of its unit, which is never written with RDS (PostgreSQL docs, pg_settings, "unit")."""

UNITS_KB: Mapping[str, int] = {"kb": 1, "mb": 1024, "gb": 1024**2, "tb": 1024**3}

FORMULA = r"(?s)(.*\{.*\}.*|(LEAST|GREATEST|SUM)\(.*\))"
"""Amazon RDS User Guide, "Specifying DB parameters": {DBInstanceClassMemory/32768}, LEAST(…)."""

MAX_CONNECTIONS = (6, 262_143)
"""Amazon RDS User Guide and Aurora User Guide, max_connections: the range that both take."""

INSIGHTS_ACU = 2
"""Aurora User Guide, "Choosing the minimum Aurora Serverless v2 capacity setting for a cluster"."""


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the keys of `database`, and between them and the tasks."""
    database = settings.database
    if bool(application(settings.system).database) is not database.used:
        message = f"{settings.system} needs a database" if not database.used else "it keeps nothing in one"
        yield Finding("database.engine", f"{message}; leave the key out")
    if database.existing and database.snapshot_identifier:
        message = "a database that is there is made from no snapshot; remove one of them"
        yield Finding("database.snapshot_identifier", message, ("database.existing",))
    if not database.exists:
        return
    if database.insights == "advanced" and not database.performance_insights:
        message = "advanced is made of the counters; add performance_insights: true, or write standard"
        yield Finding("database.insights", message, ("database.performance_insights", "database.engine"))
    problem = _version_problem(database)
    if problem:
        yield Finding("database.engine_version", problem, ("database.engine",))
    yield from _aurora(database) if database.aurora else _storage(database)
    wrong = tuple(_parameters(database.parameters))
    yield from wrong
    if not wrong:
        yield from connection_findings(settings)


def database_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each choice about the database that the user should know about."""
    database = settings.database
    if not database.exists:
        return
    yield from connection_advice(settings)
    if database.verify_certificate and database.authority(settings.region) is None:
        yield (
            f"database.verify_certificate: this release knows no certificate authority of RDS in "
            f"{settings.region}: connections are encrypted, and the database's certificate is not verified"
        )
    if not database.aurora:
        return
    if database.min_acu == 0:
        yield "database.min_acu: 0 pauses the database only while no task runs: tasks keep connections open"
    if database.performance_insights and database.min_acu < INSIGHTS_ACU:
        yield f"database.performance_insights: AWS advises a min_acu of {INSIGHTS_ACU} or more with it"
    if settings.production and not database.reader_instances:
        yield "database.reader_instances: without one a failed instance is away for minutes (production)"


def _version_problem(database: Database) -> str | None:
    version, aurora = database.engine_version, database.aurora
    first_minors = limits.FIRST_LIVE_MINOR_OF_AURORA if aurora else limits.FIRST_LIVE_MINOR
    major, _, minor = version.partition(".")
    if not minor:
        known = ", ".join(f'"{one}"' for one in limits.LIVE_MINORS)
        return (
            None
            if major in limits.LIVE_MINORS
            else f'"{version}" has no tested minor; one of {known}, or major.minor'
        )
    first = first_minors.get(major)
    name, service = ("Aurora PostgreSQL", "Aurora") if aurora else ("PostgreSQL", "RDS")
    if first is None:
        majors = ", ".join(first_minors)
        return f'{name} {major} cannot be created; one of the majors {majors}, "15" for the tested minor'
    if int(minor) < first:
        later = f'"{major}.{first}" or later, or "{major}" for the tested minor'
        return f"{service} no longer creates {version}; {later}"
    return None


def _storage(database: Database) -> Iterator[Finding]:
    """Amazon RDS User Guide, Managing capacity automatically with Amazon RDS storage autoscaling."""
    least = -(-database.storage_gb * 11 // 10)
    if database.max_storage_gb != database.storage_gb and database.max_storage_gb < least:
        message = (
            f"{database.max_storage_gb} GB is too little; storage grows by a tenth or more: {least}, "
            f"or {database.storage_gb} to keep it from growing"
        )
        yield Finding("database.max_storage_gb", message, ("database.storage_gb", "database.engine"))


def _aurora(database: Database) -> Iterator[Finding]:
    """RDS API Reference, CreateDBCluster: BackupRetentionPeriod is 1 to 35, capacities are in order."""
    if database.min_acu > database.max_acu:
        message = f"{database.min_acu:g} is more than max_acu, {database.max_acu:g}"
        yield Finding("database.min_acu", message, ("database.max_acu", "database.engine"))
    if database.backup_retention_days == 0:
        message = "Aurora's backups cannot be switched off; 1 or more"
        yield Finding("database.backup_retention_days", message, ("database.engine",))


def _parameters(parameters: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in parameters.items():
        if name in MEMORY_PARAMETERS_KB:
            problem = _memory_problem(value, MEMORY_PARAMETERS_KB[name])
        elif name == "max_connections":
            problem = _connections_problem(value)
        else:
            continue
        if problem:
            yield Finding("database.parameters", problem, below=(name,))


def _memory_problem(value: str, unit_kb: int) -> str | None:
    if re.fullmatch(r"-1|[0-9]+", value) or re.fullmatch(FORMULA, value):
        return None
    unit = "kB" if unit_kb == 1 else f"blocks of {unit_kb} kB"
    sized = re.fullmatch(r"([0-9]+)\s*([kmgt]b)", value.strip().lower())
    if sized is None:
        return f"{value!r} is not a number; RDS takes {unit}"
    number = int(sized[1]) * UNITS_KB[sized[2]] // unit_kb
    return f'RDS takes no unit but the number of {unit}: {value} is "{number}"'


def _connections_problem(value: str) -> str | None:
    low, high = MAX_CONNECTIONS
    if re.fullmatch(FORMULA, value) or (value.isdecimal() and low <= int(value) <= high):
        return None
    return f"{value!r} is not a number of connections; {low} to {high}"
