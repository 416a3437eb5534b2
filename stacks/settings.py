"""The typed environment file: every key, its limits, and what follows from it. Reads no file and knows no AWS call."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

System = Literal["litellm"]
Tier = Literal["dev", "production"]


class Section(BaseModel):
    """A part of the environment file: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ExistingVpc(Section):
    """A VPC that is there already; gatestack then makes no VPC, subnets, gateways or routes."""

    vpc_id: str
    public_subnet_ids: tuple[str, ...] = ()
    private_subnet_ids: tuple[str, ...]
    data_subnet_ids: tuple[str, ...] = ()


class Network(Section):
    """VPC, subnets, gateways and endpoints."""

    vpc_cidr: str
    public_subnet_cidrs: tuple[str, str]
    """One in each availability zone; left out: the first and second /24 of the VPC (.1, .2)."""
    private_subnet_cidrs: tuple[str, str]
    """Left out: the eleventh and twelfth /24 of the VPC (.11, .12)."""
    data_subnet_cidrs: tuple[str, str]
    """Isolated subnets for databases; left out: .21, .22. Used with data_subnets."""
    nat_gateways: Literal[0, 1, 2]
    vpc_endpoints: bool
    endpoint_zones: Literal[1, 2]
    """Availability zones that get interface endpoints."""
    data_subnets: bool
    flow_logs: bool
    existing_vpc: ExistingVpc | None


class Alb(Section):
    """Load balancer, certificate, DNS and web application firewall."""

    certificate_arn: str | None
    domain_name: str | None
    hosted_zone_id: str | None
    waf: bool
    waf_rate_limit: int
    """Requests in five minutes from one address."""
    deletion_protection: bool
    idle_timeout_seconds: int
    deregistration_delay_seconds: int
    internal: bool
    allowed_cidrs: tuple[str, ...]
    access_logs: bool

    @property
    def https(self) -> bool:
        """Whether a 443 listener exists: with a certificate of the user's, or one made for the domain."""
        return self.certificate_arn is not None or self.domain_name is not None


class Database(Section):
    """PostgreSQL on RDS."""

    engine: Literal["postgres"]
    engine_version: str
    """Major ("15") or major.minor ("15.15"); a major alone means this release's tested minor."""
    instance_class: str
    storage_gb: int
    max_storage_gb: int
    multi_az: bool
    backup_retention_days: int
    deletion_protection: bool
    performance_insights: bool
    parameters: dict[str, str]
    snapshot_identifier: str | None
    connection_alarm: int
    """Connections above which the alarm rings."""


class Service(Section):
    """The ECS service: image, size, scaling."""

    image: str
    """`ecr`: the environment's own repository; else a registry path without tag."""
    image_tag: str | None
    """Tag, or sha256:… digest; left out: the system's tested release."""
    port: int
    cpu: int
    """CPU units, 1024 to a vCPU."""
    memory_mb: int
    architecture: Literal["x86_64", "arm64"]
    desired_count: int
    min_tasks: int
    max_tasks: int
    workers: int
    spot: bool
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    stop_timeout_seconds: int
    environment: dict[str, str]
    providers: tuple[Literal["openai", "anthropic", "bedrock"], ...]
    """Model providers that the proxy calls."""
    bedrock_models: tuple[str, ...]
    """Foundation-model or inference-profile ids that the task may invoke."""
    config: dict[str, object]
    """LiteLLM's config.yaml, as it is."""

    @property
    def scaled(self) -> bool:
        """Whether Application Auto Scaling owns the number of tasks."""
        return self.max_tasks > self.min_tasks


class Secrets(Section):
    """Secrets Manager."""

    rotation_days: int


class Observability(Section):
    """Logs, metrics and alarms."""

    log_retention_days: int
    container_insights: bool
    xray: bool
    alarm_email: str | None
    dashboard: bool


class Settings(Section):
    """One environment, complete: what the file says over the defaults of its system and tier."""

    system: System
    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    tier: Tier
    region: str
    account: str | None
    tags: dict[str, str]
    network: Network
    alb: Alb
    database: Database
    service: Service
    secrets: Secrets
    observability: Observability

    @property
    def production(self) -> bool:
        """Whether protection, retention and redundancy are on."""
        return self.tier == "production"

    @property
    def prefix(self) -> str:
        """What every name begins with: ``dev-litellm``."""
        return f"{self.environment}-{self.system}"

    def stack_name(self, stack: str) -> str:
        """Name of a stack in CloudFormation: ``dev-litellm-network``."""
        return f"{self.prefix}-{stack}"

    def export_name(self, stack: str, output: str) -> str:
        """Name of an export: ``dev-litellm-network-VpcId``."""
        return f"{self.stack_name(stack)}-{output}"

    def stack_tags(self, stack: str) -> dict[str, str]:
        """Tags of a stack and of every resource in it; ``ManagedBy`` is how gatestack knows its own."""
        own = {"Environment": self.environment, "System": self.system, "Stack": stack, "ManagedBy": "gatestack"}
        return self.tags | own
