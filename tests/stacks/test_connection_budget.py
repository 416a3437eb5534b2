"""The tasks' connections fit into what the database takes, and where they do not the arithmetic is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.checking.advice import advice
from stacks.checking.connections import limit, memory_gib
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.environment import load as load_file
from stacks.settings import Settings
from tests.rewrite_golden import environment_files


def load(database: dict[str, Any] | None = None, **service: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}}
    text = yaml.safe_dump(file | {"database": database or {}, "service": service})
    return parse_settings(text, Path("dev.yaml"))


def refused(database: dict[str, Any] | None = None, **service: Any) -> str:
    """Return the one problem, without its line."""
    with pytest.raises(EnvironmentFileError) as caught:
        load(database, **service)
    (problem,) = caught.value.problems
    return str(problem)


def pool(size: Any) -> dict[str, Any]:
    return {"general_settings": {"database_connection_pool_limit": size}}


@pytest.mark.parametrize("path", environment_files(), ids=lambda path: path.stem)
def test_the_shipped_environments_fit(path: Path) -> None:
    load_file(path)


def test_a_roll_over_of_the_usual_tasks_is_told_with_its_arithmetic() -> None:
    ninety = {"parameters": {"max_connections": "99"}}

    assert refused(ninety, desired_count=4) == (
        "service.desired_count: 8 tasks (4, doubled during a roll-over) x 1 worker x 10 connections "
        "= 80 of 79 (99 - 20 reserved, by database.parameters); "
        "fewer tasks, workers or database_connection_pool_limit, or a larger database"
    )


def test_the_most_tasks_that_scaling_reaches_count_where_they_are_more() -> None:
    assert refused(max_tasks=9) == (
        "service.max_tasks: 9 tasks (max_tasks) x 1 worker x 10 connections = 90 of 89 "
        "(112 - 23 reserved, by database.instance_class); "
        "fewer tasks, workers or database_connection_pool_limit, or a larger database"
    )


def test_s2s_forty_of_two_hundred_stay_free() -> None:
    two_hundred = {"parameters": {"max_connections": "200"}}
    benchmark = {"desired_count": 1, "max_tasks": 4, "workers": 4}

    assert load(two_hundred, **benchmark).service.max_tasks == 4
    assert "= 170 of 160 (200 - 40 reserved" in refused(two_hundred, max_tasks=17)
    assert "4 workers x 11 connections = 176 of 160" in refused(two_hundred, **benchmark, config=pool(11))


@pytest.mark.parametrize(
    ("database", "connections"),
    [
        ({"instance_class": "db.t3.micro"}, 112),
        ({"instance_class": "db.t4g.medium"}, 450),
        ({"instance_class": "db.m6g.large"}, 901),
        ({"instance_class": "db.r6g.large"}, 1802),
        ({"instance_class": "db.r5.24xlarge"}, 5000),
        ({"instance_class": "db.t3.micro", "parameters": {"max_connections": "300"}}, 300),
        ({"engine": "aurora-postgresql", "max_acu": 1}, 189),
        ({"engine": "aurora-postgresql", "max_acu": 4}, 822),
        ({"engine": "aurora-postgresql", "max_acu": 8}, 1666),
        ({"engine": "aurora-postgresql", "max_acu": 16}, 2000),
        ({"engine": "aurora-postgresql", "max_acu": 16, "min_acu": 1}, 3354),
        ({"engine": "aurora-postgresql", "max_acu": 64, "min_acu": 2}, 5000),
    ],
)
def test_the_limit_follows_from_parameter_class_or_capacity(
    database: dict[str, Any], connections: int
) -> None:
    found = limit(load(database).database)

    assert found is not None
    assert found.number == connections


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [("db.t3.micro", 1), ("db.m7g.xlarge", 16), ("db.r7g.xlarge", 32), ("db.x2g.large", None)],
)
def test_memory_is_known_of_the_common_classes_only(instance_class: str, gib: int | None) -> None:
    assert memory_gib(instance_class) == gib


@pytest.mark.parametrize(
    ("database", "what"),
    [
        ({"instance_class": "db.x2g.large"}, "db.x2g.large by default"),
        (
            {"parameters": {"max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)"}},
            "database.parameters.max_connections, a formula",
        ),
    ],
)
def test_what_cannot_be_reckoned_is_not_refused_but_told(database: dict[str, Any], what: str) -> None:
    told = (
        f"database: how many connections it takes is not known here ({what}), so the tasks' are not checked"
    )

    assert told in advice(load(database, max_tasks=500))


def test_a_pool_whose_size_comes_from_elsewhere_is_not_reckoned() -> None:
    found = load(max_tasks=500, environment={"POOL": "10"}, config=pool("os.environ/POOL"))

    assert not [line for line in advice(found) if "connections" in line]


def test_a_problem_with_the_number_itself_is_told_alone() -> None:
    assert "not a number of connections" in refused(
        {"parameters": {"max_connections": "many"}}, max_tasks=500
    )
    assert "min_tasks" in refused(desired_count=5)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("shared_buffers", "1GB", 'RDS takes no unit but the number of blocks of 8 kB: 1GB is "131072"'),
        (
            "effective_cache_size",
            "3 GB",
            'RDS takes no unit but the number of blocks of 8 kB: 3 GB is "393216"',
        ),
        ("maintenance_work_mem", "256MB", 'RDS takes no unit but the number of kB: 256MB is "262144"'),
        ("work_mem", "5mb", 'RDS takes no unit but the number of kB: 5mb is "5120"'),
        ("work_mem", "much", "'much' is not a number; RDS takes kB"),
        ("max_connections", "5", "'5' is not a number of connections; 6 to 262143"),
    ],
)
def test_postgresqls_own_units_are_refused_with_the_number_that_rds_takes(
    name: str, value: str, problem: str
) -> None:
    assert refused({"parameters": {name: value}}) == f"database.parameters.{name}: {problem}"


def test_s2s_settings_are_taken_in_rdss_units_and_so_are_formulas() -> None:
    wanted = {
        "max_connections": "200",
        "shared_buffers": "131072",
        "effective_cache_size": "{DBInstanceClassMemory/16384}",
        "maintenance_work_mem": "262144",
        "work_mem": "5120",
        "log_min_duration_statement": "1000",
    }

    assert load({"instance_class": "db.m6g.large", "parameters": wanted}).database.parameters == wanted
