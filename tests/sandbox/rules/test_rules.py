"""Rules of the sandbox as data: parameters of families, classes and versions, sizes of tasks."""

from __future__ import annotations

import pytest

from sandbox.rules import engines, fargate, parameters

LOG_CONNECTIONS = (
    "Invalid parameter value: 1 for: log_connections allowed values are: receipt, authentication, "
    "authorization, setup_durations, all"
)
AUTOVACUUM = "Invalid parameter value: x for: autovacuum allowed values are: 0,1"


@pytest.mark.parametrize(
    ("family", "name", "value", "message"),
    [
        ("postgres18", "log_connections", "1", LOG_CONNECTIONS),
        ("postgres18", "log_connections", "receipt,authorization", ""),
        ("postgres17", "log_connections", "1", ""),
        ("postgres17", "log_connections", "on", ""),
        ("aurora-postgresql16", "db_user_namespace", "1", ""),
        ("postgres16", "transaction_timeout", "1", "Could not find parameter with name: transaction_timeout"),
        ("postgres15", "max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", ""),
        ("postgres15", "random_page_cost", "1.1", ""),
        ("postgres15", "client_min_messages", "debug", ""),
        ("postgres15", "autovacuum", "x", AUTOVACUUM),
        ("postgres15", "pg_stat_statements.track", "all", ""),
        ("aurora-postgresql16", "apg_plan_mgmt.capture_plan_baselines", "manual", ""),
        ("postgres13", "whatever", "1", ""),
        ("mysql8.0", "whatever", "1", ""),
    ],
)
def test_a_family_has_the_parameters_of_its_major(family: str, name: str, value: str, message: str) -> None:
    assert parameters.refused(family, name, value) == message


def test_what_rds_offers_differs_by_engine_and_region() -> None:
    assert "15.16" in engines.versions("postgres")
    assert "15.16" not in engines.versions("aurora-postgresql")
    assert engines.offered("postgres", "16")
    assert not engines.offered("postgres", "10")
    everywhere = ("us-east-1", "eu-central-1", "xx-nowhere-1")
    assert all(engines.serves("postgres", "16.11", "db.t4g.micro", region) for region in everywhere)
    assert engines.classes("postgres", "us-east-1") != engines.classes("postgres", "eu-central-1")


@pytest.mark.parametrize("size", [(256, 512), (4096, 30720), (16384, 122880), (32768, 249856)])
def test_fargate_has_a_size(size: tuple[int, int]) -> None:
    assert fargate.exists(*size)


@pytest.mark.parametrize("size", [(256, 4096), (512, 1536), (8192, 17408), (300, 512)])
def test_fargate_has_no_other_size(size: tuple[int, int]) -> None:
    assert not fargate.exists(*size)
