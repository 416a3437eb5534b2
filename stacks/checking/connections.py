"""
The connection budget: what the tasks may open, and what the database accepts. Pure.

S2 ("Database Connection Pooling") uses 160 of 200: tasks x workers x pool, and 40 in reserve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stacks.checking.problems import Finding
from stacks.settings import Database, Settings

POOL = 10
"""
Connections of a worker where nothing is said.

LiteLLM docs, database_connection_pool_limit; DATABASE_POOL_SIZE in llm-proxy's internal/database/README.md.
"""

ROLL_OVER = 2
"""Tasks during a deployment beside the wanted ones: the service's MaximumPercent is 200."""

RESERVED = 5
"""
One in this many connections is not for tasks: S2's 40 of 200.

Out of it come the five that PostgreSQL and RDS keep for their own roles (superuser_reserved_connections 3,
rds.rds_superuser_reserved_connections 2), RDS's agents, the migration, a rotation, people, and that
DBInstanceClassMemory is less than the memory of the class: RDS does not say how much it takes for itself.
"""

BYTES_OF_A_CONNECTION = 9_531_392
MOST = 5000
"""LEAST({DBInstanceClassMemory/9531392}, 5000) (Amazon RDS User Guide, "Quotas and constraints")."""

SIZES_GIB = {
    "micro": 1,
    "small": 2,
    "medium": 4,
    "large": 8,
    "xlarge": 16,
    "2xlarge": 32,
    "4xlarge": 64,
    "8xlarge": 128,
    "12xlarge": 192,
    "16xlarge": 256,
    "24xlarge": 384,
}
"""Memory of the families of `GENERAL` by size; those of `MEMORY` have twice as much from large on."""

GENERAL = ("t3", "t4g", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7g", "m7i", "m8g")
MEMORY = ("r5d", "r6g", "r6gd", "r6i", "r6id", "r7g", "r7i", "r8g", "r5")
"""Amazon RDS User Guide, "Hardware specifications for DB instance classes"."""

ACU_FIRST, ACU_EACH = 189, 211
CAPPED_BELOW_ACU, CAPPED = 1, 2000
"""
Aurora User Guide, "Maximum connections for Aurora Serverless v2": 189 with max_acu 1, 823 with 4, 1669 with
8, 3360 with 16, 5000 from 32 on, and 2000 at most with min_acu 0 or 0.5. They lie on this line or just above.
"""


class Limit(NamedTuple):
    """How many connections the database accepts, and the source of that."""

    number: int
    key: str

    @property
    def reserved(self) -> int:
        """Those that are not for tasks."""
        return -(-self.number // RESERVED)


def limit(database: Database) -> Limit | None:
    """Return the most connections of *database*; None where its class or its own formula is unknown here."""
    written = database.parameters.get("max_connections")
    if written is not None:
        return Limit(int(written), "database.parameters") if written.isdecimal() else None
    if database.aurora:
        most = min(MOST, ACU_FIRST + int((database.max_acu - 1) * ACU_EACH))
        capped = min(most, CAPPED) if database.min_acu < CAPPED_BELOW_ACU else most
        return Limit(capped, "database.max_acu")
    memory = memory_gib(database.instance_class)
    number = memory and min(MOST, memory * 1024**3 // BYTES_OF_A_CONNECTION)
    return Limit(number, "database.instance_class") if number else None


def memory_gib(instance_class: str) -> int | None:
    """Return the memory of a class like ``db.t3.micro``; None for one that is not in the tables."""
    _, family, size = instance_class.split(".")
    if family in MEMORY and "large" in size:
        return 2 * SIZES_GIB[size] if size in SIZES_GIB else None
    return SIZES_GIB.get(size) if family in GENERAL else None


def connection_findings(settings: Settings) -> Iterator[Finding]:
    """Refuse tasks that could open more connections than the database has for them."""
    found, pool, service = limit(settings.database), pool_of(settings), settings.service
    if found is None or pool is None:
        return
    usual, most = min(service.desired_count, service.max_tasks), service.max_tasks
    rolling = ROLL_OVER * usual > most
    tasks = ROLL_OVER * usual if rolling else most
    wanted, free = tasks * service.workers * pool, found.number - found.reserved
    if wanted <= free:
        return
    why = f"{usual}, doubled during a roll-over" if rolling else "max_tasks"
    message = (
        f"{tasks} tasks ({why}) x {service.workers} {_plural(service.workers, 'worker')} x {pool} "
        f"{_plural(pool, 'connection')} = {wanted} of {free} ({found.number} - {found.reserved} reserved, by "
        f"{found.key}); fewer tasks, workers or {_pool_key(settings)}, or a larger database"
    )
    yield Finding("service.desired_count" if rolling else "service.max_tasks", message, _looked_at(settings))


def connection_advice(settings: Settings) -> Iterator[str]:
    """Warn if the budget cannot be calculated."""
    database = settings.database
    if limit(database) is not None or pool_of(settings) is None:
        return
    known = "database.parameters.max_connections, a formula"
    what = known if "max_connections" in database.parameters else f"{database.instance_class} by default"
    yield f"database: how many connections it takes is not known here ({what}), so the tasks' are not checked"


def pool_of(settings: Settings) -> int | None:
    """Return the connections of a worker; None where they come from elsewhere, os.environ/NAME for one."""
    if not settings.service.config:
        pool = settings.service.environment.get("DATABASE_POOL_SIZE", str(POOL))
        return int(pool) if pool.isdecimal() else None
    general = settings.service.config.get("general_settings")
    written = general.get("database_connection_pool_limit", POOL) if isinstance(general, Mapping) else POOL
    return written if type(written) is int else None


def _looked_at(settings: Settings) -> tuple[str, ...]:
    size = ("min_acu", "max_acu") if settings.database.aurora else ("instance_class",)
    database = tuple(f"database.{key}" for key in ("engine", "parameters", *size))
    service = tuple(
        f"service.{key}" for key in ("desired_count", "max_tasks", "workers", "config", "environment")
    )
    return (*service, *database)


def _pool_key(settings: Settings) -> str:
    return "database_connection_pool_limit" if settings.service.config else "DATABASE_POOL_SIZE"


def _plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"
