"""Texts of docs/environment.md that are not in the settings: head, example, stacks by key. Data only."""

from __future__ import annotations

from collections.abc import Mapping

from stacks import STACKS

HEAD = """\
# The environment file

One file in `environments/` defines an environment. Two keys are required, `system` and `environment`; all
others have defaults by system and tier. `make schema` (`python -m stacks.reference`) generates this page from
the settings, and `test_reference.py` compares them.

- **takes**: the accepted values, in the words of the error message for any other value. Rules over several
  keys (memory by CPU, subnets in the VPC, connections against the database) are checked when the file is
  read. `gatestack lint ENV` reports all violations at once, with their lines.
- **default**: the most common one, then the systems with another one, then production's.
- **changes**: the stacks whose templates another value can change. `gatestack plan ENV` shows what a change
  does to existing resources.

Editors complete and check the file with `stacks/environment.schema.json`, which the first line of each
shipped file names. A key without a value counts as left out.

Settings that several environments share go into one file, which the others extend:

```yaml
# environments/base.yaml
system: litellm
tags: {CostCenter: "4711"}
service: {cpu: 1024, memory_mb: 2048}
```

```yaml
# environments/staging.yaml
extends: base.yaml
environment: staging
service: {memory_mb: 4096}
```

- The path is relative to the folder of the extending file. Up to ten files can extend one another. Maps are
  merged key by key; lists, texts and numbers replace the inherited value.
- A key without a value keeps the inherited value or the default. An inherited key of a map, a tag for
  instance, cannot be removed: a setting that not every environment needs does not belong in the base.
- A file without `environment`, its own or inherited, is a base. No command accepts it as an environment;
  `gatestack lint base` reports what is missing for one. A base can be incomplete. Errors in it are reported
  with its own name and line.
- `gatestack show ENV --origin` prints the complete resulting file, and where each value comes from.
- The pipelines run on every change below `environments/`. A base in another folder must be added to their
  paths."""

EXAMPLE = """\
# yaml-language-server: $schema=../stacks/environment.schema.json
system: litellm
environment: staging # part of every name: staging-litellm-network
tier: production
region: eu-central-1
account: "123456789012" # credentials of another account are refused
tags:
  CostCenter: "4711"

network:
  nat_gateways: 2 # one per zone
  flow_logs: true

alb:
  domain_name: llm.example.com # yours: an HTTPS certificate and a DNS record are created for it
  hosted_zone_id: Z0123456789ABCDEFGHIJ
  allowed_cidrs: [203.0.113.0/24]
  admin_cidrs: [203.0.113.0/28] # who can reach the admin UI and the management routes

database:
  instance_class: db.m7g.xlarge
  backup_retention_days: 14

service:
  image: ecr # the environment's own repository, created by the deployment; or a public image
  image_tag: v1.108.7
  min_tasks: 2
  max_tasks: 6
  providers: [openai, bedrock]
  bedrock_models: [eu.anthropic.claude-haiku-4-5-20251001-v1:0]
  config: # LiteLLM's config.yaml, merged with the default one
    model_list:
      - model_name: gpt
        litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}

observability:
  alarm_email: llm-alarms@example.com
  alarms:
    healthy_tasks: 2
    stopped_tasks: true
"""

MEANINGS: Mapping[str, str] = {
    "system": "The application that runs: see [systems](systems/README.md).",
    "region": "Region of all resources; a command's `--region` takes precedence",
    "tier default": "`dev`",
    "network.public_subnet_cidrs default": "from vpc_cidr",
    "network.private_subnet_cidrs default": "from vpc_cidr",
    "network.data_subnet_cidrs default": "from vpc_cidr",
    "network.availability_zones default": "chosen at the first deployment",
    "network.existing_vpc.vpc_id": "An existing VPC ([existing](existing.md)); gatestack then creates none",
    "alb.domain_name": "Host name for clients; certificate and DNS record are created with hosted_zone_id",
    "alb.deletion_protection": "AWS refuses to delete the load balancer until this is false",
    "alb.health_check.path": "Path that is requested from every task; 200 means healthy",
    "alb.health_check.interval_seconds": "Time between two checks",
    "alb.health_check.timeout_seconds": "A later response is a failure; must be less than the interval",
    "alb.access_logs": "Log every request in an S3 bucket of its own",
    "database.existing.host": "An existing PostgreSQL ([existing](existing.md)); no other is created",
    "database.existing.port": "Its port",
    "cache.existing.host": "An existing Redis ([existing](existing.md)); no other is created",
    "cache.existing.port": "Its port",
    "cache.existing.tls": "Whether it accepts TLS; with false everything is sent in clear text",
    "database.storage_gb": "Initial storage (gp3)",
    "database.multi_az": "A standby in the other zone that takes over automatically; required in production",
    "database.deletion_protection": "AWS refuses to delete the database until this is false",
    "cache.enabled": "Whether the environment has a Redis",
    "cache.node_type": "Size of each node",
    "dispatcher.enabled": "Whether it runs",
    "dispatcher.cpu": "CPU units; 1024 are one vCPU",
    "dispatcher.memory_mb": "Fargate allows certain sizes with each CPU size",
    "dispatcher.tasks": "Number of tasks; it does not scale",
    "observability.alarms.database_cpu_percent": "The database's CPU, over fifteen minutes",
    "observability.log_retention_days": "How long CloudWatch keeps every log of the environment",
    "observability.container_insights": "Container Insights: metrics per task, charged per metric",
    "observability.xray": "Whether tasks may write traces to X-Ray",
    "observability.dashboard": "A CloudWatch dashboard of the environment",
    "deployment.timeout_minutes.security": "For this stack",
    "deployment.timeout_minutes.network": "For this stack",
    "deployment.timeout_minutes.alb": "For this stack",
    "deployment.timeout_minutes.database": "For this stack",
    "deployment.timeout_minutes.service": "For this stack",
    "pipelines.azure_devops.project": "Name of the project in the organization",
    "service.port": "Port on which the container answers",
    "service.architecture": "CPU architecture of the tasks; the image must support it",
    "service.min_tasks": "Scaling never goes below this",
    "service.max_tasks": "Scaling never goes above this; equal to min_tasks: no scaling",
    "service.health_check.path": "Path that is requested inside the container",
    "service.health_check.interval_seconds": "Time between two checks",
    "service.health_check.timeout_seconds": "A later response is a failure; must be less than the interval",
    "service.stop_timeout_seconds": "Time from SIGTERM to SIGKILL, for a task to finish its responses",
}
"""What keys mean that have no docstring; a key and " default" where there is no value to show."""

CHANGES: Mapping[str, tuple[str, ...]] = {
    "system": STACKS,
    "environment": STACKS,
    "tier": STACKS,
    "region": ("security", "network", "database", "service"),
    "tags": STACKS,
    "extends": STACKS,
    "network": ("network",),
    "network.data_subnets": ("network", "database"),
    "network.vpc_cidr": ("network", "service"),
    "network.public_subnet_cidrs": ("network", "service"),
    "network.private_subnet_cidrs": ("network", "service"),
    "network.nat_gateways": ("network", "service"),
    "alb": ("alb",),
    "alb.certificate_arn": ("network", "alb"),
    "alb.domain_name": ("alb", "service"),
    "alb.internal": ("alb", "service"),
    "alb.idle_timeout_seconds": ("alb", "service"),
    "alb.allowed_cidrs": ("network",),
    "alb.test_port": ("network", "alb"),
    "alb.test_cidrs": ("network",),
    "database": ("database",),
    "database.engine": ("database", "service"),
    "database.iam_authentication": ("database", "service"),
    "database.verify_certificate": ("database", "service"),
    "database.snapshot_identifier": ("database", "service"),
    "database.snapshot_before_migration": (),
    "database.existing": ("database", "service"),
    "database.existing.port": ("network", "database", "service"),
    "database.existing.secret_arn": ("security", "database", "service"),
    "database.existing.kms_key_arn": ("security", "service"),
    "database.existing.cidr": ("network",),
    "cache": ("database",),
    "cache.nodes": ("database", "service"),
    "cache.existing": ("service",),
    "cache.existing.host": ("security", "network", "database", "service"),
    "cache.existing.port": ("network", "service"),
    "cache.existing.secret_arn": ("security", "service"),
    "cache.existing.kms_key_arn": ("security", "service"),
    "cache.existing.cidr": ("network",),
    "cache.enabled": ("security", "network", "database", "service"),
    "cache.transit_encryption": ("security", "database", "service"),
    "service": ("service",),
    "service.image": ("security", "database", "service"),
    "service.image_tag": ("security", "database", "service"),
    "service.port": ("network", "alb", "service"),
    "service.architecture": ("database", "service"),
    "service.min_tasks": ("security", "service"),
    "service.max_tasks": ("security", "service"),
    "service.deployment_strategy": ("network", "alb", "service"),
    "service.workers": ("security", "service"),
    "service.log_mode": ("database", "service"),
    "service.log_buffer_mb": ("database", "service"),
    "service.log_level": ("security", "database", "service"),
    "service.execute_command": ("security", "network", "database", "service"),
    "service.environment": ("database", "service"),
    "extend": STACKS,
    "extend.stacks": (),
    "service.parameters": ("security", "database", "service"),
    "service.secrets": ("security", "service"),
    "service.secrets_from": ("service",),
    "service.providers": ("security", "service"),
    "service.bedrock_models": ("security", "service"),
    "service.config": ("security", "service"),
    "service.sidecars": ("security", "service"),
    "service.task_policy": ("security", "service"),
    "service.accepted_advisories": (),
    "service.managed_policies": ("security",),
    "dispatcher": ("service",),
    "dispatcher.enabled": ("security", "service"),
    "sso": ("service",),
    "sso.provider": ("security", "alb", "service"),
    "secrets": ("security", "database", "service"),
    "observability": ("service",),
    "observability.log_retention_days": STACKS,
    "observability.log_archive_days": ("security", "database", "service"),
    "observability.cloudtrail": ("security",),
    "observability.cloudtrail_days": ("security",),
    "observability.container_insights": ("database", "service"),
    "observability.xray": ("security", "network"),
    "observability.collector": ("security", "service"),
    "observability.collector_image": ("security", "service"),
    "observability.prompt_logs.keep_days": ("security", "service"),
    "observability.prompt_logs.audit": ("security", "service"),
    "observability.alarm_email": ("security",),
    "observability.alarms.stopped_tasks": ("security", "service"),
    "observability.alarms.database_cpu_percent": ("database",),
    "observability.alarms.cache_evictions": ("database",),
    "observability.rollback_alarms": (),
    "observability.rollback_monitoring_minutes": (),
    "pipelines.permissions_boundary": ("security", "network", "database", "service"),
}
"""
Key or section -> the stacks whose templates another value changes; the longest that fits counts.

`test_reference.py` finds the same by rendering environments with other values.
"""
