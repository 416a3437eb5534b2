"""The user's SSM parameters, and what else any environment showed: each is refused with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.environments_of_systems import environment, refused

CHECK = "alb.health_check.timeout_seconds"


@pytest.mark.parametrize(
    ("system", "name", "message"),
    [
        ("litellm", "log-level", "gatestack writes this parameter itself, from service.log_level; remove it"),
        ("litellm", "workers", "gatestack writes this parameter itself, from service.workers; remove it"),
        ("llm-proxy", "redis-addr", "gatestack writes this parameter itself; remove it"),
        ("litellm", "database-host", "tasks get it as DATABASE_HOST, which gatestack sets itself; remove it"),
        ("litellm", "database-user", "tasks get it as DATABASE_USER, which gatestack sets itself; remove it"),
        ("llm-proxy", "listen-addr", "tasks get it as LISTEN_ADDR, which gatestack sets itself; remove it"),
        (
            "litellm",
            "provider-key",
            (
                "looks like a secret, and these parameters are not encrypted; remove it; a variable of the "
                "tasks goes by its name into service.secrets, and its value is put in with "
                "`gatestack secret set ENV NAME`"
            ),
        ),
    ],
)
def test_a_parameter_that_is_taken_is_refused(system: str, name: str, message: str) -> None:
    assert refused(system, service={"parameters": {name: "x"}}) == [f"service.parameters.{name}: {message}"]


def test_a_parameter_and_a_variable_do_not_share_a_name() -> None:
    """ECS: "The secret name must be unique and not shared with any … environment variables"."""
    message = "tasks get it as FOO_BAR, which service.environment sets too; keep one of them"
    told = refused("litellm", service={"parameters": {"foo-bar": "1"}, "environment": {"FOO_BAR": "2"}})
    assert told == [f"service.parameters.foo-bar: {message}"]


def test_two_parameters_do_not_share_a_variable_or_a_logical_id() -> None:
    assert refused("litellm", service={"parameters": {"a-1": "x", "a1": "y"}}) == [
        "service.parameters.a1: has the same logical id A1 as a-1; rename one of them"
    ]
    message = "has the same variable GLOBAL_RATE_LIMIT as rate-limit-rpm; rename one of them"
    told = refused("llm-proxy", service={"parameters": {"global-rate-limit": "1"}})
    assert told == [f"service.parameters.global-rate-limit: {message}"]


def test_a_parameter_holds_no_reference() -> None:
    assert refused("litellm", service={"parameters": {"x": "{{ssm:y}}"}}) == [
        "service.parameters.x: SSM takes no {{ in a value; write it without"
    ]


def test_parameters_that_tasks_do_read_are_taken() -> None:
    mine = {"redis-db": "1", "cache-enabled": "false", "feature": "on"}
    assert environment("llm-proxy", service={"parameters": mine}).service.parameters["feature"] == "on"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"alb": {"internal": True, "health_check": {"interval_seconds": 5}}},
            f"{CHECK}: 5 seconds is not less than interval_seconds, 5; lower the one or raise the other",
        ),
        (
            {"alb": {"internal": True, "allowed_cidrs": ["10.0.0.0/8", "10.0.0.0/8"]}},
            "alb.allowed_cidrs[1]: 10.0.0.0/8 stands twice; keep one of them",
        ),
        (
            {"alb": {"internal": True, "test_cidrs": ["10.0.0.0/8", "10.0.0.0/8"]}},
            "alb.test_cidrs[1]: 10.0.0.0/8 stands twice; keep one of them",
        ),
        (
            {"dispatcher": {"memory_mb": 4096}},
            "dispatcher.memory_mb: Fargate has no 4096 MB with 256 CPU units; 512, 1024, 2048",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_before(sections: dict[str, Any], message: str) -> None:
    assert refused("llm-proxy", **sections) == [message]
