"""
What RDS offers: versions by engine, classes by engine and region. From the tables that cfn-lint ships.

Those are the results of DescribeDBEngineVersions and DescribeOrderableDBInstanceOptions on the day of
cfn-lint's release (its rules E3691, W3691 and E3025). Nothing is read before it is needed, and of a table of
four megabytes only the part of one region.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sandbox.rules import shipped

ENGINES = ("postgres", "aurora-postgresql")
"""The engines whose offers are known here; requests about others are accepted."""
REGION = "us-east-1"
"""The region whose classes are used for a region missing in the table."""
OLD_CLASSES = ("db.t1.", "db.t2.", "db.m1.", "db.m2.", "db.m3.", "db.m4.", "db.r3.", "db.r4.", "db.cr1.")
"""
Never for PostgreSQL 13 or later (Amazon RDS User Guide, "Supported DB engines for DB instance classes",
db.t2, db.m4 and db.r4; the rest is older). The table has the classes of all versions of an engine.
"""
_NUMBERED = re.compile(r"(\d+)\.(\d+)")


def number(version: str) -> tuple[int, int]:
    """Return major and minor of *version*; a major alone means the latest of its minors."""
    found = _NUMBERED.match(version)
    return (int(found[1]), int(found[2])) if found else (int(version.partition(".")[0] or 0), 10_000)


@cache
def versions(engine: str) -> tuple[str, ...]:
    """Return the versions that a new database of *engine* can have, oldest first."""
    tables = [
        _read(f"aws_rds_dbinstance/{name}.json") for name in ("engine_version", "engine_version_deprecated")
    ]
    known = set(_versions_of(tables[0], engine, "then")) - set(_versions_of(tables[1], engine, "if"))
    return tuple(sorted((one for one in known if _NUMBERED.fullmatch(one)), key=number))


def offered(engine: str, version: str) -> bool:
    """Whether a new database can have *version*: an offered minor, or the major of one."""
    there = versions(engine)
    return version in there or any(one.startswith(f"{version}.") for one in there)


@cache
def classes(engine: str, region: str) -> frozenset[str]:
    """Return the instance classes that the region has for *engine*."""
    text = _classes_text()
    start = text.find(f'"{region}":')
    if start < 0:
        start = text.find(f'"{REGION}":')
    table, _ = json.JSONDecoder().raw_decode(text, text.index("{", start))
    found: set[str] = set()
    for rule in table["allOf"]:
        if rule["if"]["properties"]["Engine"].get("const") == engine:
            found |= set(rule["then"]["properties"]["DBInstanceClass"]["enum"])
    return frozenset(found)


@cache
def is_class(name: str) -> bool:
    """Whether there is such an instance class, for any engine in any region."""
    return f'"{name}"' in _classes_text()


def serves(engine: str, version: str, name: str, region: str) -> bool:
    """Whether *region* runs *engine* of *version* on the class *name*."""
    old = number(version)[0] >= 13 and name.startswith(OLD_CLASSES)
    return name in classes(engine, region) and not old


def _classes_text() -> str:
    """Return the table's text; it is not cached."""
    return (shipped.schemas() / "extensions/aws_rds_dbinstance/dbinstanceclass_enum.json").read_text("utf-8")


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((shipped.schemas() / "extensions" / name).read_text("utf-8"))
    return found


def _versions_of(table: Mapping[str, Any], engine: str, side: str) -> Iterator[str]:
    for rule in table["allOf"]:
        asked = rule["if"]["properties"]
        if asked["Engine"].get("const") == engine:
            yield from rule[side]["properties"]["EngineVersion"]["enum"]
