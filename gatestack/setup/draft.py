"""The environment file as `setup` builds it: validation of each answer, and the file's text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stacks.environment import EnvironmentFileError, Problem, defaults, is_unused, parse_settings
from stacks.systems import application

Answers = Mapping[str, Any]
"""Values by key: ``network.nat_gateways``; missing ones have the defaults."""

SCHEMA = "environment.schema.json"
"""The JSON Schema beside the file, for editors; `gatestack schema` prints it."""
ENDLESS = 1_000_000
"""No line of the file is folded."""


@dataclass(frozen=True)
class Line:
    """A key that users look for in the file, and its form there."""

    key: str
    remark: str = ""
    systems: frozenset[str] | None = None
    """The systems that show it; None: every system that uses it."""
    only_said: bool = False
    """Whether it is left out if it has its default."""
    example: str = ""
    """An example, shown as a comment if it has no value."""
    needs: str = ""
    """A key without which this one has no effect: it is written only with an answer to that."""
    idle: str = ""
    """A key that makes this one ineffective: it is left out with an answer to that."""


LITELLM = frozenset({"litellm", "litellm-benchmark"})
BENCHMARK = frozenset({"litellm-benchmark"})
NO_BENCHMARK = frozenset({"litellm", "llm-proxy", "llm-testing"})
LLM_PROXY = frozenset({"llm-proxy"})
LLM_TESTING = frozenset({"llm-testing"})

EXISTING_VPC = "network.existing_vpc.vpc_id"

LINES = (
    Line("system"),
    Line("environment"),
    Line("tier"),
    Line("region"),
    Line("account", "deploying with the credentials of another account is refused", example='"123456789012"'),
    Line("network.vpc_cidr", "that VPC's range which the subnets are in", needs=EXISTING_VPC),
    Line(
        "network.nat_gateways",
        "the private subnets' way to the internet; about $32 a month each",
        idle=EXISTING_VPC,
    ),
    Line("network.vpc_endpoints", "the way to AWS's services without a NAT gateway", only_said=True),
    Line(EXISTING_VPC),
    Line("network.existing_vpc.public_subnet_ids", "for the load balancer"),
    Line("network.existing_vpc.private_subnet_ids", "for the tasks"),
    Line("network.existing_vpc.data_subnet_ids", "for database and cache"),
    Line("alb.domain_name", "HTTPS certificate and DNS record are made for it"),
    Line("alb.hosted_zone_id", "the domain's public Route 53 zone"),
    Line("alb.certificate_arn", "HTTPS with an existing certificate"),
    Line("alb.internal", "reachable from the VPC only", only_said=True),
    Line("alb.waf"),
    Line("database.instance_class", systems=LITELLM),
    Line("database.multi_az", systems=LITELLM),
    Line("database.min_acu", "Aurora's least capacity, in units of 2 GiB", LLM_PROXY),
    Line("database.max_acu", systems=LLM_PROXY),
    Line("database.deletion_protection"),
    Line("cache.node_type", systems=LLM_PROXY),
    Line("cache.nodes", "2: a replica takes over by itself", LLM_PROXY),
    Line("service.image"),
    Line("service.cpu", "1024 to a vCPU", BENCHMARK),
    Line("service.cpu", "1024 to a vCPU", NO_BENCHMARK, only_said=True),
    Line("service.memory_mb", systems=BENCHMARK),
    Line("service.memory_mb", systems=NO_BENCHMARK, only_said=True),
    Line("service.workers", systems=BENCHMARK),
    Line("service.architecture", "or x86_64", LLM_PROXY),
    Line("service.desired_count", systems=BENCHMARK | LLM_TESTING),
    Line("service.min_tasks"),
    Line("service.max_tasks"),
    Line("service.spot", "true: about 70 % cheaper, and AWS may take a task away"),
    Line("service.providers", only_said=True),
    Line("service.bedrock_models", "what the tasks may invoke", LLM_TESTING),
    Line("service.bedrock_models", systems=LITELLM, only_said=True),
    Line("service.config.model_list", "what clients may call", only_said=True),
    Line("dispatcher.backend", "file: lost with the task; or helicone, lunary", LLM_PROXY),
    Line("secrets.rotation_days"),
    Line("observability.log_retention_days"),
    Line(
        "observability.alarm_email",
        "gets every alarm, after confirming the subscription",
        example="team@example.com",
    ),
)
"""In the order of the file."""

OWN_IMAGE = "the environment's own repository; push the image there first"

NAMES: Mapping[str, str] = {"litellm-benchmark": "LiteLLM benchmark"}
"""Names of systems in the first line, if different from the title of their application."""
TIERS: Mapping[str, str] = {
    "dev": "development.",
    "production": "production. Most of this is what the tier means anyway; it stands here to be seen.",
}
"""Texts on a tier."""


def objection(answers: Answers, key: str) -> str | None:
    """Return why *answers* are invalid, if *key* is the cause; None if it is not."""
    found = [one.message for one in _problems(answers) if one.key == key or one.key.startswith(f"{key}[")]
    return "; ".join(found) or None


def made_wrong(before: Answers, after: Answers) -> str | None:
    """Return what is wrong with *after* and was not with *before*; None if nothing is."""
    there = {problem.key for problem in _problems(before)}
    return "; ".join(f"{one.key}: {one.message}" for one in _problems(after) if one.key not in there) or None


def _problems(answers: Answers) -> tuple[Problem, ...]:
    try:
        parse_settings(yaml.safe_dump(nested(answers)), Path("draft"))
    except EnvironmentFileError as error:
        return error.problems
    return ()


def nested(answers: Answers) -> dict[str, Any]:
    """Return *answers* as the file has them: mappings in mappings."""
    result: dict[str, Any] = {}
    for key, value in answers.items():
        *above, last = key.split(".")
        place = result
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return result


def text(answers: Answers, schema: str = SCHEMA) -> str:
    """Return the file: *answers*, and the defaults that users look for; *schema*: for editors."""
    system, tier = answers["system"], answers["tier"]
    name = NAMES.get(system, application(system).title)
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# {name}, {TIERS[tier]}",
        "# `gatestack show ENV` lists every key, with the defaults of what is not said here.",
    ]
    sections: list[str] = []
    for key, line in _written(answers, defaults(system, tier)):
        *above, _ = key.split(".")
        if above[:1] != sections[:1]:
            lines.append("")
        for depth, section in enumerate(above):
            if above[: depth + 1] != sections[: depth + 1]:
                lines.append(f"{'  ' * depth}{section}:")
        sections = above
        lines.append(f"{'  ' * len(above)}{line}")
    return "\n".join(lines) + "\n"


def _written(answers: Answers, default: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and line of everything in the file, without indentation."""
    system = answers["system"]
    for line in LINES:
        if is_unused(system, line.key) or system not in (line.systems or {system}):
            continue
        if line.idle in answers or (line.needs and line.needs not in answers):
            continue
        found = _line(line, answers, default)
        if found is not None:
            yield line.key, found


def _line(line: Line, answers: Answers, default: Mapping[str, Any]) -> str | None:
    name, usual = line.key.rpartition(".")[2], _at(default, line.key)
    value = answers.get(line.key, usual)
    remark = OWN_IMAGE if line.key == "service.image" and value == "ecr" else line.remark
    behind = f" # {remark}" if remark else ""
    if value is None or value == []:
        return f"# {name}: {line.example}{behind}" if line.example else None
    if line.only_said and value == usual:
        return None
    return f"{name}: {_as_yaml(value)}{behind}"


def _at(mapping: Mapping[str, Any], key: str) -> Any:
    found: Any = mapping
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _as_yaml(value: Any) -> str:
    """Return *value* as YAML on one line."""
    text = yaml.safe_dump(
        [value], default_flow_style=True, width=ENDLESS, allow_unicode=True, sort_keys=False
    )
    return text.strip()[1:-1]
