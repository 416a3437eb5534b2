"""The ends of AWS's support: told half a year before, not earlier."""

from datetime import date
from typing import Any

import pytest

from stacks.checking import limits
from stacks.checking.releases import support_table
from stacks.checking.releases.support import NOTICE, database_ends, runtime_ends
from stacks.environment import defaults
from stacks.systems import MODULES
from tests.stacks import rewrite_support


@pytest.mark.parametrize("engine", ["postgres", "aurora-postgresql"])
def test_the_end_of_standard_support_is_told_half_a_year_before(engine: str) -> None:
    end = date.fromisoformat(support_table.DATABASES[engine]["15"])

    assert database_ends(engine, "15.15", end - NOTICE * 1.01) is None
    said = database_ends(engine, "15.15", end - NOTICE)
    assert said
    assert "15 ends on 2028-02-29; from the day after, RDS Extended Support is charged" in said
    over = database_ends(engine, "15", date(2028, 3, 1))
    assert over
    assert "15 ended on 2028-02-29" in over


def test_a_version_that_the_table_lacks_says_nothing() -> None:
    assert database_ends("postgres", "99.1", date(2030, 1, 1)) is None
    assert runtime_ends("nodejs99.x", date(2030, 1, 1)) is None


def test_a_runtime_is_told_of_as_well() -> None:
    end = date.fromisoformat(support_table.RUNTIMES["python3.11"])

    assert runtime_ends("python3.11", date(2026, 11, 28)) is None
    assert runtime_ends("python3.11", end - NOTICE) == (
        "Lambda's runtime python3.11 ends on 2027-06-30: AWS mends no fault of it any more after that"
    )


def test_what_is_shipped_is_supported_for_half_a_year_from_the_table_s_day() -> None:
    day = date.fromisoformat(support_table.SEEN)

    assert limits.FUNCTION_RUNTIME in support_table.RUNTIMES
    assert runtime_ends(limits.FUNCTION_RUNTIME, day) is None
    for system in MODULES:
        for tier in ("dev", "production"):
            database = defaults(system, tier)["database"]
            assert database_ends(database["engine"], database["engine_version"], day) is None, system


def test_every_major_that_can_be_created_has_its_end() -> None:
    assert limits.FIRST_LIVE_MINOR.keys() <= support_table.DATABASES["postgres"].keys()
    assert limits.FIRST_LIVE_MINOR_OF_AURORA.keys() <= support_table.DATABASES["aurora-postgresql"].keys()


def test_the_runtimes_are_those_of_the_installed_cfn_lint() -> None:
    assert rewrite_support.runtimes() == dict(support_table.RUNTIMES), "make support"


def test_the_script_writes_the_table_again() -> None:
    standard = rewrite_support.STANDARD
    answer = [
        {
            "Engine": engine,
            "MajorEngineVersion": major,
            "SupportedEngineLifecycles": [
                {
                    "LifecycleSupportName": "open-source-rds-extended-support",
                    "LifecycleSupportEndDate": "2099-01-01",
                },
                {"LifecycleSupportName": standard, "LifecycleSupportEndDate": f"{end}T23:59:59.999000+00:00"},
            ],
        }
        for engine, rows in support_table.DATABASES.items()
        for major, end in rows.items()
    ]
    answer.append({"Engine": "postgres", "MajorEngineVersion": "9.6"})

    found = rewrite_support.databases({"DBMajorEngineVersions": answer})

    assert found == support_table.DATABASES
    made: dict[str, Any] = {}
    exec(rewrite_support.written(found, support_table.RUNTIMES, "2026-11-28", "x"), made)  # noqa: S102 - ours
    assert (made["DATABASES"], made["RUNTIMES"]) == (support_table.DATABASES, support_table.RUNTIMES)
