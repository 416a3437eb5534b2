"""Connects an account's services to the servers of its databases."""

from __future__ import annotations

from sandbox.database_engines import Records
from sandbox.gateway import Gateway
from sandbox.gateway.databases.engines import Engines
from sandbox.gateway.databases.fleet import Fleet
from sandbox.services.services import Services

_LACKS = "this machine has no PostgreSQL server: databases are records, and rotations change nothing in them"


def attach(services: Services, gateway: Gateway) -> None:
    """
    Run servers for the PostgreSQL databases in *services*, if this machine has PostgreSQL.

    Rotation functions then use the real driver, which is in their archive.
    """
    fleet = Fleet(gateway.folder, gateway.postgres)
    if not fleet.programs:
        services.engines = Records(_LACKS)
        return
    services.engines = Engines(services, fleet)
    services.runs.stand_ins = False
