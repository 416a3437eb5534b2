"""
Rewrites stacks/checking/releases/support_table.py; read the diff.

Lambda's runtimes come from the data of the installed cfn-lint. The databases come from RDS itself: run it
with credentials of any account (it asks DescribeDBMajorEngineVersions), or with `--from FILE`, the answer of
`aws rds describe-db-major-engine-versions`. `--offline` leaves the databases as they are.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3

from stacks.checking.releases import support_table
from tests.places import ROOT

TABLE = ROOT / "stacks" / "checking" / "releases" / "support_table.py"
ENGINES = ("postgres", "aurora-postgresql")
STANDARD = "open-source-rds-standard-support"
TEXT = '''"""Days on which AWS ends the support of versions. `make support` writes this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "{day}"
DATABASES_SOURCE: Final = "{source}"
RUNTIMES_SOURCE: Final = "cfn-lint {cfnlint}"
DATABASES: Final[Mapping[str, Mapping[str, str]]] = {databases}
"""
Engine -> major version -> last day of its standard support.

Release calendars of RDS for PostgreSQL and of Aurora PostgreSQL; RDS API, DescribeDBMajorEngineVersions.
"""
RUNTIMES: Final[Mapping[str, str]] = {runtimes}
"""Runtime of Lambda -> the day of its deprecation (AWS Lambda Developer Guide, "Lambda runtimes")."""
'''


def databases(answer: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the standard support in a response of DescribeDBMajorEngineVersions."""
    found: dict[str, dict[str, str]] = {name: {} for name in ENGINES}
    for one in answer["DBMajorEngineVersions"]:
        for life in one.get("SupportedEngineLifecycles", ()):
            if one["Engine"] in found and life["LifecycleSupportName"] == STANDARD:
                found[one["Engine"]][one["MajorEngineVersion"]] = str(life["LifecycleSupportEndDate"])[:10]
    return {name: dict(sorted(rows.items(), key=_number)) for name, rows in found.items()}


def runtimes() -> dict[str, str]:
    """Return the installed cfn-lint's data on Lambda's Python."""
    path = files("cfnlint") / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    ends = {name: one["deprecated"] for name, one in data.items() if name.startswith("python3.")}
    return dict(sorted(ends.items(), key=_number))


def _number(row: tuple[str, str]) -> tuple[int, ...]:
    return tuple(int(part) for part in row[0].removeprefix("python").split("."))


def _asked() -> dict[str, Any]:
    client = boto3.client("rds")
    answers = (client.describe_db_major_engine_versions(Engine=name) for name in ENGINES)
    return {"DBMajorEngineVersions": [one for page in answers for one in page["DBMajorEngineVersions"]]}


def _mapping(rows: Iterable[tuple[str, str]], indent: str) -> str:
    lines = "".join(f'{indent}    "{name}": "{end}",\n' for name, end in rows)
    return f"{{\n{lines}{indent}}}"


def written(found: Mapping[str, Mapping[str, str]], ends: Mapping[str, str], day: str, source: str) -> str:
    """Return the module with both tables."""
    inner = "".join(f'    "{name}": {_mapping(rows.items(), "    ")},\n' for name, rows in found.items())
    return TEXT.format(
        day=day,
        source=source,
        cfnlint=version("cfn-lint"),
        databases=f"{{\n{inner}}}",
        runtimes=_mapping(ends.items(), ""),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="file", type=Path, help="File with an answer of RDS.")
    parser.add_argument("--offline", action="store_true", help="Leave the databases as they are.")
    said = parser.parse_args()
    today = str(datetime.now(UTC).date())
    known, told = support_table.DATABASES, support_table.DATABASES_SOURCE
    if not said.offline:
        known = databases(json.loads(said.file.read_text(encoding="utf-8")) if said.file else _asked())
        told = f"DescribeDBMajorEngineVersions, {today}"
    TABLE.write_text(written(known, runtimes(), today, told), encoding="utf-8")
