"""Alarms on the database: CPU, connections, and resources that can run out."""

from __future__ import annotations

from stacks.database.server import Server
from stacks.parts.alarms import Metric, above, add_alarm, below
from stacks.wiring import Stack

GIGABYTE = 1024**3


def add_alarms(stack: Stack, server: Server) -> None:
    """
    Add the three of S1, "CloudWatch Alarms".

    Aurora's storage grows by itself, up to 256 TiB; what it can run out of is capacity.
    """
    connections = stack.settings.database.connection_alarm
    busy, size = stack.settings.observability.alarms.database_cpu_percent, _size(stack)
    add_alarm(
        stack,
        "HighCpu",
        _metric(stack, server, "CPUUtilization"),
        above(busy, periods=3, minutes=5),
        meaning=f"The database's CPU is over {busy} %: find slow queries or take a larger {size}",
    )
    if stack.settings.database.aurora:
        _capacity(stack, server)
    else:
        _storage(stack, server)
    add_alarm(
        stack,
        "ManyConnections",
        _metric(stack, server, "DatabaseConnections"),
        above(connections, periods=3, minutes=5),
        meaning=f"More than {connections} connections are open: use fewer tasks, workers or pool connections",
    )


def _size(stack: Stack) -> str:
    return "database.max_acu" if stack.settings.database.aurora else "database.instance_class"


def _storage(stack: Stack, server: Server) -> None:
    add_alarm(
        stack,
        "LowStorage",
        _metric(stack, server, "FreeStorageSpace"),
        below(5 * GIGABYTE, periods=3, minutes=5),
        meaning="The database has less than 5 GB of free storage: raise database.max_storage_gb",
    )


def _capacity(stack: Stack, server: Server) -> None:
    """Alarm on ACUUtilization: percent of max_acu (Aurora User Guide, "Important CloudWatch metrics")."""
    add_alarm(
        stack,
        "HighCapacity",
        _metric(stack, server, "ACUUtilization"),
        above(90, periods=3, minutes=5),
        meaning="The database uses over 90 % of the capacity that it may grow to: raise database.max_acu",
    )


def _metric(stack: Stack, server: Server, name: str) -> Metric:
    """Return a metric of the server; of a cluster with readers it is that of the busiest instance."""
    database = stack.settings.database
    several = database.aurora and database.reader_instances > 0
    dimensions = {database.dimension: server.reference}
    return Metric("AWS/RDS", name, "Maximum" if several else "Average", dimensions)
