"""LiteLLM's own file in the environment file: what is refused, what is warned of, what is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import service
from stacks.checking import limits
from stacks.checking.advice import advice
from stacks.checking.litellm import given_to_tasks
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from tests.stacks.finders import properties

BEDROCK = {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]}


def load(config: dict[str, Any] | None = None, **keys: Any) -> Settings:
    file: dict[str, Any] = {"system": "litellm", "environment": "dev", "alb": {"internal": True}}
    file["cache"] = {"existing": {"host": "redis.example.com"}} if keys.pop("redis", False) else {}
    file["network"] = keys.pop("network", {})
    file["service"] = {"config": config or {}, **keys}
    return parse_settings(yaml.safe_dump(file), Path("dev.yaml"))


def refused(config: dict[str, Any], **keys: Any) -> str:
    """Return the one problem that the file has, below service.config and without its line."""
    with pytest.raises(EnvironmentFileError) as caught:
        load(config, **keys)
    (problem,) = caught.value.problems
    assert problem.line is not None
    return str(problem).removeprefix("service.config.")


def model(name: str = "openai/gpt-5", **params: Any) -> dict[str, Any]:
    return {"model_list": [{"model_name": "x", "litellm_params": {"model": name, **params}}]}


def key(reference: str) -> dict[str, Any]:
    return model(api_key=f"os.environ/{reference}")


# --- variables -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"providers": ["anthropic"], "environment": {"LANGFUSE_HOST": "https://x.example"}},
        {**BEDROCK, "network": {"nat_gateways": 0}},
    ],
)
def test_the_variables_that_are_known_are_those_that_the_task_gets(keys: dict[str, Any]) -> None:
    configured = load(**keys)
    container = properties(service.build(configured), "ProxyTask")["ContainerDefinitions"][0]

    there = {entry["Name"] for entry in (*container["Environment"], *container["Secrets"])}
    assert there | limits.FARGATE_VARIABLES == given_to_tasks(configured)


@pytest.mark.parametrize(
    ("reference", "keys", "remedy"),
    [
        ("OPENAI_KEY", {}, "did you mean OPENAI_API_KEY?"),
        ("OPENAI_API_KEY", {"providers": ["anthropic"]}, "add openai to service.providers"),
        (
            "GEMINI_API_KEY",
            {},
            "add gemini to service.providers, or name GEMINI_API_KEY in service.secrets",
        ),
        (
            "ACME_API_KEY",
            {},
            "name it in service.secrets, and put its value in: `gatestack secret set ENV NAME`",
        ),
        ("SOMETHING", {}, "set it in service.environment, or name it in service.secrets"),
    ],
)
def test_a_reference_to_what_nothing_sets_is_refused_with_what_to_do(
    reference: str, keys: dict[str, Any], remedy: str
) -> None:
    place = "model_list[0].litellm_params.api_key"

    assert refused(key(reference), **keys) == f"{place}: nothing sets {reference} in the tasks; {remedy}"


@pytest.mark.parametrize(
    "config",
    [
        {"litellm_settings": {"cache_params": {"host": "os.environ/REDIS_HOST"}}},
        {"router_settings": {"a": ["os.environ/REDIS_HOST"]}},
    ],
)
def test_a_reference_is_looked_at_wherever_it_stands(config: dict[str, Any]) -> None:
    assert "nothing sets REDIS_HOST in the tasks" in refused(config)
    assert load(config, environment={"REDIS_HOST": "cache"}).service.environment == {"REDIS_HOST": "cache"}


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        (key("OPENAI_API_KEY"), {}),
        (model(api_base="os.environ/MY_SERVER"), {"environment": {"MY_SERVER": "https://x.example"}}),
        ({**model(api_base="os.environ/MINE"), "environment_variables": {"MINE": "https://x.example"}}, {}),
        (
            model("bedrock/anthropic.claude-3-haiku-20240307-v1:0", aws_region_name="os.environ/AWS_REGION"),
            BEDROCK,
        ),
        ({"litellm_settings": {"cache": "see os.environ/NOTHING"}}, {}),
    ],
)
def test_a_reference_to_what_is_set_or_no_reference_at_all_is_let_pass(
    config: dict[str, Any], keys: dict[str, Any]
) -> None:
    assert load(config, **keys).service.config["model_list"] == config.get("model_list", [])


def test_a_reference_is_not_judged_by_variables_that_are_refused_themselves() -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load({"litellm_settings": {"a": "os.environ/POOL"}}, environment={"POOL": 5})

    assert [problem.key for problem in caught.value.problems] == ["service.environment.POOL"]


# --- providers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "keys"),
    [
        ("openai/gpt-5", {}, {"providers": ["anthropic"]}),
        ("anthropic/claude-x", {"max_tokens": 5}, {"providers": ["openai"]}),
    ],
)
def test_a_model_of_a_provider_that_is_not_configured_is_refused(
    name: str, params: dict[str, Any], keys: dict[str, Any]
) -> None:
    provider = name.partition("/")[0]

    assert refused(model(name, **params), **keys) == (
        f"model_list[0].litellm_params.model: {provider} is not among service.providers, "
        "so the tasks have no access to it; add it there"
    )


@pytest.mark.parametrize(
    ("name", "params", "environment"),
    [
        ("openai/my-model", {"api_base": "https://vllm.internal/v1"}, {}),
        ("openai/my-model", {}, {"OPENAI_BASE_URL": "https://vllm.internal/v1"}),
        ("openai/my-model", {"mock_response": "hello"}, {}),
        ("bedrock/anthropic.claude-x", {"aws_region_name": "eu-west-1"}, {}),
        ("vertex_ai/gemini-2.5-pro", {}, {}),
        ("gpt-5", {}, {}),
        ("bedrock", {}, {}),
    ],
)
def test_a_model_whose_access_may_come_from_elsewhere_is_let_pass(
    name: str, params: dict[str, Any], environment: dict[str, str]
) -> None:
    configured = load(model(name, **params), providers=["anthropic"], environment=environment)

    assert configured.service.providers == ("anthropic",)


# --- general_settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["os.environ/DATABASE_URL", "postgresql://u:hush@h/d"])
def test_a_database_of_its_own_is_refused_once_and_never_repeated(url: str) -> None:
    assert refused({"general_settings": {"database_url": url}}) == (
        "general_settings.database_url: the tasks get the login that is rotated; remove it"
    )


def test_a_master_key_in_the_file_is_refused_once() -> None:
    assert refused({"general_settings": {"master_key": "sk-hush"}}) == (
        "general_settings.master_key: must be os.environ/LITELLM_MASTER_KEY, the key that gatestack makes"
    )


def test_forbidding_custom_keys_is_refused_because_the_rotation_needs_one() -> None:
    assert refused({"general_settings": {"disable_custom_api_keys": True}}) == (
        "general_settings.disable_custom_api_keys: forbids what the rotation of the master key needs, "
        "that the old key stays valid; remove it"
    )
    general = load({"general_settings": {"disable_custom_api_keys": False}}).service.config[
        "general_settings"
    ]
    assert isinstance(general, dict)
    assert general["disable_custom_api_keys"] is False


def test_a_secret_below_such_a_key_is_a_secret_all_the_same() -> None:
    assert refused({"general_settings": {"alerts": {"master_key": "hush"}}}) == (
        "general_settings.alerts.master_key: a secret may not stand in this file; write os.environ/NAME"
    )


# --- advice --------------------------------------------------------------------------------------

CODE = "is Python code; S3 has config.yaml only, so it has to be in the image"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"include": ["models.yaml"]},
            "service.config.include: LiteLLM takes one file from S3, none beside it; write all of it here",
        ),
        (
            {"litellm_settings": {"callbacks": ["langfuse", "custom_callbacks.handler"]}},
            f"service.config.litellm_settings.callbacks[1]: custom_callbacks.handler {CODE}",
        ),
        (
            {"general_settings": {"custom_auth": "my_auth.check"}},
            f"service.config.general_settings.custom_auth: my_auth.check {CODE}",
        ),
    ],
)
def test_what_lies_beside_the_file_is_warned_of(config: dict[str, Any], said: str) -> None:
    assert advice(load(config, redis=True)) == (said,)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"litellm_settings": {"callbacks": ["langfuse", "prometheus"], "success_callback": "otel"}},
        {"litellm_settings": {"callbacks": "litellm.integrations.x.handler"}},
        {"litellm_settings": {"callbacks": "s3://my-bucket/handlers.mine"}},
        {"general_settings": {"alerting": ["a.b"]}},
    ],
)
def test_what_is_built_in_or_fetched_is_not_warned_of(config: dict[str, Any]) -> None:
    assert advice(load(config, redis=True)) == ()
