"""`database` and `cache`: what the tasks keep."""

from __future__ import annotations

from typing import Annotated, Literal

from stacks.checking import fields, limits
from stacks.checking.fields import between, shape
from stacks.sections import Section


class Database(Section):
    """PostgreSQL: an instance of RDS, or Aurora Serverless v2."""

    engine: Literal["none", "postgres", "aurora-postgresql"]
    """`none` where the system keeps nothing; another engine is another database: it is made beside the old
    one, which goes after a last snapshot."""
    engine_version: fields.EngineVersion
    """Major ("15") or major.minor ("15.15"); a major alone means this release's tested minor."""
    instance_class: fields.InstanceClass
    """Size of the instance; as all keys down to multi_az not used with Aurora."""
    storage_gb: Annotated[int, between(*limits.GP3_STORAGE_GB, "GB")]
    max_storage_gb: Annotated[int, between(*limits.GP3_STORAGE_GB, "GB")]
    """Storage grows by itself up to this."""
    multi_az: bool
    min_acu: fields.MinAcu
    """Aurora's least capacity, in units of 2 GiB; 0 pauses it when nobody is connected."""
    max_acu: fields.MaxAcu
    """Aurora's most; the connections that it takes follow from it."""
    reader_instances: Annotated[int, between(0, 15, "readers")]
    """Aurora's instances beside the one that writes; one takes over when that fails."""
    backup_retention_days: Annotated[int, between(0, 35, "days")]
    """0 switches backups off; at least 7 in production, 1 with Aurora."""
    deletion_protection: bool
    performance_insights: bool
    parameters: dict[Annotated[str, shape(r"[a-z][a-z0-9_.]{0,254}", "a PostgreSQL parameter")], str]
    """Parameters of PostgreSQL, in RDS's units: shared_buffers: "131072" (of 8 kB), work_mem: "5120" (kB)."""
    iam_authentication: bool
    """Tasks log in with tokens of IAM's, for 15 minutes each, and know no password (LiteLLM only)."""
    snapshot_identifier: fields.SnapshotId | None
    """Snapshot that a new database is made from."""
    connection_alarm: Annotated[int, between(1, 262_143, "connections")]
    """Connections above which the alarm fires."""

    @property
    def exists(self) -> bool:
        """Whether there is a database at all."""
        return self.engine != "none"

    @property
    def aurora(self) -> bool:
        """Whether it is a cluster of Aurora Serverless v2."""
        return self.engine == "aurora-postgresql"

    @property
    def dimension(self) -> str:
        """What its metrics are found by."""
        return "DBClusterIdentifier" if self.aurora else "DBInstanceIdentifier"


class Cache(Section):
    """Redis on ElastiCache, which tasks share."""

    enabled: bool
    node_type: fields.CacheNodeType
    nodes: Annotated[int, between(*limits.CACHE_NODES, "nodes")]
    """One primary and its replicas; from 2 on a replica takes over by itself."""
    transit_encryption: Literal["required", "preferred"]
    """`required`: TLS and a password; `preferred`: TLS or not, no password, for clients that know neither."""
    parameters: dict[Annotated[str, shape(r"[a-z][a-z0-9-]{0,254}", "a parameter of Redis")], str]
    """Parameters of Redis: maxmemory-policy: allkeys-lru."""
    snapshot_retention_days: Annotated[int, between(0, 35, "days")]
    """0 makes no daily snapshots."""

    @property
    def has_password(self) -> bool:
        """Whether there is a cache that asks for a password; without TLS it would travel as clear text."""
        return self.enabled and self.transit_encryption == "required"
