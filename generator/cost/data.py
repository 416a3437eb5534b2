"""Cost of data stores: databases, caches, buckets, repositories. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from generator.cost.case import Case, Row, amount

FREE_INSIGHTS_DAYS = 7
"""
Days that Database Insights keeps its counters for free, in its standard mode; longer ones were sold until
2026 (Amazon RDS User Guide, "Pricing and data retention for Performance Insights").
"""

VCPUS = {"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4}
"""Of a class by its size; 2xlarge has twice as many as xlarge (Amazon RDS User Guide, "Instance classes")."""


def db_instance(case: Case) -> Iterator[Row]:
    """Yield an instance of PostgreSQL with its storage and backups, or an Aurora instance's capacity."""
    engine, size = str(case.value("Engine")), str(case.value("DBInstanceClass"))
    if "DBClusterIdentifier" in case.resource.properties:
        yield from _aurora_instance(case, size)
        return
    yield from _insights(case, size)
    if engine == "postgres":
        yield _postgres_instance(case, size, double=case.value("MultiAZ") is True)
        yield from _postgres_storage(case, double=case.value("MultiAZ") is True)
    else:
        yield case.open("database instance", f"no price of the engine {engine}")


def _insights(case: Case, size: str) -> Iterator[Row]:
    """Yield what the mode of Database Insights costs; nothing where it is free, or off."""
    item = "Database Insights"
    if case.value("DatabaseInsightsMode") == "advanced":
        vcpus = _vcpus(size)
        if vcpus is None:
            yield case.open(item, f"charged by the vCPU hour, and how many {size} has is not known here")
            return
        words = f"{vcpus} vCPU x {amount(case.hours)} h"
        note = "advanced; a standby is not counted"
        yield case.priced(item, "insights-vcpu-hour", vcpus * case.hours, words, note=note)
    elif (
        case.value("EnablePerformanceInsights")
        and case.number("PerformanceInsightsRetentionPeriod") > FREE_INSIGHTS_DAYS
    ):
        yield case.open(item, "more than seven days are no longer sold by themselves")


def _vcpus(instance_class: str) -> int | None:
    size = instance_class.rpartition(".")[2]
    many = size.removesuffix("xlarge")
    return VCPUS["xlarge"] * int(many) if many.isdecimal() else VCPUS.get(size)


def _postgres_instance(case: Case, size: str, *, double: bool) -> Row:
    words, item = f"{amount(case.hours)} h", "database instance"
    single = case.prices.price("rds-hour", size)
    if not double:
        return case.at(item, single, case.hours, words, note=f"{size}, one zone")
    note = f"{size}, a standby in another zone"
    both = case.prices.price("rds-multi-az-hour", size)
    if both.usd is None and single.usd is not None:
        return case.at(
            item, single, 2 * case.hours, f"{words} x 2", note=f"{note}: twice the price of one zone"
        )
    return case.at(item, both, case.hours, words, note=note)


def _postgres_storage(case: Case, *, double: bool) -> Iterator[Row]:
    kind, size = case.value("StorageType"), case.number("AllocatedStorage")
    if kind == "gp3":
        name = "rds-gp3-multi-az-gb-month" if double else "rds-gp3-gb-month"
        most = case.number("MaxAllocatedStorage", size)
        note = f"grows by itself up to {amount(most)}" if most > size else ""
        yield case.priced("database storage", name, size, f"{amount(size)} GB gp3", note=note)
    else:
        yield case.open("database storage", f"no price of the storage type {kind}")
    backup = case.usage.backup_gb
    if backup:
        note = "beyond the size of the database"
        yield case.priced(
            "database backups", "rds-backup-gb-month", backup, f"{amount(backup)} GB", note=note
        )


def _aurora_instance(case: Case, size: str) -> Iterator[Row]:
    """Yield an instance's capacity, and what the advanced mode of its cluster costs for it."""
    if size != "db.serverless":
        yield case.open("database instance", f"no price of Aurora on {size}")
        return
    clusters = case.template.of_type("AWS::RDS::DBCluster")
    cluster = next((one.properties for one in clusters), {})
    scaling = case.template.value(cluster.get("ServerlessV2ScalingConfiguration")) or {}
    least, most = (float(scaling.get(name) or 0) for name in ("MinCapacity", "MaxCapacity"))
    average = case.usage.acu_average
    units = least if average is None else min(max(average, least), most or average)
    said = "the least" if average is None else "usage.acu_average"
    words = f"{amount(units)} ACU x {amount(case.hours)} h"
    note = f"{said}, of {amount(least)} to {amount(most)}"
    yield case.priced("Aurora capacity", "aurora-acu-hour", units * case.hours, words, note=note)
    if case.template.value(cluster.get("DatabaseInsightsMode")) == "advanced":
        yield case.priced(
            "Database Insights", "insights-acu-hour", units * case.hours, words, note="advanced"
        )


def db_cluster(case: Case) -> Iterator[Row]:
    """Yield an Aurora cluster's storage, reads and writes, and backups."""
    if case.value("StorageType") not in {None, "aurora"} or case.value("Engine") != "aurora-postgresql":
        yield case.open("Aurora storage", "no price of this engine or storage type")
        return
    use = case.usage
    yield case.priced("Aurora storage", "aurora-gb-month", use.aurora_gb, f"{amount(use.aurora_gb)} GB")
    words = f"{amount(use.aurora_io_million)} million reads and writes"
    yield case.priced("Aurora I/O", "aurora-million-io", use.aurora_io_million, words)
    if use.backup_gb:
        words, note = f"{amount(use.backup_gb)} GB", "beyond the size of the database"
        yield case.priced("database backups", "aurora-backup-gb-month", use.backup_gb, words, note=note)


def replication_group(case: Case) -> Iterator[Row]:
    """Yield the nodes of a Redis."""
    size = str(case.value("CacheNodeType"))
    shards = case.number("NumNodeGroups", 1) * (1 + case.number("ReplicasPerNodeGroup"))
    nodes = case.number("NumCacheClusters", shards)
    words = f"{amount(nodes)} x {size} x {amount(case.hours)} h"
    if case.value("Engine") == "redis":
        yield case.priced("cache nodes", "redis-hour", nodes * case.hours, words, variant=size)
    else:
        yield case.open("cache nodes", f"no price of the engine {case.value('Engine')}")
    if case.number("SnapshotRetentionLimit"):
        yield case.open("cache backups", "usage-based: by the size of the snapshots")


def bucket(case: Case) -> Iterator[Row]:
    """Yield a bucket's share of what all buckets hold."""
    share = case.usage.s3_gb / max(case.totals.buckets, 1)
    note = "requests not counted"
    yield case.priced("bucket storage", "s3-gb-month", share, f"{amount(share)} GB", note=note)


def repository(case: Case) -> Iterator[Row]:
    """Yield the images."""
    share = case.usage.ecr_gb / max(case.totals.repositories, 1)
    yield case.priced("image storage", "ecr-gb-month", share, f"{amount(share)} GB")
