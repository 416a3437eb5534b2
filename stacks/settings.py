"""
The typed environment file: all sections, and values derived from them. Reads no file and makes no AWS
calls.

`stacks.environment.load` creates a `Settings`: it merges the defaults and checks rules across several keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from pydantic import PrivateAttr

from stacks.checking import fields, limits
from stacks.extensions import Added
from stacks.sections import Section
from stacks.sections.database import Cache, Database, ExistingCache, ExistingDatabase
from stacks.sections.extend import Extend
from stacks.sections.network import Alb, ExistingVpc, Network
from stacks.sections.operation import Deployment, Dispatcher, Observability, Secrets
from stacks.sections.pipelines import Pipelines
from stacks.sections.service import Service
from stacks.sections.sso import Sso
from stacks.sections.usage import Usage

__all__ = ["Database", "EnvironmentFile", "ExistingVpc", "Service", "Settings", "System", "Tier"]

System = Literal["litellm", "litellm-benchmark", "llm-proxy", "llm-testing"]
Tier = Literal["dev", "production"]


class Settings(Section):
    """One environment, complete: what the file says over the defaults of its system and tier."""

    system: System
    environment: fields.EnvironmentName
    """Part of every name: 1 to 16 lower-case letters, digits and hyphens."""
    tier: Tier
    """Selects the defaults. Production also refuses settings that would lose data or expose secrets."""
    region: fields.Region
    account: fields.Account | None
    """Twelve digits, in quotes; deploying with the credentials of another account is refused."""
    tags: dict[str, str]
    """Added to every resource, with gatestack's own tags."""
    network: Network
    alb: Alb
    database: Database
    cache: Cache
    service: Service
    dispatcher: Dispatcher
    sso: Sso
    secrets: Secrets
    observability: Observability
    deployment: Deployment
    pipelines: Pipelines
    usage: Usage
    extend: Extend
    _added: Added = PrivateAttr(default=Added())

    @property
    def added(self) -> Added:
        """What `extend` names, read from its files; empty until that is done (`stacks.environment`)."""
        return self._added

    def adding(self, added: Added) -> Settings:
        """Return the same settings with what `extend` names."""
        copy = self.model_copy()
        copy._added = added  # noqa: SLF001 - of its own class
        return copy

    @property
    def production(self) -> bool:
        """Whether protection, retention and redundancy are on."""
        return self.tier == "production"

    @property
    def prefix(self) -> str:
        """What every name begins with: ``dev-litellm``."""
        return f"{self.environment}-{self.system}"

    @property
    def keeps_data(self) -> bool:
        """Whether there is a database or a cache of the environment's own."""
        return self.database.exists or self.cache.exists

    @property
    def alb_name(self) -> str:
        """Name of the load balancer; another one when it is internal, since that replaces it."""
        return f"{self.prefix}-vpc" if self.alb.internal else self.prefix

    @property
    def closed(self) -> bool:
        """Whether private subnets have no way to the internet; an existing VPC is taken to have one."""
        return self.network.nat_gateways == 0 and self.network.existing_vpc is None

    @property
    def given(self) -> Mapping[tuple[str, str], str]:
        """Stack and output -> value, of existing resources, which no stack exports."""
        return {place: value for one in self.existing_stores.values() for place, value in one.given.items()}

    @property
    def existing_stores(self) -> Mapping[str, ExistingDatabase | ExistingCache]:
        """Key of the file -> the existing database and cache."""
        there = {"database.existing": self.database.existing, "cache.existing": self.cache.existing}
        return {key: one for key, one in there.items() if one}

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

    def named(self, program: str) -> str:
        """Name of a program's service and of its task family: ``dev-litellm-proxy`` (S1)."""
        return f"{self.prefix}-{program}"

    def log_group_of(self, program: str) -> str:
        """Log group of a program's tasks: ``/ecs/dev-litellm-proxy`` (S1)."""
        return f"/ecs/{self.named(program)}"

    @property
    def command_log_group(self) -> str:
        """Where commands in tasks are recorded: ``/ecs/dev-litellm-commands``."""
        return self.log_group_of("commands")

    @property
    def login_secret_name(self) -> str:
        """Name of the secret that tasks log in to the database with: ``dev-litellm/database-login``."""
        return self.secret_name("database-login")

    @property
    def database_version(self) -> str:
        """Full version to create the database with: the configured one, or the tested minor of its major."""
        version = self.database.engine_version
        return limits.LIVE_MINORS.get(version, version)

    @property
    def alarm_topic_name(self) -> str:
        """Name of the topic that alarms tell: ``dev-litellm-alarms``."""
        return f"{self.prefix}-alarms"

    @property
    def trail_name(self) -> str:
        """Name of CloudTrail's trail: ``dev-litellm-trail``."""
        return f"{self.prefix}-trail"

    @property
    def firewall_log_group(self) -> str:
        """Log group of the firewall; AWS WAF wants this beginning: ``aws-waf-logs-dev-litellm``."""
        return f"aws-waf-logs-{self.prefix}"

    @property
    def archive_stream_name(self) -> str:
        """Name of the stream that logs go to their archive by: ``dev-litellm-log-archive``."""
        return f"{self.prefix}-log-archive"

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


class EnvironmentFile(Settings):
    """What a file may say: the settings, and which file they lie over."""

    extends: str | None = None
    """Another environment file, by its path relative to this file's folder. Its settings apply where this
    file has none."""
