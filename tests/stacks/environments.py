"""
Any environment file: a strategy for files in which the keys go together.

It draws a few keys, or many, and those that depend on each other together, so that most files are right; the
rest is what the checks over several keys are for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from hypothesis import reject
from hypothesis import strategies as st

from stacks import environment
from stacks.checking import limits, subnets, zones
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import application, litellm_sso
from tests.stacks.environment_values import (
    ARN,
    CONFIG,
    CPUS,
    LATER_VERSIONS,
    MODELS,
    TEXT,
    VALUES,
    ids,
    numbers,
    ranges,
)

File: TypeAlias = dict[str, Any]
Drawn: TypeAlias = dict[str, Any]
"""Values by their keys with dots, as in a file."""

PATH = Path("any.yaml")
FIRST = ("system", "environment", "tier", "region", "account")
"""Keys that every other may depend on."""


@dataclass
class Draft:
    """A file being drawn."""

    draw: st.DrawFn
    keys: Drawn

    def __getitem__(self, key: str) -> Any:
        """The value of *key*: drawn, or the system's default."""
        if key in self.keys:
            return self.keys[key]
        value: Any = environment.defaults(self.keys["system"], self.keys["tier"])
        for part in key.split("."):
            value = (value or {}).get(part)
        return value

    def unused(self, key: str) -> bool:
        """Whether its system does not use *key*."""
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
        """Draw a decision."""
        return self.draw(st.booleans())


Group: TypeAlias = Callable[[Draft], None]


def _entrance(draft: Draft) -> None:
    """Draw certificate, name and zone; production gets HTTPS, unless it is internal."""
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
    """Draw providers and the route to them: without a NAT gateway Bedrock only."""
    known = application(draft["system"]).providers
    closed = "bedrock" in known and draft.chance()
    if closed:
        draft.set(network__nat_gateways=0, network__vpc_endpoints=True, service__image="ecr")
    some = st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)
    chosen = ["bedrock"] if closed else draft.draw(some)
    models = draft.draw(st.lists(MODELS, min_size=1, max_size=3)) if "bedrock" in chosen else []
    draft.set(service__providers=chosen, service__bedrock_models=models)


def _addresses(draft: Draft) -> None:
    """Draw a range for the VPC, and subnets if the derived ones do not fit."""
    vpc = IPv4Network(draft.draw(ranges(16, 25)))
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


def _zones(draft: Draft) -> None:
    """Draw two zones for a new network."""
    if "network.existing_vpc.vpc_id" not in draft.keys:
        region = draft["region"]
        names = [f"{region}{letter}" for letter in "abc"]
        names += [f"{zones.abbreviated(region)}-az{number}" for number in (1, 2, 10)]
        draft.set(network__availability_zones=draft.draw(st.permutations(names))[:2])


def _existing(draft: Draft) -> None:
    """Draw an existing VPC, with the necessary subnets and perhaps some others."""
    draft.keys.pop("network.availability_zones", None)
    subnet = draft.draw(ids("subnet", 8, 8))
    here = "network__existing_vpc__"
    draft.value("network.existing_vpc.vpc_id")
    draft.set(**{f"{here}private_subnet_ids": subnet[:2]})
    if not draft["alb.internal"] or draft.chance():
        draft.set(**{f"{here}public_subnet_ids": subnet[3:5]})
    if draft["network.data_subnets"] or draft.chance():
        draft.set(**{f"{here}data_subnet_ids": subnet[6:]})


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
    if draft["database.performance_insights"]:
        draft.value("database.insights")
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
    """Draw the cache and the reader of its events; the LLM Proxy's bus has no TLS."""
    if draft.unused("cache"):
        return
    proxy = draft["system"] == "llm-proxy"
    enabled = draft.draw(VALUES["cache.enabled"])
    modes = ["preferred"] if proxy else ["required", "preferred"]
    draft.set(cache__enabled=enabled, cache__transit_encryption=draft.draw(st.sampled_from(modes)))
    draft.set(dispatcher__enabled=enabled and draft.chance())
    for key in ("node_type", "nodes", "parameters", "snapshot_retention_days"):
        draft.value(f"cache.{key}")


def _stores(draft: Draft) -> None:
    """Draw an existing database or cache, instead of the environment's own."""
    if draft.unused("database"):
        return
    if draft.chance():
        _store(draft, "database.existing", ("host", "port", "name", "secret_arn", "kms_key_arn", "cidr"))
        draft.set(database__iam_authentication=False)
        draft.keys.pop("database.snapshot_identifier", None)
    if draft.chance():
        proxy = draft["system"] == "llm-proxy"
        _store(draft, "cache.existing", ("host", "port", "cidr"))
        draft.set(cache__existing__tls=not proxy and draft.chance())
        if not proxy and draft.chance():
            _store(draft, "cache.existing", ("secret_arn", "secret_key", "kms_key_arn"))


def _store(draft: Draft, above: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        drawn = draft.draw(VALUES[f"{above}.{key}"])
        here = drawn.replace(":us-east-1:", f":{draft['region']}:") if isinstance(drawn, str) else drawn
        draft.set(**{f"{above}.{key}".replace(".", "__"): here})


def _size(draft: Draft, section: str) -> None:
    cpu = draft.draw(CPUS)
    memory = draft.draw(st.sampled_from(limits.FARGATE_MEMORY_MB[cpu]))
    draft.set(**{f"{section}__cpu": cpu, f"{section}__memory_mb": memory})


def _tasks(draft: Draft) -> None:
    """Draw the tasks and their connections, then a database with as many."""
    counts = numbers(0, 12) | numbers(0, 5000)
    low, wanted, high = sorted(draft.draw(st.tuples(counts, counts, counts)))
    draft.set(service__min_tasks=low, service__desired_count=wanted, service__max_tasks=max(high, 1))
    draft.set(service__workers=draft.draw(numbers(1, 8)) if high <= 100 else 1)
    draft.set(observability__alarms__healthy_tasks=draft.draw(numbers(0, low)) if low else 0)


def _strategy(draft: Draft) -> None:
    """Draw a deployment strategy, within the deployer's time limit."""
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


def _sso(draft: Draft) -> None:
    """Draw a provider with its required, and some optional, keys."""
    provider = draft.draw(st.sampled_from(sorted(litellm_sso.OWN)))
    needed = litellm_sso.NEEDED[provider]
    draft.set(sso__provider=provider)
    for key in (*litellm_sso.OWN[provider], *litellm_sso.EVERY):
        if key == "allowed_email_domains" and key in needed:
            draft.set(sso__allowed_email_domains=["acme.org"])
        elif key in needed:
            draft.set(**{f"sso__{key}": draft.draw(VALUES[f"sso.{key}"].filter(bool))})
        elif draft.chance():
            draft.value(f"sso.{key}")
    if not draft.unused("sso") and not (draft["sso.roles"] and draft["sso.group_claim"]):
        _without(draft, "sso.roles", "sso.group_claim", "sso.default_role")


def _oidc(draft: Draft) -> None:
    """Draw a provider for sign-in at the load balancer."""
    for key in OIDC:
        draft.value(key)


def _clients(draft: Draft) -> None:
    """Draw the clients' certificates."""
    for key in CLIENTS:
        draft.value(key)


def _without(draft: Draft, *keys: str) -> None:
    for key in keys:
        draft.keys.pop(key, None)


def _pipelines(draft: Draft) -> None:
    """Draw pipelines that deploy; only if the account is the one of the drawn ARNs, or any."""
    here = "pipelines.azure_devops" if draft.chance() else "pipelines.github"
    for key in (key for key in VALUES if key.startswith(f"{here}.")):
        if not key.endswith("provider_arn") or draft["account"] != "012345678901":
            draft.value(key)
    needed, value = (
        ("service_connection", "gatestack") if here.endswith("devops") else ("environments", ["prod"])
    )
    draft.set(**{f"{here}.{needed}".replace(".", "__"): value})
    own = f"{draft['environment']}-{draft['system']}"
    draft.set(pipelines__deploys=draft.draw(st.sampled_from([[], [own], [own, "dev-x1-litellm"]])))


def _consequences(draft: Draft) -> None:
    """Set values that follow from the rest, so that the defaults do not contradict it."""
    if draft["service.deployment_strategy"] != "rolling":
        draft.set(service__requests_per_target=0, observability__alarms__healthy_tasks=0)
    if draft["observability.log_archive_days"] <= draft["observability.log_retention_days"]:
        draft.keys.pop("observability.log_archive_days", None)
    if draft["observability.alarms.healthy_tasks"] > draft["service.min_tasks"]:
        draft.set(observability__alarms__healthy_tasks=0)
    if draft["observability.alarms.latency_milliseconds"] >= draft["alb.idle_timeout_seconds"] * 1000:
        draft.set(observability__alarms__latency_milliseconds=draft["alb.idle_timeout_seconds"] * 1000 - 1)
    if draft["tier"] == "production":
        _in_production(draft)
    if not draft.unused("database"):
        _budget(draft)
    if not draft.unused("sso"):
        _signed_in(draft)
    shifts = draft["service.deployment_strategy"] != "rolling"
    if not draft["alb.domain_name"] or shifts or (draft["alb.internal"] and _closed(draft)):
        _without(draft, *OIDC)
    if not draft["alb.domain_name"] and not draft["alb.certificate_arn"]:
        _without(draft, *CLIENTS)


def _in_production(draft: Draft) -> None:
    if draft["deployment.mode"] == "express":
        draft.set(deployment__mode="standard")
    if draft["service.log_level"] == "DEBUG":
        draft.set(service__log_level="INFO")
    if draft["service.image_tag"] == "latest":
        draft.set(service__image_tag="v1.108.7")


def _closed(draft: Draft) -> bool:
    return draft["network.nat_gateways"] == 0 and "network.existing_vpc.vpc_id" not in draft.keys


def _signed_in(draft: Draft) -> None:
    """Remove a provider without a redirect, and records kept for no days."""
    if not draft["alb.domain_name"] or _closed(draft):
        _without(draft, *SSO)
    elif draft["sso.provider"] in {"okta", "generic"} and not draft["cache.enabled"]:
        draft.set(sso__pkce=False)
    if not draft["observability.prompt_logs.keep_days"]:
        _without(draft, "observability.prompt_logs.redact", "observability.prompt_logs.audit")
    elif draft["service.image_tag"] != "v1.93.0":
        draft.set(observability__prompt_logs__redact=True)


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
    "zones": _zones,
    "database": _database,
    "storage": _storage,
    "cache": _cache,
    "stores": _stores,
    "size": lambda draft: _size(draft, "service"),
    "size of the dispatcher": lambda draft: _size(draft, "dispatcher"),
    "tasks": _tasks,
    "strategy": _strategy,
    "logs": _logs,
    "health": _health,
    "config": _config,
    "sso": _sso,
    "oidc": _oidc,
    "clients": _clients,
    "pipelines": _pipelines,
}
SSO = tuple(key for key in VALUES if key.startswith("sso."))
OIDC = tuple(key for key in VALUES if key.startswith("alb.oidc."))
CLIENTS = tuple(key for key in VALUES if key.startswith("alb.mutual_authentication."))
TOGETHER = frozenset(
    {
        *FIRST,
        *SSO,
        *OIDC,
        *CLIENTS,
        *("alb.internal", "alb.certificate_arn", "alb.domain_name", "alb.hosted_zone_id"),
        *("network.nat_gateways", "network.data_subnets", "network.vpc_cidr", "network.public_subnet_cidrs"),
        *("network.private_subnet_cidrs", "network.data_subnet_cidrs", "network.existing_vpc.vpc_id"),
        "network.availability_zones",
        *(key for key in VALUES if key.startswith(("database.existing", "cache.existing"))),
        *(f"network.existing_vpc.{kind}_subnet_ids" for kind in ("public", "private", "data")),
        *("service.providers", "service.bedrock_models", "service.config"),
        *(
            "database.engine",
            "database.engine_version",
            "database.backup_retention_days",
            "database.multi_az",
            "database.performance_insights",
            "database.insights",
        ),
        *("database.min_acu", "database.max_acu", "database.storage_gb", "database.max_storage_gb"),
        *("database.iam_authentication", "cache.enabled", "cache.transit_encryption", "dispatcher.enabled"),
        *("service.cpu", "service.memory_mb", "dispatcher.cpu", "dispatcher.memory_mb"),
        *("service.min_tasks", "service.desired_count", "service.max_tasks", "service.workers"),
        *("service.deployment_strategy", "service.shift_percent", "service.shift_minutes"),
        *("service.bake_minutes", "deployment.timeout_minutes.service"),
        *("alb.health_check.interval_seconds", "alb.health_check.timeout_seconds"),
        *("observability.log_retention_days", "observability.log_archive_days"),
        *(
            key
            for key in VALUES
            if key.startswith(("pipelines.azure", "pipelines.github", "pipelines.deploys"))
        ),
    }
)
"""Keys drawn by a group, or first; all others are drawn by themselves."""
ALONE = tuple(key for key in VALUES if key not in TOGETHER)


def _closed_already(draft: Draft) -> tuple[str, ...]:
    """Keys that a draft without a route out may not draw again."""
    return ("network.vpc_endpoints", "service.image") if draft["network.nat_gateways"] == 0 else ()


@st.composite
def files(draw: st.DrawFn, system: str | None = None, least: int = 0) -> File:
    """Draw an environment file, most likely a valid one, with *least* keys or more."""
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
    """Return *keys* as nested mappings."""
    file: File = {}
    for key, value in keys.items():
        *sections, last = key.split(".")
        reduce(lambda holder, name: holder.setdefault(name, {}), sections, file)[last] = value
    return file


def written(file: File) -> str:
    """Return the text of *file*."""
    return yaml.safe_dump(file, allow_unicode=True, sort_keys=False)


def parsed(file: File) -> Settings:
    """Return the settings of *file*; an example with a refused file is rejected."""
    try:
        return parse_settings(written(file), PATH)
    except EnvironmentFileError:
        return reject()


def environments(system: str | None = None, least: int = 0) -> st.SearchStrategy[Settings]:
    """Settings of valid files."""
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
    """Draw a file with one key, of ours or unknown, that has a nasty value, or is missing."""
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
