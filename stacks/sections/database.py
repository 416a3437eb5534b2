"""`database` and `cache`: the tasks' data stores."""

from collections.abc import Mapping
from typing import Annotated, Literal

from stacks import authorities
from stacks.checking import fields, limits
from stacks.checking.fields import between, shape
from stacks.sections import Section
from stacks.sections.variables import SecretSource


class ExistingStore(Section):
    """An existing server: gatestack neither creates, rotates, backs up nor deletes it."""

    host: fields.HostName
    port: Annotated[int, between(1, 65_535)]
    secret_arn: fields.SecretArn | None
    kms_key_arn: fields.KmsKeyArn | None = None
    """Key that the secret is encrypted with; left out: AWS's own, `aws/secretsmanager`."""
    cidr: fields.Cidr | None = None
    """Address range of the server: tasks may connect to it on the server's port; left out: the VPC's
    range."""

    @property
    def secret(self) -> SecretSource | None:
        """The secret, as the role that starts the tasks needs it."""
        return SecretSource(arn=self.secret_arn, kms_key_arn=self.kms_key_arn) if self.secret_arn else None


class ExistingDatabase(ExistingStore):
    """An existing PostgreSQL database."""

    port: Annotated[int, between(1, 65_535)] = 5432
    name: fields.DatabaseName
    """The database on that server."""
    secret_arn: fields.SecretArn
    """Secret in the JSON form of RDS, with the keys that the system reads: username and password, or
    DATABASE_URL (LLM Proxy)."""

    @property
    def given(self) -> Mapping[tuple[str, str], str]:
        """What the database stack would export of its own database."""
        found = {
            "DbEndpoint": self.host,
            "DbPort": str(self.port),
            "DbName": self.name,
            "DbSecretArn": self.secret_arn,
        }
        return {("database", output): value for output, value in found.items()}


class ExistingCache(ExistingStore):
    """An existing Redis."""

    port: Annotated[int, between(1, 65_535)] = 6379
    tls: bool = True
    secret_arn: fields.SecretArn | None = None
    """JSON secret with its password; left out: it has no password."""
    secret_key: fields.SecretKey = "password"  # noqa: S105 - the name of a key
    """Key of the password in that secret."""

    @property
    def given(self) -> Mapping[tuple[str, str], str]:
        """What the stacks would export of the environment's own cache."""
        place = {("database", "RedisEndpoint"): self.host, ("database", "RedisPort"): str(self.port)}
        return place | ({("security", "CacheSecretArn"): self.secret_arn} if self.secret_arn else {})


class Database(Section):
    """PostgreSQL: an instance of RDS, or Aurora Serverless v2."""

    existing: ExistingDatabase | None

    engine: Literal["none", "postgres", "aurora-postgresql"]
    """`none` where the system stores no data. Another engine creates another database; the old one is
    deleted after a last snapshot."""
    engine_version: fields.EngineVersion
    """Major ("15") or major.minor ("15.15"); with a major only, the minor version that this release was
    tested with."""
    instance_class: fields.InstanceClass
    """Size of the instance. Aurora does not use this key and the next ones up to multi_az."""
    storage_gb: Annotated[int, between(*limits.GP3_STORAGE_GB, "GB")]
    max_storage_gb: Annotated[int, between(*limits.GP3_STORAGE_GB, "GB")]
    """Storage grows automatically up to this size."""
    multi_az: bool
    min_acu: fields.MinAcu
    """Aurora's minimum capacity, in units of 2 GiB; with 0 it pauses when nobody is connected."""
    max_acu: fields.MaxAcu
    """Aurora's maximum capacity; its maximum number of connections follows from it."""
    reader_instances: Annotated[int, between(0, 15, "readers")]
    """Aurora's readers; one takes over when the writer fails."""
    backup_retention_days: Annotated[int, between(0, 35, "days")]
    """0 switches backups off. At least 7 in production, 1 with Aurora."""
    deletion_protection: bool
    performance_insights: bool
    """Database Insights: load by waits and queries, kept for seven days at no charge."""
    insights: Literal["standard", "advanced"]
    """Mode of Database Insights. advanced keeps 15 months, with execution plans and locks, and is charged
    per vCPU hour; it requires performance_insights."""
    parameters: dict[Annotated[str, shape(r"[a-z][a-z0-9_.]{0,254}", "a PostgreSQL parameter")], str]
    """Parameters of PostgreSQL, in RDS's units: shared_buffers: "131072" (of 8 kB), work_mem: "5120" (kB)."""
    iam_authentication: bool
    """Tasks log in with IAM tokens, valid for 15 minutes each, and have no password (LiteLLM only)."""
    verify_certificate: bool
    """Whether clients verify the database's certificate with that of RDS's authority in the region:
    rotations, LiteLLM's tasks (from v1.102.0 on) and LLM Proxy's tasks."""
    snapshot_identifier: fields.SnapshotId | None
    """Snapshot from which a new database is created."""
    snapshot_before_migration: bool
    """Whether a snapshot of the environment's own database is taken before another image migrates its
    schema. The three newest are kept."""
    connection_alarm: Annotated[int, between(1, 262_143, "connections")]
    """Connections above which the alarm fires."""

    @property
    def exists(self) -> bool:
        """Whether there is a database of the environment's own."""
        return self.engine != "none" and self.existing is None

    @property
    def used(self) -> bool:
        """Whether tasks have a database, their own or one that was there."""
        return self.exists or self.existing is not None

    def authority(self, region: str) -> str | None:
        """Return the certificate that the database's is verified by (PEM); None: it is not verified."""
        return authorities.by_region().get(region) if self.exists and self.verify_certificate else None

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

    existing: ExistingCache | None
    enabled: bool
    node_type: fields.CacheNodeType
    nodes: Annotated[int, between(*limits.CACHE_NODES, "nodes")]
    """One primary and its replicas; from 2 on a replica takes over automatically."""
    transit_encryption: Literal["required", "preferred"]
    """`required`: TLS and a password; `preferred`: TLS is optional and there is no password, for clients
    that support neither."""
    parameters: dict[Annotated[str, shape(r"[a-z][a-z0-9-]{0,254}", "a parameter of Redis")], str]
    """Parameters of Redis: maxmemory-policy: noeviction."""
    snapshot_retention_days: Annotated[int, between(0, 35, "days")]
    """Retention of daily snapshots; 0: none are taken."""

    @property
    def exists(self) -> bool:
        """Whether there is a cache of the environment's own."""
        return self.enabled and self.existing is None

    @property
    def used(self) -> bool:
        """Whether tasks have a cache, their own or one that was there."""
        return self.exists or self.existing is not None

    @property
    def makes_password(self) -> bool:
        """Whether the own cache asks for a password; without TLS it would travel as clear text."""
        return self.exists and self.transit_encryption == "required"

    @property
    def has_password(self) -> bool:
        """Whether tasks need a password for their cache."""
        return self.makes_password or bool(self.existing and self.existing.secret_arn)

    @property
    def has_tls(self) -> bool:
        """Whether tasks can connect to their cache with TLS."""
        return self.exists or bool(self.existing and self.existing.tls)
