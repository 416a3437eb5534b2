"""Days on which AWS ends the support of versions. `make support` writes this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEEN: Final = "2026-11-28"
DATABASES_SOURCE: Final = "release calendars of RDS and Aurora; not yet compared with the API"
RUNTIMES_SOURCE: Final = "cfn-lint 1.58.0"
DATABASES: Final[Mapping[str, Mapping[str, str]]] = {
    "postgres": {
        "13": "2026-02-28",
        "14": "2027-02-28",
        "15": "2028-02-29",
        "16": "2029-02-28",
        "17": "2030-02-28",
        "18": "2031-02-28",
    },
    "aurora-postgresql": {
        "13": "2026-02-28",
        "14": "2027-02-28",
        "15": "2028-02-29",
        "16": "2029-02-28",
        "17": "2030-02-28",
    },
}
"""
Engine -> major version -> last day of its standard support.

Release calendars of RDS for PostgreSQL and of Aurora PostgreSQL; RDS API, DescribeDBMajorEngineVersions.
"""
RUNTIMES: Final[Mapping[str, str]] = {
    "python3.6": "2022-07-18",
    "python3.7": "2023-12-04",
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "python3.10": "2026-10-31",
    "python3.11": "2027-06-30",
    "python3.12": "2028-10-31",
    "python3.13": "2029-06-30",
    "python3.14": "2029-06-30",
}
"""Runtime of Lambda -> the day of its deprecation (AWS Lambda Developer Guide, "Lambda runtimes")."""
