"""`service.secrets`: what is refused, and what a name comes to in the templates, and in no other one."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from stacks import database, security, service
from stacks.application import camel
from stacks.checking import limits
from stacks.systems import MODULES, application
from stacks.systems.litellm_providers import SOURCE, VARIABLES
from stacks.task_secrets import names
from tests.places import ROOT
from tests.stacks import rewrite_providers
from tests.stacks.environment_values import SHARED
from tests.stacks.environments_of_systems import container, environment, injected, refused
from tests.stacks.finders import exports, properties, resource, resources

NAMES = ("AZURE_API_KEY", "LANGFUSE_SECRET_KEY", "x")
TASKS = {"litellm": "ProxyTask", "litellm-benchmark": "ProxyTask", "llm-proxy": "ProxyTask"}


def with_secrets(system: str, *names: str, **more: Any) -> Any:
    return environment(system, service={"secrets": list(names)} | more)


@pytest.mark.parametrize("system", MODULES)
def test_a_name_is_a_secret_of_its_own_that_tasks_get_and_may_read(system: str) -> None:
    settings = with_secrets(system, "AZURE_API_KEY")
    made = security.build(settings)

    secret = resource(made, "AzureApiKeySecret")
    assert secret["DeletionPolicy"] == "Delete"
    assert secret["Properties"]["Name"] == f"dev-{system}/variables/AZURE_API_KEY"
    assert json.loads(secret["Properties"]["SecretString"]) == {"AZURE_API_KEY": "REPLACE_ME"}
    assert secret["Properties"]["KmsKeyId"] == {"Ref": "Key"}
    export = f"dev-{system}-security-AzureApiKeySecretArn"
    assert exports(made)[export] == {"Ref": "AzureApiKeySecret"}
    told = injected(service.build(settings), TASKS.get(system, "BackendTask"))
    assert told["AZURE_API_KEY"] == f"{export}:AZURE_API_KEY::"
    documents = [one["PolicyDocument"] for one in properties(made, "ExecutionRole")["Policies"]]
    (right,) = [one for each in documents for one in each["Statement"] if one["Sid"] == "ReadVariables"]
    assert right["Action"] == ["secretsmanager:GetSecretValue"]
    assert right["Resource"] == [
        {
            "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:"
            f"secret:dev-{system}/variables/*"
        }
    ]


def test_a_dispatcher_gets_them_too_and_a_migration_gets_none() -> None:
    beside = environment(
        "llm-proxy",
        service={"secrets": ["OTEL_TOKEN"]},
        cache={"enabled": True},
        dispatcher={"enabled": True},
    )
    assert "OTEL_TOKEN" in injected(service.build(beside), "DispatcherTask")

    migrating = database.build(with_secrets("litellm", "AZURE_API_KEY"))
    assert "AZURE_API_KEY" not in json.dumps(container(migrating, "MigrationTask"))


def test_what_stands_beside_a_name_changes_nothing_of_it() -> None:
    alone = {name: resource(security.build(with_secrets("litellm", name)), title(name)) for name in NAMES}
    for some in (*combinations(NAMES, 2), NAMES[::-1]):
        made = security.build(with_secrets("litellm", *some))
        assert {name: resource(made, title(name)) for name in some} == {name: alone[name] for name in some}
        role = resource(made, "ExecutionRole")
        assert role == resource(security.build(with_secrets("litellm", "OTHER")), "ExecutionRole")


def title(name: str) -> str:
    return f"{camel(name)}Secret"


def test_without_a_name_there_is_nothing_of_it() -> None:
    assert "ReadVariables" not in json.dumps(security.build(environment("litellm")).template.to_dict())


@pytest.mark.parametrize("system", MODULES)
def test_no_secret_of_a_system_stands_where_those_of_variables_do(system: str) -> None:
    made = resources(security.build(environment(system)), "AWS::SecretsManager::Secret")
    assert not [one for one in made.values() if "/variables/" in one["Properties"]["Name"]]


@pytest.mark.parametrize(
    ("system", "sections", "message"),
    [
        ("litellm", {"secrets": ["A", "B", "A"]}, "[2]: A stands twice; keep one of them"),
        (
            "litellm",
            {"secrets": ["OPENAI_API_KEY"]},
            "[0]: OPENAI_API_KEY comes with openai in service.providers; remove it",
        ),
        (
            "litellm",
            {"secrets": ["LITELLM_MASTER_KEY"]},
            "[0]: LITELLM_MASTER_KEY is set by gatestack itself; remove it",
        ),
        (
            "llm-proxy",
            {"secrets": ["MANAGEMENT_TOKEN"]},
            "[0]: MANAGEMENT_TOKEN is set by gatestack itself; remove it",
        ),
        ("llm-testing", {"secrets": ["API_KEY"]}, "[0]: API_KEY is set by gatestack itself; remove it"),
        (
            "litellm",
            {"secrets": ["FOO"], "environment": {"FOO": "bar"}},
            "[0]: FOO is set by service.environment too, in clear; keep one of them",
        ),
        (
            "litellm",
            {"secrets": ["FOO_BAR"], "parameters": {"foo-bar": "1"}},
            "[0]: FOO_BAR comes from service.parameters.foo-bar too; keep one of them",
        ),
        (
            "litellm",
            {"secrets": ["A_B", "AB", "a__b"]},
            "[2]: a__b has the same logical id ABSecret as A_B; rename one of them",
        ),
        (
            "litellm",
            {"secrets": ["MASTER_KEY"]},
            (
                "[0]: MASTER_KEY has the same logical id MasterKeySecret as gatestack's secret master-key; "
                "rename one of them"
            ),
        ),
        ("litellm", {"secrets": ["__"]}, "[0]: __ needs a letter or a digit"),
    ],
)
def test_a_name_that_is_taken_is_refused(system: str, sections: dict[str, Any], message: str) -> None:
    assert f"service.secrets{message}" in refused(system, service=sections)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_the_tasks_role_is_not_put_out_of_use(name: str) -> None:
    (told,) = refused("litellm", service={"secrets": [name]})
    assert told.startswith(f"service.secrets[0]: {name} would take the place of the tasks' role")
    assert with_secrets("litellm", f"BEDROCK_{name}").service.secrets == (f"BEDROCK_{name}",)


def test_redis_beside_the_cache_is_refused() -> None:
    told = refused("litellm", service={"secrets": ["REDIS_URL"]}, cache={"enabled": True})
    assert told == ["service.secrets[0]: REDIS_URL leads past the Redis of cache.enabled; remove one of them"]
    assert with_secrets("litellm", "REDIS_URL").service.secrets == ("REDIS_URL",)


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "", "é", "sk-" + "a1B2" * 10, "A" * 65, "A=b"])
def test_what_is_no_name_is_refused_and_not_repeated(name: str) -> None:
    (told,) = refused("litellm", service={"secrets": [name]})
    assert told.startswith("service.secrets[0]: not the name of a variable, like AZURE_API_KEY")
    assert len(name) < 9 or name not in told


def test_there_is_room_for_a_hundred_of_the_longest_names() -> None:
    names = [f"{'A' * 61}{number:03}" for number in range(101)]
    system, tier = "litellm-benchmark", {"environment": "e" * 8}
    settings = environment(system, service={"secrets": names[:100]}, **tier)
    made = security.build(settings).template.to_dict()
    assert len(made["Outputs"]) <= 200
    assert max(len(name) for name in exports(security.build(settings))) <= 128
    assert refused(system, service={"secrets": names}, **tier) == [
        "service.secrets: 101 variables with those of the providers; the stack has room for 100"
    ]


def test_litellm_may_refer_to_what_its_tasks_get_and_to_nothing_else() -> None:
    config = {
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        "litellm_settings": {"success_callback": ["langfuse"]},
        "environment_variables": {"LANGFUSE_HOST": "https://langfuse.example.com"},
        "model_list": [
            {
                "model_name": "gpt",
                "litellm_params": {
                    "model": "azure/gpt-4o",
                    "api_key": "os.environ/AZURE_API_KEY",
                    "api_base": "os.environ/AZURE_API_BASE",
                    "rpm": "os.environ/FOO_BAR",
                },
            }
        ],
    }
    plain = {"environment": {"AZURE_API_BASE": "https://x.example.com"}, "parameters": {"foo-bar": "1"}}
    environment("litellm", service={"secrets": ["AZURE_API_KEY"], "config": config} | plain)
    (told,) = refused("litellm", service={"config": config} | plain)
    assert told == (
        "service.config.model_list[0].litellm_params.api_key: nothing sets AZURE_API_KEY in the tasks; "
        "add azure to service.providers, or name AZURE_API_KEY in service.secrets"
    )


def test_the_variables_of_a_provider_follow_unless_the_file_gives_them() -> None:
    plain = {"AZURE_API_BASE": "https://acme.example.com", "AZURE_API_VERSION": "2024-10-21"}
    settings = environment(
        "litellm",
        service={
            "providers": ["openai", "azure", "gemini", "groq"],
            "environment": plain,
            "secrets": ["GEMINI_API_KEY"],
            "secrets_from": {"GROQ_API_KEY": SHARED},
        },
    )
    told = injected_names(settings)

    made = resources(security.build(settings), "AWS::SecretsManager::Secret")
    assert {name for name, one in made.items() if "/variables/" in one["Properties"]["Name"]} == {
        "AzureApiKeySecret",
        "GeminiApiKeySecret",
    }
    assert {"OPENAI_API_KEY", "AZURE_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY"} <= told
    assert not {"AZURE_API_BASE", "ANTHROPIC_API_KEY"} & told
    alone = environment("litellm", service={"providers": ["azure"]})
    assert {"AZURE_API_BASE", "AZURE_API_KEY", "AZURE_API_VERSION"} <= injected_names(alone)


def injected_names(settings: Any) -> set[str]:
    return {one["Name"] for one in container(service.build(settings), "ProxyTask")["Secrets"]}


def test_every_provider_of_the_table_can_be_named() -> None:
    for provider, variables in VARIABLES.items():
        models = {"bedrock_models": ["amazon.titan-embed-text-v2:0"]} if provider == "bedrock" else {}
        settings = environment("litellm", service={"providers": [provider], **models})
        own = {name for name in variables if name not in limits.PROVIDER_KEYS.values()}
        assert set(names(settings)) == own
        assert not own & application("litellm").reserved
        assert not own & limits.ROLE_VARIABLES


def test_a_provider_that_is_none_is_refused_with_its_name() -> None:
    (told,) = refused("litellm", service={"providers": ["gemni"]})
    assert told == (
        f"service.providers[0]: 'gemni' is not a provider as {SOURCE} calls it, like azure; "
        "did you mean gemini?"
    )
    assert refused("llm-proxy", service={"providers": ["gemini"]}) == [
        "service.providers: it calls OpenAI and Anthropic only; write [openai, anthropic], or leave it out"
    ]


@pytest.mark.litellm
def test_the_table_is_that_of_the_release_in_use() -> None:
    (place,) = (ROOT / ".venv-litellm").glob("lib/*/site-packages")
    assert rewrite_providers.providers(place / "litellm") == VARIABLES
