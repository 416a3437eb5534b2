"""An environment file that is not written yet: what its rules say of each answer, and its text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stacks.environment import EnvironmentFileError, defaults, parse_settings

Answers = Mapping[str, Any]
"""Values by key: ``network.nat_gateways``; what has none is left to the defaults."""

ENDLESS = 1_000_000
"""No line of the file is folded."""

TITLES: Mapping[str, str] = {
    "dev": "Development: the cheapest that works.",
    "production": "Production. Most of this is what the tier means anyway; it stands here to be seen.",
}
LOOKED_FOR = (
    ("system", ""),
    ("environment", ""),
    ("tier", ""),
    ("region", ""),
    ("account", "deploying with the credentials of another account is refused"),
    ("network.nat_gateways", "the way to the model providers; about $32 a month each"),
    ("alb.domain_name", "HTTPS certificate and DNS record are made for it"),
    ("alb.hosted_zone_id", "the domain's public Route 53 zone"),
    ("alb.certificate_arn", "HTTPS with a certificate that is there already"),
    ("alb.internal", "reachable from the VPC only"),
    ("alb.waf", ""),
    ("database.instance_class", ""),
    ("database.multi_az", ""),
    ("database.deletion_protection", ""),
    ("service.image", ""),
    ("service.min_tasks", ""),
    ("service.max_tasks", ""),
    ("service.spot", "true: about 70 % cheaper, and AWS may take a task away"),
    ("service.providers", ""),
    ("service.bedrock_models", ""),
    ("secrets.rotation_days", ""),
    ("observability.log_retention_days", ""),
    ("observability.alarm_email", "gets every alarm, after confirming the subscription"),
)
"""The keys of a written file in their order, each with the remark behind it."""
ASIDE: Mapping[str, str] = {"account": '"123456789012"', "observability.alarm_email": "team@example.com"}
"""Keys that stand as a remark where they have no value, with what they would look like."""
UNSAID = frozenset({"alb.internal", "service.bedrock_models", "service.providers"})
"""Keys that do not stand there with their default."""
OWN_IMAGE = "the environment's own repository; push the image there first"


def objection(answers: Answers, key: str) -> str | None:
    """Return why *answers* cannot be, as far as *key* is to blame; None where it is not."""
    try:
        parse_settings(yaml.safe_dump(nested(answers)), Path("draft"))
    except EnvironmentFileError as error:
        found = [one.message for one in error.problems if one.key == key or one.key.startswith(f"{key}[")]
        return "; ".join(found) or None
    return None


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


def text(answers: Answers) -> str:
    """Return the file: *answers*, and the defaults of what people look for."""
    default = defaults(answers["system"], answers["tier"])
    lines = [
        "# yaml-language-server: $schema=../stacks/environment.schema.json",
        f"# {TITLES[answers['tier']]}",
        f"# What is not said here is in stacks/systems/{answers['system']}.yaml.",
    ]
    section = ""
    for key, remark in LOOKED_FOR:
        above, _, name = key.rpartition(".")
        line = _line(key, name, remark, answers, default)
        if line is None:
            continue
        if above != section:
            lines += ["", f"{above}:"]
            section = above
        lines.append(f"  {line}" if above else line)
    return "\n".join(lines) + "\n"


def _line(key: str, name: str, remark: str, answers: Answers, default: Mapping[str, Any]) -> str | None:
    usual = _at(default, key)
    value = answers.get(key, usual)
    behind = f" # {_remark(key, value, remark)}" if _remark(key, value, remark) else ""
    if value is None or value == []:
        return f"# {name}: {ASIDE[key]}{behind}" if key in ASIDE else None
    if key in UNSAID and value == usual:
        return None
    return f"{name}: {_written(value)}{behind}"


def _remark(key: str, value: Any, remark: str) -> str:
    return OWN_IMAGE if key == "service.image" and value == "ecr" else remark


def _at(mapping: Mapping[str, Any], key: str) -> Any:
    found: Any = mapping
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _written(value: Any) -> str:
    """Return *value* as YAML on one line."""
    return yaml.safe_dump([value], default_flow_style=True, width=ENDLESS, allow_unicode=True).strip()[1:-1]
