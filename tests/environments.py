"""
Any environment file: a strategy for every key, and a strategy for files in which the keys go together.

`VALUES` knows each key by itself. `files` draws a few of them, or many, and those that depend on each other
together, so that most files are right; the rest is what the checks over several keys are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from hypothesis import reject
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks import environment
from stacks.checking import limits, subnets
from stacks.checking.problems import _model_of
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import application

File: TypeAlias = dict[str, Any]
Drawn: TypeAlias = dict[str, Any]
"""Values by their keys with dots, as a file has them."""

PATH = Path("any.yaml")
SYSTEMS = ("litellm", "litellm-benchmark", "llm-proxy", "llm-testing")
FIRST = ("system", "environment", "tier", "region", "account")
"""What every other key may depend on."""


def leaves(model: type[BaseModel] = Settings, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key that holds a value, with dots, and what it takes."""
    for name, info in model.model_fields.items():
        section = _model_of(info.annotation)
        if section:
            yield from leaves(section, f"{above}{name}.")
        else:
            yield f"{above}{name}", info


# --- each key by itself --------------------------------------------------------------------------


def numbers(low: int, high: int) -> st.SearchStrategy[int]:
    """Whole numbers of which the ends and the small ones are as likely as all others."""
    return st.sampled_from(sorted({low, min(low + 1, high), high})) | st.integers(low, high)


def _maps(
    keys: st.SearchStrategy[str], values: st.SearchStrategy[Any], most: int = 3
) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=most)


def _ranges(least: int, most: int) -> st.SearchStrategy[str]:
    """IPv4 ranges with a prefix of *least* to *most* bits."""
    made = st.builds(
        lambda address, size: str(IPv4Network((address, size), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(least, most),
    )
    usual = ["10.0.0.0/16", "192.168.0.0/20", "172.31.0.0/24", "100.64.0.0/22", "10.1.2.0/25"]
    return st.sampled_from([one for one in usual if least <= IPv4Network(one).prefixlen <= most]) | made


def _ids(kind: str, least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    one = st.text("0123456789abcdef", min_size=17, max_size=17).map(f"{kind}-{{}}".format)
    return st.lists(
        one | one.map(lambda long: long[: len(kind) + 9]), min_size=least, max_size=most, unique=True
    )


PRINTED = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), max_size=12)
"""ASCII without spaces, signs of every language and template in it."""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        " x ",
        "true",
        "012",
        "a,b",
        "it's",
        'say "no"',
        "100%",
        "${HOME}",
        "{{x}}",
        "🚀",
        "$(id)",
        "\u2028é",
    ]
)
PATHS = st.sampled_from(["/", "/health", "/health/liveliness", "/ready?full=1"]) | PRINTED.map("/{}".format)
VARIABLES = st.sampled_from(
    ["FOO_BAR", "LOG_FORMAT", "REGION", "_x", "DATABASE_POOL_SIZE", "HTTP_PROXY"]
) | st.text("ABXYz_09", min_size=1, max_size=8)
PARAMETERS = st.sampled_from(
    ["rate-limit-rpm", "redis-db", "foo-bar", "cache-enabled", "global-rate-limit"]
) | st.from_regex(r"[ab][ab1-]{0,4}", fullmatch=True)
MODELS = st.sampled_from(
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.amazon.nova-lite-v1:0",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "amazon.titan-embed-text-v2:0",
    ]
)
REGIONS = ("us-east-1", "us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1")
ARN = "arn:{partition}:acm:{region}:{account}:certificate/12345678-1234-1234-1234-123456789012"
POSTGRES = {
    "log_min_messages": st.sampled_from(["warning", "error"]),
    "max_connections": st.integers(6, 262_143).map(str)
    | st.just("LEAST({DBInstanceClassMemory/9531392},5000)"),
    "shared_buffers": st.sampled_from(["131072", "{DBInstanceClassMemory/32768}"]),
    "work_mem": st.just("5120"),
    "rds.force_ssl": st.sampled_from(["0", "1"]),
    "random_page_cost": st.just("1.1"),
}
REDIS = {
    "maxmemory-policy": st.sampled_from(["allkeys-lru", "noeviction"]),
    "timeout": st.sampled_from(["0", "300"]),
    "notify-keyspace-events": st.just("Ex"),
}
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "model_list": st.lists(
            st.fixed_dictionaries(
                {
                    "model_name": TEXT,
                    "litellm_params": st.fixed_dictionaries(
                        {
                            "model": st.sampled_from(
                                ["openai/gpt-4o", "anthropic/claude", "azure/x", "bedrock/y"]
                            )
                        },
                        optional={
                            "api_base": st.just("https://models.example.com"),
                            "rpm": st.integers(1, 9),
                        },
                    ),
                }
            ),
            max_size=2,
        ),
        "general_settings": st.fixed_dictionaries(
            {},
            optional={"database_connection_pool_limit": st.integers(1, 20), "alerting": st.just(["slack"])},
        ),
        "litellm_settings": st.fixed_dictionaries(
            {}, optional={"success_callback": st.lists(TEXT, max_size=2), "cache": st.booleans()}
        ),
        "router_settings": _maps(
            st.sampled_from(["num_retries", "routing_strategy"]), st.integers(0, 9) | TEXT
        ),
    },
)
PAIRS = st.tuples(_ranges(16, 28), _ranges(16, 28)).map(list)
CPUS = st.sampled_from(sorted(limits.FARGATE_MEMORY_MB))
MEMORY = st.sampled_from(sorted({size for sizes in limits.FARGATE_MEMORY_MB.values() for size in sizes}))
LATER_VERSIONS = ["15", "16", "17", "15.13", "15.15", "16.9", "16.11", "17.5", "17.7", "18.1"]

VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "system": st.sampled_from(SYSTEMS),
    "environment": st.sampled_from(["dev", "e" * 16, "a1-b2"])
    | st.from_regex(r"[b-r](-?[a-z0-9]){0,7}", fullmatch=True),
    "tier": st.sampled_from(["dev", "production"]),
    "region": st.sampled_from(REGIONS),
    "account": st.sampled_from([None, "123456789012", "012345678901"]),
    "tags": _maps(
        st.text("tagxyz:/= é", min_size=1, max_size=9) | st.just("k" * 127),
        st.text("v é1@", min_size=1, max_size=6) | st.just("v" * 255),
        most=5,
    ),
    "network.vpc_cidr": _ranges(16, 28),
    "network.public_subnet_cidrs": PAIRS,
    "network.private_subnet_cidrs": PAIRS,
    "network.data_subnet_cidrs": PAIRS,
    "network.nat_gateways": st.sampled_from([0, 1, 2]),
    "network.vpc_endpoints": st.booleans(),
    "network.endpoint_zones": st.sampled_from([1, 2]),
    "network.data_subnets": st.booleans(),
    "network.flow_logs": st.booleans(),
    "network.existing_vpc.vpc_id": _ids("vpc", 1, 1).map(lambda ids: ids[0]),
    "network.existing_vpc.public_subnet_ids": _ids("subnet"),
    "network.existing_vpc.private_subnet_ids": _ids("subnet"),
    "network.existing_vpc.data_subnet_ids": _ids("subnet"),
    "alb.certificate_arn": st.sampled_from(
        [None, ARN.format(partition="aws", region="us-east-1", account="123456789012")]
    ),
    "alb.domain_name": st.sampled_from([None, "llm.example.com", "a.b-c.example.org"]),
    "alb.hosted_zone_id": st.sampled_from([None, "Z0123456789ABCDEFGHIJ"]),
    "alb.waf": st.booleans(),
    "alb.waf_rate_limit": numbers(10, 2_000_000_000),
    "alb.deletion_protection": st.booleans(),
    "alb.idle_timeout_seconds": numbers(1, 4000),
    "alb.deregistration_delay_seconds": numbers(0, 3600),
    "alb.health_check.path": PATHS,
    "alb.health_check.interval_seconds": numbers(5, 300),
    "alb.health_check.timeout_seconds": numbers(2, 120),
    "alb.health_check.healthy_count": numbers(2, 10),
    "alb.health_check.unhealthy_count": numbers(2, 10),
    "alb.internal": st.booleans(),
    "alb.allowed_cidrs": st.lists(_ranges(0, 32), min_size=1, max_size=4, unique=True),
    "alb.access_logs": st.booleans(),
    "alb.test_port": numbers(1, 65535) | st.sampled_from([80, 443, 8443]),
    "alb.test_cidrs": st.lists(_ranges(0, 32), max_size=3, unique=True),
    "database.engine": st.sampled_from(["none", "postgres", "aurora-postgresql"]),
    "database.engine_version": st.sampled_from(LATER_VERSIONS),
    "database.instance_class": st.sampled_from(
        ["db.t3.micro", "db.t4g.medium", "db.m6g.large", "db.r6g.xlarge", "db.m7g.2xlarge", "db.r5.large"]
    ),
    "database.storage_gb": numbers(20, 65536),
    "database.max_storage_gb": numbers(20, 65536),
    "database.multi_az": st.booleans(),
    "database.min_acu": numbers(0, 512).map(lambda halves: halves / 2) | st.integers(0, 256),
    "database.max_acu": numbers(2, 512).map(lambda halves: halves / 2) | st.integers(1, 256),
    "database.reader_instances": numbers(0, 15),
    "database.backup_retention_days": numbers(0, 35),
    "database.deletion_protection": st.booleans(),
    "database.performance_insights": st.booleans(),
    "database.parameters": st.fixed_dictionaries({}, optional=POSTGRES),
    "database.iam_authentication": st.booleans(),
    "database.snapshot_identifier": st.sampled_from(
        [None, "before", "rds:prod-db-2026-11-01-03-00", "arn:aws:rds:us-east-1:123456789012:snapshot:shared"]
    ),
    "database.connection_alarm": numbers(1, 262_143),
    "cache.enabled": st.booleans(),
    "cache.node_type": st.sampled_from(
        ["cache.t4g.micro", "cache.t3.small", "cache.m6g.large", "cache.r7g.xlarge"]
    ),
    "cache.nodes": numbers(1, 6),
    "cache.transit_encryption": st.sampled_from(["required", "preferred"]),
    "cache.parameters": st.fixed_dictionaries({}, optional=REDIS),
    "cache.snapshot_retention_days": numbers(0, 35),
    "service.image": st.sampled_from(
        ["ecr", "ghcr.io/berriai/litellm-database", "registry.example.com:5000/a/b_c"]
    ),
    "service.image_tag": st.sampled_from(["v1.93.0", "latest", "sha256:" + "0a" * 32, "_" * 128]),
    "service.port": numbers(1, 65535),
    "service.cpu": CPUS,
    "service.memory_mb": MEMORY,
    "service.architecture": st.sampled_from(["x86_64", "arm64"]),
    "service.desired_count": numbers(0, 5000),
    "service.min_tasks": numbers(0, 5000),
    "service.max_tasks": numbers(1, 5000),
    "service.cpu_target_percent": numbers(1, 100),
    "service.memory_target_percent": numbers(0, 100),
    "service.requests_per_target": numbers(0, 1_000_000),
    "service.scale_out_cooldown_seconds": numbers(0, 3600),
    "service.scale_in_cooldown_seconds": numbers(0, 3600),
    "service.deployment_strategy": st.sampled_from(["rolling", "blue_green", "canary", "linear"]),
    "service.shift_percent": numbers(1, 99),
    "service.shift_minutes": numbers(0, 1440),
    "service.bake_minutes": numbers(0, 1440),
    "service.deployment_alarms": st.booleans(),
    "service.workers": numbers(1, 64),
    "service.spot": st.booleans(),
    "service.log_level": st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"]),
    "service.health_check.path": PATHS,
    "service.health_check.interval_seconds": numbers(5, 300),
    "service.health_check.timeout_seconds": numbers(2, 60),
    "service.health_check.retries": numbers(1, 10),
    "service.health_check.start_seconds": numbers(0, 300),
    "service.grace_seconds": numbers(0, 7200),
    "service.stop_timeout_seconds": numbers(1, 120),
    "service.environment": _maps(VARIABLES, TEXT),
    "service.parameters": _maps(PARAMETERS, TEXT.filter(lambda text: text and "{{" not in text)),
    "service.execute_command": st.booleans(),
    "service.keep_images": st.booleans(),
    "service.providers": st.lists(
        st.sampled_from(["openai", "anthropic", "bedrock"]), max_size=3, unique=True
    ),
    "service.bedrock_models": st.lists(MODELS, max_size=3),
    "service.config": CONFIG,
    "dispatcher.enabled": st.booleans(),
    "dispatcher.backend": st.sampled_from(["file", "lunary", "helicone"]),
    "dispatcher.endpoint": st.none()
    | st.just("/var/events.jsonl")
    | PRINTED.map("https://e.example.com/{}".format),
    "dispatcher.cpu": CPUS,
    "dispatcher.memory_mb": MEMORY,
    "dispatcher.tasks": numbers(1, 10),
    "secrets.rotation_days": numbers(1, 1000),
    "observability.log_retention_days": st.sampled_from(limits.LOG_RETENTION_DAYS),
    "observability.log_archive_days": numbers(0, 36_500),
    "observability.cloudtrail": st.booleans(),
    "observability.cloudtrail_days": numbers(1, 36_500),
    "observability.container_insights": st.booleans(),
    "observability.xray": st.booleans(),
    "observability.alarm_email": st.sampled_from([None, "on-call+llm@example.com", "o'neil_{x}@a.io"]),
    "observability.alarms.cpu_percent": numbers(1, 99),
    "observability.alarms.memory_percent": numbers(1, 99),
    "observability.alarms.server_errors": numbers(0, 1_000_000),
    "observability.alarms.server_error_percent": numbers(0, 99),
    "observability.alarms.latency_milliseconds": numbers(0, 4_000_000),
    "observability.alarms.latency_percentile": numbers(50, 99),
    "observability.alarms.healthy_tasks": numbers(0, 5000),
    "observability.alarms.stopped_tasks": st.booleans(),
    "observability.alarms.database_cpu_percent": numbers(1, 99),
    "observability.dashboard": st.booleans(),
    "observability.rollback_alarms": st.lists(
        st.sampled_from(["errors", "a b/c", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:x"]), max_size=5
    ),
    "observability.rollback_monitoring_minutes": numbers(0, 180),
    "deployment.timeout_minutes.security": numbers(1, 1440),
    "deployment.timeout_minutes.network": numbers(1, 1440),
    "deployment.timeout_minutes.alb": numbers(1, 1440),
    "deployment.timeout_minutes.database": numbers(1, 1440),
    "deployment.timeout_minutes.service": numbers(1, 1440),
}
"""Key -> values that its own check takes; of what AWS has a list of, like instance classes, real ones."""


# --- keys together -------------------------------------------------------------------------------


@dataclass
class Draft:
    """A file on its way."""

    draw: st.DrawFn
    keys: Drawn

    def __getitem__(self, key: str) -> Any:
        """What *key* will mean: drawn, or the system's default."""
        if key in self.keys:
            return self.keys[key]
        value: Any = environment.defaults(self.keys["system"], self.keys["tier"])
        for part in key.split("."):
            value = (value or {}).get(part)
        return value

    def unused(self, key: str) -> bool:
        """Whether its system has no use for *key*."""
        return environment.is_unused(self.keys["system"], key)

    def set(self, **values: Any) -> None:
        """Set keys, spelled with ``__`` for a dot."""
        for name, value in values.items():
            key = name.replace("__", ".")
            if not self.unused(key):
                self.keys[key] = value

    def value(self, key: str) -> Any:
        """Draw *key* by itself."""
        self.set(**{key.replace(".", "__"): self.draw(VALUES[key])})
        return self[key]

    def chance(self) -> bool:
        """Decide something."""
        return self.draw(st.booleans())


Group: TypeAlias = Callable[[Draft], None]


def _entrance(draft: Draft) -> None:
    """Draw certificate, name and zone; production is not left without HTTPS, unless it is internal."""
    ways = ["certificate", "domain", "both", "internal", "internal domain", "open"]
    way = draft.draw(st.sampled_from(ways[:-1] if draft["tier"] == "production" else ways))
    draft.set(alb__internal="internal" in way)
    if way in {"certificate", "both"}:
        region = draft["region"]
        partition = {"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn"}.get(region, "aws")
        account = draft["account"] or "123456789012"
        draft.set(alb__certificate_arn=ARN.format(partition=partition, region=region, account=account))
    if "domain" in way or way == "both":
        draft.set(alb__domain_name=draft.draw(VALUES["alb.domain_name"].filter(bool)))
        if way != "both" or draft.chance():
            draft.set(alb__hosted_zone_id="Z0123456789ABCDEFGHIJ")


def _providers(draft: Draft) -> None:
    """Draw who is called and by which way: without a NAT gateway Bedrock only."""
    known = application(draft["system"]).providers
    closed = "bedrock" in known and draft.chance()
    if closed:
        draft.set(network__nat_gateways=0, network__vpc_endpoints=True, service__image="ecr")
    some = st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)
    chosen = ["bedrock"] if closed else draft.draw(some)
    models = draft.draw(st.lists(MODELS, min_size=1, max_size=3)) if "bedrock" in chosen else []
    draft.set(service__providers=chosen, service__bedrock_models=models)


def _addresses(draft: Draft) -> None:
    """Draw a range for the VPC, and subnets where those that follow from it do not fit."""
    vpc = IPv4Network(draft.draw(_ranges(16, 25)))
    draft.set(network__vpc_cidr=str(vpc))
    if draft.chance():
        draft.value("network.data_subnets")
    network = {"data_subnets": draft["network.data_subnets"]}
    short = any(subnets.derived(str(vpc))[key] is None for key in subnets.used(network))
    if not (short or draft.chance()):
        return
    halves = [*next(iter(vpc.subnets())).subnets(new_prefix=vpc.prefixlen + 2)]
    quarters = [*list(vpc.subnets())[1].subnets(new_prefix=vpc.prefixlen + 3)]
    # /25 has room for two of /27 and four of /28: the larger ones are the load balancer's.
    larger, (one, two, three, four) = halves, quarters
    pairs = {"public": larger, "private": [one, two], "data": [three, four]}
    if draft["alb.internal"]:
        pairs |= {"public": [one, two], "private": larger}
    for kind, pair in pairs.items():
        draft.set(**{f"network__{kind}_subnet_cidrs": [str(subnet) for subnet in pair]})


def _existing(draft: Draft) -> None:
    """Draw a VPC that is there, with the subnets that are needed and perhaps some that are not."""
    ids = draft.draw(_ids("subnet", 8, 8))
    here = "network__existing_vpc__"
    draft.value("network.existing_vpc.vpc_id")
    draft.set(**{f"{here}private_subnet_ids": ids[:2]})
    if not draft["alb.internal"] or draft.chance():
        draft.set(**{f"{here}public_subnet_ids": ids[3:5]})
    if draft["network.data_subnets"] or draft.chance():
        draft.set(**{f"{here}data_subnet_ids": ids[6:]})


def _database(draft: Draft) -> None:
    if draft.unused("database"):
        return
    aurora = draft.draw(st.sampled_from(["postgres", "aurora-postgresql"])) != "postgres"
    first = limits.FIRST_LIVE_MINOR_OF_AURORA if aurora else limits.FIRST_LIVE_MINOR
    draft.set(database__engine="aurora-postgresql" if aurora else "postgres")
    versions = [one for one in LATER_VERSIONS if one.partition(".")[0] in first]
    draft.set(database__engine_version=draft.draw(st.sampled_from(versions)))
    for key in ("snapshot_identifier", "performance_insights", "deletion_protection", "iam_authentication"):
        if key != "iam_authentication" or draft["system"].startswith("litellm"):
            draft.value(f"database.{key}")
    production = draft["tier"] == "production"
    least = limits.PRODUCTION_BACKUP_DAYS if production else int(aurora)
    draft.set(database__backup_retention_days=draft.draw(numbers(least, 35)))
    draft.set(database__multi_az=draft.draw(st.just(value=True) if production else st.booleans()))
    low, high = sorted([draft.draw(VALUES["database.min_acu"]), draft.draw(VALUES["database.max_acu"])])
    draft.set(database__min_acu=low, database__max_acu=max(high, 1))
    draft.value("database.reader_instances")


def _storage(draft: Draft) -> None:
    size = draft.draw(numbers(20, 50_000))
    grown = draft.draw(st.just(size) | st.integers(-(-size * 11 // 10), 65_536))
    draft.set(database__storage_gb=size, database__max_storage_gb=grown)


def _cache(draft: Draft) -> None:
    """Draw the cache and who reads events out of it; the LLM Proxy's bus knows no TLS."""
    if draft.unused("cache"):
        return
    proxy = draft["system"] == "llm-proxy"
    enabled = draft.draw(VALUES["cache.enabled"])
    modes = ["preferred"] if proxy else ["required", "preferred"]
    draft.set(cache__enabled=enabled, cache__transit_encryption=draft.draw(st.sampled_from(modes)))
    draft.set(dispatcher__enabled=enabled and draft.chance())
    for key in ("node_type", "nodes", "parameters", "snapshot_retention_days"):
        draft.value(f"cache.{key}")


def _size(draft: Draft, section: str) -> None:
    cpu = draft.draw(CPUS)
    memory = draft.draw(st.sampled_from(limits.FARGATE_MEMORY_MB[cpu]))
    draft.set(**{f"{section}__cpu": cpu, f"{section}__memory_mb": memory})


def _tasks(draft: Draft) -> None:
    """Draw the tasks and what they open, then a database that has as many connections."""
    counts = numbers(0, 12) | numbers(0, 5000)
    low, wanted, high = sorted(draft.draw(st.tuples(counts, counts, counts)))
    draft.set(service__min_tasks=low, service__desired_count=wanted, service__max_tasks=max(high, 1))
    draft.set(service__workers=draft.draw(numbers(1, 8)) if high <= 100 else 1)
    draft.set(observability__alarms__healthy_tasks=draft.draw(numbers(0, low)) if low else 0)


def _strategy(draft: Draft) -> None:
    """Draw how deployments go, within the deployer's patience."""
    strategy = draft.draw(VALUES["service.deployment_strategy"])
    percent = draft.draw(numbers(3, 99))
    shifts = {"canary": 1, "linear": -(-100 // percent) - 1}.get(strategy, 0)
    patience = draft.draw(numbers(40, 1440))
    bake = draft.draw(numbers(0, patience // 2))
    minutes = draft.draw(numbers(0, (patience - bake - 1) // shifts if shifts else 1440))
    draft.set(service__deployment_strategy=strategy, service__shift_percent=percent)
    draft.set(service__shift_minutes=minutes, service__bake_minutes=bake)
    draft.set(deployment__timeout_minutes__service=patience)
    draft.value("service.deployment_alarms")


def _logs(draft: Draft) -> None:
    kept = draft.value("observability.log_retention_days")
    draft.set(observability__log_archive_days=draft.draw(st.just(0) | numbers(kept + 1, 36_500)))


def _health(draft: Draft) -> None:
    seconds = draft.draw(VALUES["alb.health_check.interval_seconds"])
    draft.set(alb__health_check__interval_seconds=seconds)
    draft.set(alb__health_check__timeout_seconds=draft.draw(numbers(2, min(seconds - 1, 120))))


def _config(draft: Draft) -> None:
    """Draw LiteLLM's own file, and what it refers to."""
    config = draft.draw(CONFIG)
    for model in config.get("model_list", ()):
        provider = model["litellm_params"]["model"].partition("/")[0]
        if provider not in (*draft["service.providers"], "azure"):
            model["litellm_params"]["mock_response"] = "yes"
    draft.set(service__config=config)


def _consequences(draft: Draft) -> None:
    """Set what follows from the rest, so that it does not contradict itself by what the defaults say."""
    if draft["service.deployment_strategy"] != "rolling":
        draft.set(service__requests_per_target=0, observability__alarms__healthy_tasks=0)
    if draft["observability.log_archive_days"] <= draft["observability.log_retention_days"]:
        draft.keys.pop("observability.log_archive_days", None)
    if draft["observability.alarms.healthy_tasks"] > draft["service.min_tasks"]:
        draft.set(observability__alarms__healthy_tasks=0)
    if draft["observability.alarms.latency_milliseconds"] >= draft["alb.idle_timeout_seconds"] * 1000:
        draft.set(observability__alarms__latency_milliseconds=draft["alb.idle_timeout_seconds"] * 1000 - 1)
    if draft["tier"] == "production" and draft["service.log_level"] == "DEBUG":
        draft.set(service__log_level="INFO")
    if draft["tier"] == "production" and draft["service.image_tag"] == "latest":
        draft.set(service__image_tag="v1.93.0")
    if not draft.unused("database"):
        _budget(draft)


def _budget(draft: Draft) -> None:
    general = (draft["service.config"] or {}).get("general_settings", {})
    pool = general.get("database_connection_pool_limit", 10)
    tasks = max(
        2 * min(draft["service.desired_count"], draft["service.max_tasks"]), draft["service.max_tasks"]
    )
    wanted = tasks * draft["service.workers"] * pool
    if wanted > 70:
        parameters = {**draft["database.parameters"], "max_connections": str(wanted * 5 // 4 + 2)}
        draft.set(database__parameters=parameters)


GROUPS: Mapping[str, Group] = {
    "entrance": _entrance,
    "providers": _providers,
    "addresses": _addresses,
    "existing": _existing,
    "database": _database,
    "storage": _storage,
    "cache": _cache,
    "size": lambda draft: _size(draft, "service"),
    "size of the dispatcher": lambda draft: _size(draft, "dispatcher"),
    "tasks": _tasks,
    "strategy": _strategy,
    "logs": _logs,
    "health": _health,
    "config": _config,
}
TOGETHER = frozenset(
    {
        *FIRST,
        *("alb.internal", "alb.certificate_arn", "alb.domain_name", "alb.hosted_zone_id"),
        *("network.nat_gateways", "network.data_subnets", "network.vpc_cidr", "network.public_subnet_cidrs"),
        *("network.private_subnet_cidrs", "network.data_subnet_cidrs", "network.existing_vpc.vpc_id"),
        *(f"network.existing_vpc.{kind}_subnet_ids" for kind in ("public", "private", "data")),
        *("service.providers", "service.bedrock_models", "service.config"),
        *(
            "database.engine",
            "database.engine_version",
            "database.backup_retention_days",
            "database.multi_az",
        ),
        *("database.min_acu", "database.max_acu", "database.storage_gb", "database.max_storage_gb"),
        *("database.iam_authentication", "cache.enabled", "cache.transit_encryption", "dispatcher.enabled"),
        *("service.cpu", "service.memory_mb", "dispatcher.cpu", "dispatcher.memory_mb"),
        *("service.min_tasks", "service.desired_count", "service.max_tasks", "service.workers"),
        *("service.deployment_strategy", "service.shift_percent", "service.shift_minutes"),
        *("service.bake_minutes", "deployment.timeout_minutes.service"),
        *("alb.health_check.interval_seconds", "alb.health_check.timeout_seconds"),
        *("observability.log_retention_days", "observability.log_archive_days"),
    }
)
"""Keys that a group draws, or that come first; all others are drawn by themselves."""
ALONE = tuple(key for key in VALUES if key not in TOGETHER)


def _closed_already(draft: Draft) -> tuple[str, ...]:
    """Keys that a draft without a way out may not draw anew."""
    return ("network.vpc_endpoints", "service.image") if draft["network.nat_gateways"] == 0 else ()


@st.composite
def files(draw: st.DrawFn, system: str | None = None, least: int = 0) -> File:
    """Draw an environment file, most likely a right one, with *least* keys or more."""
    draft = Draft(draw, {key: draw(VALUES[key]) for key in FIRST})
    draft.keys["system"] = system or draft.keys["system"]
    room = limits.RESOURCE_NAMES["target group"][1] - len(f"-{draft['system']}-green")
    draft.keys["environment"] = draft.keys["environment"][:room].rstrip("-")
    many = draw(st.sampled_from([4, 12, 60])) + least
    names = st.sampled_from(sorted(GROUPS))
    chosen = draw(st.sets(names, min_size=least // 2, max_size=min(many, len(GROUPS))))
    if draft["tier"] == "production":
        chosen |= {"entrance"}
    for name, group in GROUPS.items():
        if name in chosen:
            group(draft)
    alone = draw(st.sets(st.sampled_from(ALONE), min_size=least, max_size=many))
    for key in sorted(alone.difference(draft.keys, _closed_already(draft))):
        draft.value(key)
    _consequences(draft)
    if draw(st.integers(0, 9)) == 9:
        draft.value(draw(st.sampled_from(sorted(set(VALUES) - {*FIRST}))))
    return nested(draft.keys)


def nested(keys: Drawn) -> File:
    """Return *keys* as a file has them."""
    file: File = {}
    for key, value in keys.items():
        *sections, last = key.split(".")
        reduce(lambda holder, name: holder.setdefault(name, {}), sections, file)[last] = value
    return file


def written(file: File) -> str:
    """Return the text of *file*."""
    return yaml.safe_dump(file, allow_unicode=True, sort_keys=False)


def parsed(file: File) -> Settings:
    """Return the settings of *file*; an example with a file that is refused is none."""
    try:
        return parse_settings(written(file), PATH)
    except EnvironmentFileError:
        return reject()


def environments(system: str | None = None, least: int = 0) -> st.SearchStrategy[Settings]:
    """Settings of files that are right."""
    return files(system, least).map(parsed)


# --- files that are wrong ------------------------------------------------------------------------

NASTY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | TEXT
    | st.sampled_from(
        ["10.0.0.0/8", "sk-1234", "::/0", "${AWS::Region}", "{{resolve:ssm:x}}", "a" * 300, -1, 10**20]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def broken_files(draw: st.DrawFn) -> File:
    """Draw a file with one key, of ours or of nobody's, that says something nasty, or that is not there."""
    file = draw(files())
    key = draw(
        st.sampled_from(sorted(VALUES))
        | st.sampled_from(["network", "service.health_check", "wrok", "alb.x"])
    )
    *sections, last = key.split(".")
    holder = reduce(lambda holder, name: holder.setdefault(name, {}), sections, file)
    if draw(st.integers(0, 9)) == 9:
        holder.pop(last, None)
    else:
        holder[last] = draw(NASTY)
    return file
