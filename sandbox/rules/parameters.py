"""
The parameters of a family of parameter groups, their types and their values. PostgreSQL 15 to 18.

`postgres_parameters.json` has rows of name, type, allowed values, and the major versions that have it.
Sources, read 2026-11-28: `pg_settings` of PostgreSQL 17 (types and ranges), the release notes of 16, 17 and
18 (added and removed parameters), Amazon RDS User Guide, "Working with parameters on your RDS for PostgreSQL
DB instance" (parameters reserved for RDS, reported as unknown names; the range of max_connections).
Parameters of extensions, of Aurora and of RDS itself have a dot or a prefix of their own and are accepted
unless the table has them. Messages: hashicorp/terraform-provider-aws#522 (names); values, as users of
PostgreSQL 18 report them of log_connections.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MAJORS = range(15, 19)
_FAMILY = re.compile(r"(?:aurora-postgresql|postgres)(\d+)")
_OWN = re.compile(r".+\..+|(apg|aurora|babelfishpg|pgaudit|rds)_.*")
_RANGE = re.compile(r"(-?[\d.e+]+)-(-?[\d.e+]+)")
_SWITCHES = frozenset({"0", "1", "on", "off", "true", "false", "yes", "no"})
_FORMULA = re.compile(r"(?s).*\{.*\}.*|(LEAST|GREATEST|SUM)\(.*\)")
"""Amazon RDS User Guide, "Specifying DB parameters"."""


@dataclass(frozen=True)
class Parameter:
    """One parameter as RDS describes it: `DataType` and `AllowedValues`."""

    type: str
    allowed: str


def refused(family: str, name: str, value: str) -> str:
    """Return why RDS refuses the *value* for the parameter; nothing if it does not."""
    found = _FAMILY.fullmatch(family)
    if found is None or int(found[1]) not in MAJORS:
        return ""
    known = _of(int(found[1])).get(name.lower())
    if known is None:
        return "" if _OWN.fullmatch(name) else f"Could not find parameter with name: {name}"
    if _FORMULA.fullmatch(value) or _fits(known, value):
        return ""
    return f"Invalid parameter value: {value} for: {name} allowed values are: {known.allowed}"


def _fits(known: Parameter, value: str) -> bool:
    """Whether the value is valid; PostgreSQL has more words for switches than RDS lists."""
    if known.type in ("integer", "real"):
        return _in_range(known, value)
    choices = [each.strip() for each in known.allowed.split(",")]
    given = value.lower()
    if known.type == "list":
        return all(each.strip() in choices for each in given.split(","))
    if known.type == "boolean" or "on" in choices:
        return given in _SWITCHES or given in choices
    return known.type != "enum" or given in {each.lower() for each in choices} | {"debug"}


def _in_range(known: Parameter, value: str) -> bool:
    found = _RANGE.fullmatch(known.allowed)
    try:
        given = int(value) if known.type == "integer" else float(value)
    except ValueError:
        return False
    return found is None or float(found[1]) <= given <= float(found[2])


@cache
def _of(major: int) -> Mapping[str, Parameter]:
    rows = json.loads(Path(__file__).with_name("postgres_parameters.json").read_text("utf-8"))
    return {name: Parameter(kind, allowed) for name, kind, allowed, *majors in rows if _has(major, *majors)}


def _has(major: int, majors: str = "-") -> bool:
    first, _, last = majors.partition("-")
    return int(first or 0) <= major <= int(last or major)
