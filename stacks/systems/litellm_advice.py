"""
Warnings from LiteLLM's experience in production, over an environment file. Pure.

The figures are those of LiteLLM's docs, "Production Best Practices" and "Database Sizing" (read 2026-11-28);
docs/sizing.md has them as tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.beside import Size, left, sidecars
from stacks.settings import Settings
from stacks.systems import application

MEMORY_MB, PRODUCTION_MEMORY_MB = 2048, 4096
"""
Least memory of a worker, and the least under load.

One worker of 1.93.0 takes 318 MB at its start, measured without a database. Beside it runs Prisma's query
engine, which grows to what its largest statement took and gives nothing back: with 2 GiB one large write ends
the task.
"""


def capacity_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each size that is too small in practice, or that is larger without benefit."""
    yield from _memory(settings)
    if settings.production:
        yield from _production(settings)


def _memory(settings: Settings) -> Iterator[str]:
    service = settings.service
    beside = sidecars(settings, application(settings.system).entrance.name)
    memory_mb = left(Size(service.cpu, service.memory_mb), beside).memory_mb
    least = service.workers * (PRODUCTION_MEMORY_MB if settings.production else MEMORY_MB)
    if memory_mb < least:
        besides = " beside the task's other containers" if beside else ""
        workers = f" for {service.workers} workers" if service.workers > 1 else ""
        yield (
            f"service.memory_mb: {memory_mb} MB{besides} is little{workers}: one large write to the database "
            f"can end the task; {least} or more"
        )


def _production(settings: Settings) -> Iterator[str]:
    """Warn of burstable instances: RDS bills their bursts (Amazon RDS User Guide, "Instance types")."""
    database, service = settings.database, settings.service
    if database.exists and not database.aurora and database.instance_class.startswith("db.t"):
        yield (
            f"database.instance_class: {database.instance_class} is burstable, and charged by the vCPU hour "
            "once its CPU credits are spent; db.m7g.large is for up to 1000 requests a second (production)"
        )
    if service.memory_target_percent and service.scaled:
        yield (
            "service.memory_target_percent: what one large write took is kept, so memory adds tasks and "
            "never takes them away; write 0 (production)"
        )
