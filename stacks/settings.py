"""
The typed environment file: every key, its limits, what follows from it. Reads no file and knows no AWS call.

`stacks.environment.load` makes a `Settings`: it merges the defaults and checks what spans several keys.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stacks.checking import fields, limits
from stacks.checking.fields import between, shape

System = Literal["litellm"]
Tier = Literal["dev", "production"]
Provider = Literal["openai", "anthropic", "bedrock"]


class Section(BaseModel):
    """A part of the environment file: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class ExistingVpc(Section):
    """A VPC that is there already; gatestack then makes no VPC, subnets, gateways or routes."""

    vpc_id: fields.VpcId
    public_subnet_ids: fields.SubnetIds = ()
    """Two, in different zones; none with an internal load balancer."""
    private_subnet_ids: fields.SubnetIds
    """Two, in different zones."""
    data_subnet_ids: fields.SubnetIds = ()
    """Two, in different zones, with data_subnets."""


class Network(Section):
    """VPC, subnets, gateways and endpoints."""

    vpc_cidr: fields.NetworkCidr
    """Address range, /16 to /28; with existing_vpc that VPC's own."""
    public_subnet_cidrs: fields.SubnetPair
    """One in each availability zone; left out: the first and second /24 of the VPC (.1, .2)."""
    private_subnet_cidrs: fields.SubnetPair
    """Left out: the eleventh and twelfth /24 of the VPC (.11, .12)."""
    data_subnet_cidrs: fields.SubnetPair
    """Isolated subnets for databases; left out: .21, .22. Used with data_subnets."""
    nat_gateways: Annotated[Literal[0, 1, 2], fields.NUMBER]
    """The private subnets' way to the internet; 0 only where an endpoint reaches every provider (bedrock)."""
    vpc_endpoints: bool
    """Private ways to S3, ECR, Secrets Manager and CloudWatch Logs."""
    endpoint_zones: Annotated[Literal[1, 2], fields.NUMBER]
    """Availability zones that get interface endpoints."""
    data_subnets: bool
    """Put the database in subnets of its own, without any route to the internet."""
    flow_logs: bool
    """Record the VPC's traffic in CloudWatch Logs."""
    existing_vpc: ExistingVpc | None


class Alb(Section):
    """Load balancer, certificate, DNS and web application firewall."""

    certificate_arn: fields.CertificateArn | None
    """A certificate that is there already; left out, one is made for domain_name."""
    domain_name: fields.DomainName | None
    hosted_zone_id: fields.HostedZoneId | None
    """Public Route 53 zone of domain_name: the certificate is validated and the address is made there."""
    waf: bool
    """Web application firewall: rate limit and AWS's managed rules."""
    waf_rate_limit: Annotated[int, between(10, 2_000_000_000, "requests")]
    """Requests in five minutes from one address."""
    deletion_protection: bool
    idle_timeout_seconds: Annotated[int, between(1, 4000, "seconds")]
    """How long a connection may be silent; a model may think for minutes before its first token."""
    deregistration_delay_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long a task that goes away may finish its answers."""
    internal: bool
    """Reachable from the VPC only."""
    allowed_cidrs: Annotated[fields.Cidrs, fields.NonEmpty]
    """Who may connect (IPv4)."""
    access_logs: bool
    test_port: Annotated[int, between(1, 65535)]
    """Port of the test listener, which a deployment_strategy other than rolling has."""
    test_cidrs: fields.Cidrs
    """Who may connect to it (IPv4); left out: the VPC only, and so nobody where the load balancer faces the
    internet, since the VPC's own requests then come from public addresses."""

    @property
    def https(self) -> bool:
        """Whether a 443 listener exists: with a certificate of the user's, or one made for the domain."""
        return self.certificate_arn is not None or self.domain_name is not None


class Database(Section):
    """PostgreSQL: an instance of RDS, or Aurora Serverless v2."""

    engine: Literal["postgres", "aurora-postgresql"]
    """Another engine is another database: it is made beside the old one, which goes after a last snapshot."""
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
    snapshot_identifier: fields.SnapshotId | None
    """Snapshot that a new database is made from."""
    connection_alarm: Annotated[int, between(1, 262_143, "connections")]
    """Connections above which the alarm rings."""

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


class Service(Section):
    """The ECS service: image, size, scaling."""

    image: fields.ImageName
    """`ecr`: the environment's own repository; else a registry path without tag."""
    image_tag: fields.ImageTag
    """Tag, or sha256:… digest; left out: the system's tested release."""
    port: Annotated[int, between(1, 65535)]
    cpu: fields.FargateCpu
    """CPU units, 1024 to a vCPU."""
    memory_mb: int
    """Fargate takes certain sizes with each CPU size."""
    architecture: Literal["x86_64", "arm64"]
    desired_count: Annotated[int, between(0, 5000, "tasks")]
    """Tasks at first; later scaling owns the number."""
    min_tasks: Annotated[int, between(0, 5000, "tasks")]
    max_tasks: Annotated[int, between(1, 5000, "tasks")]
    cpu_target_percent: Annotated[int, between(1, 100, "percent")]
    """Scaling keeps the tasks' average CPU near this."""
    memory_target_percent: Annotated[int, between(0, 100, "percent")]
    """Scaling keeps the tasks' average memory near this; 0: memory does not scale."""
    requests_per_target: Annotated[int, between(0, 1_000_000, "requests")]
    """Scaling keeps each task's requests in a minute near this; 0: requests do not scale. Rolling only."""
    scale_out_cooldown_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long after adding tasks scaling waits for their effect."""
    scale_in_cooldown_seconds: Annotated[int, between(0, 3600, "seconds")]
    """How long after taking tasks away scaling takes no more."""
    deployment_strategy: Literal["rolling", "blue_green", "canary", "linear"]
    """How new tasks take over: one by one; or beside all the old ones, with the traffic switched at once,
    after a share of it, or step by step."""
    shift_percent: Annotated[int, between(1, 99, "percent")]
    """Share of the traffic that canary shifts first, and linear at each step; 3 at least with linear."""
    shift_minutes: Annotated[int, between(0, 1440, "minutes")]
    """How long canary waits after that share, and linear after each step but the last."""
    bake_minutes: Annotated[int, between(0, 1440, "minutes")]
    """How long the old tasks stay after all traffic has gone to the new ones; not with rolling."""
    deployment_alarms: bool
    """Roll a deployment back during which the alarm on 5xx answers or on unhealthy tasks rings."""
    workers: Annotated[int, between(1, 64, "workers")]
    """Processes in a task; LiteLLM advises one a vCPU."""
    spot: bool
    """Fargate Spot: about 70 % cheaper, and AWS may take a task away at two minutes' notice."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    """DEBUG writes keys and prompts to the log; `gatestack config set` changes it between deployments."""
    stop_timeout_seconds: Annotated[int, between(1, 120, "seconds")]
    environment: dict[str, str]
    """Further environment variables, none of them secret."""
    providers: Annotated[tuple[Provider, ...], Field(strict=False), fields.NonEmpty]
    """Model providers that the proxy calls."""
    bedrock_models: fields.BedrockModels
    """Foundation-model or inference-profile ids that the task may invoke."""
    config: dict[str, object]
    """LiteLLM's config.yaml, as it is."""

    @property
    def scaled(self) -> bool:
        """Whether Application Auto Scaling owns the number of tasks."""
        return self.max_tasks > self.min_tasks

    @property
    def shifts_traffic(self) -> bool:
        """Whether a deployment puts all new tasks beside the old ones and then moves the traffic to them."""
        return self.deployment_strategy != "rolling"


class Secrets(Section):
    """Secrets Manager."""

    rotation_days: Annotated[int, between(1, 1000, "days")]
    """Days between two rotations of the database's login and of the master key."""


class Alarms(Section):
    """When the alarm topic is told; 0 leaves an alarm out."""

    cpu_percent: Annotated[int, between(1, 99, "percent")]
    """Tasks' CPU, over fifteen minutes."""
    memory_percent: Annotated[int, between(1, 99, "percent")]
    """Tasks' memory, over fifteen minutes."""
    server_errors: Annotated[int, between(0, 1_000_000, "answers")]
    """Answers with 5xx in five minutes."""
    server_error_percent: Annotated[int, between(0, 99, "percent")]
    """Part of the answers that are 5xx."""
    latency_milliseconds: Annotated[int, between(0, 4_000_000, "milliseconds")]
    """Time until an answer begins; the time that a model thinks is part of it."""
    latency_percentile: Annotated[int, between(50, 99)]
    """95: five in a hundred answers may take longer than latency_milliseconds."""
    healthy_tasks: Annotated[int, between(0, 5000, "tasks")]
    """The alarm rings when fewer tasks answer the load balancer."""
    stopped_tasks: bool
    """A message for each task that stopped though no deployment, scaling or person asked for it."""
    database_cpu_percent: Annotated[int, between(1, 99, "percent")]


class Observability(Section):
    """Logs, metrics and alarms."""

    log_retention_days: fields.LogRetention
    container_insights: bool
    xray: bool
    alarm_email: fields.Email | None
    """Gets every alarm, after confirming the subscription."""
    alarms: Alarms
    dashboard: bool
    rollback_alarms: fields.RollbackAlarms
    """CloudWatch alarms, by name or ARN, five at most: an update of alb or service during which one rings is
    rolled back. They have to exist."""
    rollback_monitoring_minutes: Annotated[int, between(0, 180, "minutes")]
    """How long they are watched after an update has done everything."""


class Timeouts(Section):
    """Minutes after which gatestack stops waiting for one operation on a stack; AWS goes on with it."""

    security: Annotated[int, between(1, 1440, "minutes")]
    network: Annotated[int, between(1, 1440, "minutes")]
    alb: Annotated[int, between(1, 1440, "minutes")]
    database: Annotated[int, between(1, 1440, "minutes")]
    service: Annotated[int, between(1, 1440, "minutes")]


class Deployment(Section):
    """How the stacks are deployed."""

    timeout_minutes: Timeouts


class Settings(Section):
    """One environment, complete: what the file says over the defaults of its system and tier."""

    system: System
    environment: fields.EnvironmentName
    """Part of every name: 1 to 16 lower-case letters, digits and hyphens."""
    tier: Tier
    """Picks the defaults; production also refuses what would lose data or tell secrets."""
    region: fields.Region
    account: fields.Account | None
    """Twelve digits, in quotes; deploying with the credentials of another account is refused."""
    tags: dict[str, str]
    """Put on every resource, with gatestack's own."""
    network: Network
    alb: Alb
    database: Database
    cache: Cache
    service: Service
    secrets: Secrets
    observability: Observability
    deployment: Deployment

    @property
    def production(self) -> bool:
        """Whether protection, retention and redundancy are on."""
        return self.tier == "production"

    @property
    def prefix(self) -> str:
        """What every name begins with: ``dev-litellm``."""
        return f"{self.environment}-{self.system}"

    @property
    def alb_name(self) -> str:
        """Name of the load balancer; another one when it is internal, since that replaces it."""
        return f"{self.prefix}-vpc" if self.alb.internal else self.prefix

    @property
    def closed(self) -> bool:
        """Whether private subnets have no way to the internet; an existing VPC is taken to have one."""
        return self.network.nat_gateways == 0 and self.network.existing_vpc is None

    @property
    def database_identifier(self) -> str:
        """
        Identifier of the DB instance: ``dev-litellm-db`` (S1), and another one for each snapshot restored.

        The restored instance has to exist beside the one that it replaces, and so has a cluster of Aurora.
        """
        kind = "aurora" if self.database.aurora else "db"
        snapshot = self.database.snapshot_identifier
        suffix = f"-{sha256(snapshot.encode()).hexdigest()[:6]}" if snapshot else ""
        return f"{self.prefix}-{kind}{suffix}"

    @property
    def cache_identifier(self) -> str:
        """
        Identifier of the replication group: ``dev-litellm-redis``; ``dev-litellm-mixed`` with optional TLS.

        A password cannot be taken away by an update of the stack, so each of the two is a group of its own.
        """
        kind = "redis" if self.cache.transit_encryption == "required" else "mixed"
        return f"{self.prefix}-{kind}"

    @property
    def repository_name(self) -> str:
        """Name of the environment's own ECR repository: ``dev-litellm``."""
        return self.prefix

    @property
    def cluster_name(self) -> str:
        """Name of the service's ECS cluster: ``dev-litellm``."""
        return self.prefix

    @property
    def service_name(self) -> str:
        """Name of the ECS service: ``dev-litellm-proxy``."""
        return f"{self.prefix}-proxy"

    @property
    def task_family(self) -> str:
        """Family of the proxy's task definition: ``dev-litellm-proxy`` (S1)."""
        return f"{self.prefix}-proxy"

    @property
    def log_group(self) -> str:
        """Log group of the tasks: ``/ecs/dev-litellm-proxy`` (S1)."""
        return f"/ecs/{self.task_family}"

    @property
    def migration_name(self) -> str:
        """Family of the migration's task definition, and its cluster: ``dev-litellm-migration``."""
        return f"{self.prefix}-migration"

    @property
    def migration_log_group(self) -> str:
        """Log group of the migration: ``/ecs/dev-litellm-migration``."""
        return f"/ecs/{self.migration_name}"

    @property
    def login_secret_name(self) -> str:
        """Name of the secret that tasks log in to the database with: ``dev-litellm/database-login``."""
        return self.secret_name("database-login")

    @property
    def database_version(self) -> str:
        """Full version to create the database with: the configured one, or the tested minor of its major."""
        version = self.database.engine_version
        return limits.LIVE_MINORS.get(version, version)

    def secret_name(self, name: str) -> str:
        """Name of a secret in Secrets Manager: ``dev-litellm/master-key``."""
        return f"{self.prefix}/{name}"

    def rotation_function_name(self, rotation: str) -> str:
        """Name of a rotation's function: ``dev-litellm-master-key-rotation``."""
        return f"{self.prefix}-{rotation}-rotation"

    def stack_name(self, stack: str) -> str:
        """Name of a stack in CloudFormation: ``dev-litellm-network``."""
        return f"{self.prefix}-{stack}"

    def export_name(self, stack: str, output: str) -> str:
        """Name of an export: ``dev-litellm-network-VpcId``."""
        return f"{self.stack_name(stack)}-{output}"

    def stack_tags(self, stack: str) -> dict[str, str]:
        """Tags of a stack and of every resource in it; ``ManagedBy`` is how gatestack knows its own."""
        own = {
            "Environment": self.environment,
            "System": self.system,
            "Stack": stack,
            "ManagedBy": "gatestack",
        }
        return self.tags | own
