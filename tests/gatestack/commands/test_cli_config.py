"""`config get|set|list` as a user runs them: the file's parameters, the live one, the user's own."""

import json
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client


@pytest.fixture
def store(sandbox: Sandbox) -> Any:
    ssm = client(sandbox, "ssm")
    for name in ("dev-litellm", "prod-litellm", "dev-litellm2"):
        ssm.put_parameter(Name=f"/{name}/log-level", Value="INFO", Type="String")
    ssm.put_parameter(Name="/dev-litellm/workers", Value="1", Type="String")
    return ssm


def value(store: Any, name: str) -> str:
    return str(store.get_parameter(Name=name)["Parameter"]["Value"])


def test_get_prints_the_value_alone(user: User, store: Any) -> None:
    assert user.run("config", "get", "dev", "log-level").out == "INFO\n"
    assert user.run("config", "get", "dev", "/dev-litellm/workers").out == "1\n"


def test_get_for_machines_says_whose_it_is(user: User, store: Any) -> None:
    found = json.loads(user.run("config", "get", "dev", "workers", "--format", "json").out)

    assert (found["environment"], found["name"], found["value"]) == ("dev", "workers", "1")
    assert found["owner"] == "environment file: service.workers"
    assert found["last_modified"]


def test_list_shows_all_pages_and_whose_each_is(user: User, store: Any) -> None:
    for number in range(12):
        store.put_parameter(Name=f"/dev-litellm/flags/n{number:02}", Value="on", Type="String")

    rows = user.run("config", "list", "dev").out.splitlines()
    found = json.loads(user.run("config", "list", "dev", "--format", "json").out)

    assert [row.split()[0] for row in rows] == [
        *(f"flags/n{n:02}" for n in range(12)),
        "log-level",
        "workers",
    ]
    owners = {one["name"]: one["owner"] for one in found["parameters"]}
    assert owners["flags/n00"] == "yours"
    assert owners["log-level"] == "tasks read it as LITELLM_LOG"
    assert found["path"] == "/dev-litellm"


def test_a_secure_string_is_neither_shown_nor_written(user: User, store: Any) -> None:
    store.put_parameter(Name="/dev-litellm/hush", Value="very-secret", Type="SecureString")

    shown = user.run("config", "get", "dev", "hush").out + user.run("config", "list", "dev").out
    refused = user.run("config", "set", "dev", "hush", "x")

    assert "********" in shown
    assert "very-secret" not in shown
    assert "hush is a SecureString" in refused.err
    assert refused.code == 2


def test_the_log_level_is_live_and_checked_as_in_the_file(user: User, store: Any) -> None:
    done = user.run("config", "set", "dev", "log-level", "DEBUG")

    assert (done.code, done.out) == (0, "")
    assert "tasks read it at their start: gatestack rollout dev" in done.err
    assert value(store, "/dev-litellm/log-level") == "DEBUG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dev", "log-level", "loud"], "'loud' is unknown; write 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        (["prod", "log-level", "DEBUG"], "INFO, WARNING or ERROR in production"),
        (
            ["dev", "workers", "2"],
            "workers follows service.workers of environments/dev.yaml: change it there",
        ),
        (["dev", "image-tag", "v2"], "image-tag follows service.image_tag of environments/dev.yaml"),
        (["dev", "my-token", "x"], "my-token sounds like a secret"),
        (["dev", "mine", "sk-0123456789ab"], "the value looks like a secret"),
        (["dev", "a b", "x"], "'a b' is not a valid parameter name"),
    ],
)
def test_what_is_not_set_here_is_refused(user: User, store: Any, arguments: list[str], message: str) -> None:
    done = user.run("config", "set", *arguments)

    assert message in done.err
    assert "sk-0123456789ab" not in done.err
    assert done.code == 2
    assert value(store, "/dev-litellm/workers") == "1"
    assert value(store, "/prod-litellm/log-level") == "INFO"


def test_a_folder_that_was_generated_has_the_same_rules(user: User, store: Any) -> None:
    assert user.run("generate", "prod", "--out", "reviewed").code == 0

    refused = user.run("config", "set", "reviewed", "log-level", "DEBUG")
    assert "INFO, WARNING or ERROR in production" in refused.err
    follows = user.run("config", "set", "reviewed", "workers", "2")
    assert "the file that reviewed was generated from" in follows.err
    assert user.run("config", "set", "reviewed", "log-level", "ERROR").code == 0
    assert value(store, "/prod-litellm/log-level") == "ERROR"


def test_a_name_of_ones_own_is_made_overwritten_and_left_alone(user: User, store: Any) -> None:
    first = user.run("config", "set", "dev", "limits/rpm", "100")
    assert "LiteLLM's tasks do not read it" in first.err
    assert user.run("config", "set", "dev", "limits/rpm", "200").code == 0
    again = user.run("config", "set", "dev", "limits/rpm", "200")

    assert "is 200 already; nothing was changed" in again.err
    found = store.get_parameter(Name="/dev-litellm/limits/rpm")["Parameter"]
    assert (found["Value"], found["Version"], found["Type"]) == ("200", 2, "String")


def test_an_unknown_name_is_refused_with_the_nearest(user: User, store: Any) -> None:
    done = user.run("config", "get", "dev", "loglevel")

    assert "no parameter 'loglevel'; dev has log-level, workers; did you mean log-level?" in done.err
    assert done.code == 2


def test_what_was_never_deployed_has_no_parameters(user: User) -> None:
    for arguments in (["list", "dev"], ["get", "dev", "log-level"], ["set", "dev", "mine", "1"]):
        done = user.run("config", *arguments)

        assert "no parameters /dev-litellm/ in us-east-1: `gatestack deploy dev` creates them" in done.err
        assert done.code == 1


def test_parameters_of_another_account_are_not_touched(user: User, store: Any) -> None:
    user.edit("dev", "tier: dev", 'tier: dev\naccount: "999999999999"')

    done = user.run("config", "set", "dev", "log-level", "ERROR")

    assert "the credentials are those of account 123456789012, dev is for 999999999999" in done.err
    assert done.code == 2
    assert value(store, "/dev-litellm/log-level") == "INFO"


# another system


@pytest.fixture
def other(store: Any) -> Any:
    values = {"log-level": "info", "redis-db": "0", "redis-addr": "cache.example.com:6379", "min-tasks": "1"}
    for name, text in values.items():
        store.put_parameter(Name=f"/dev-llm-proxy/{name}", Value=text, Type="String")
    return store


def owners(user: User, environment: str) -> dict[str, str]:
    found = json.loads(user.run("config", "list", environment, "--format", "json").out)
    return {one["name"]: one["owner"] for one in found["parameters"]}


def test_parameters_of_a_system_are_shown_with_what_its_tasks_read(user: User, other: Any) -> None:
    assert user.run("generate", "llm-proxy-dev", "--out", "reviewed").code == 0

    found = owners(user, "llm-proxy-dev")

    assert found == {
        "log-level": "tasks read it as LOG_LEVEL",
        "min-tasks": "environment file: service.min_tasks",
        "redis-addr": "tasks read it as REDIS_ADDR",
        "redis-db": "tasks read it as REDIS_DB",
    }
    assert owners(user, "reviewed") == found


@pytest.mark.parametrize(("given", "written"), [("WARNING", "warn"), ("warn", "warn")])
def test_the_log_level_is_written_in_the_applications_own_word(
    user: User, other: Any, given: str, written: str
) -> None:
    done = user.run("config", "set", "llm-proxy-dev", "log-level", given)

    assert f"log-level of dev is {written}" in done.err
    assert value(other, "/dev-llm-proxy/log-level") == written


def test_a_parameter_that_the_file_adds_is_live(user: User, other: Any) -> None:
    assert user.run("generate", "llm-proxy-dev", "--out", "reviewed").code == 0

    for environment, number in (("llm-proxy-dev", "1"), ("reviewed", "2")):
        done = user.run("config", "set", environment, "redis-db", number)

        assert f"tasks read it at their start: gatestack rollout {environment}" in done.err
        assert "a deployment that changes service.parameters.redis-db of" in done.err
        assert value(other, "/dev-llm-proxy/redis-db") == number


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("log-level", "loud", "'loud' is unknown; write 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("redis-addr", "elsewhere:6379", "redis-addr says where something of the database stack is"),
        ("min-tasks", "2", "min-tasks follows service.min_tasks of environments/llm-proxy-dev.yaml"),
    ],
)
def test_what_follows_from_a_deployment_is_refused_in_every_system(
    user: User, other: Any, name: str, given: str, message: str
) -> None:
    before = value(other, f"/dev-llm-proxy/{name}")

    done = user.run("config", "set", "llm-proxy-dev", name, given)

    assert (done.code, message in done.err) == (2, True), done.err
    assert value(other, f"/dev-llm-proxy/{name}") == before


def test_a_name_that_no_task_reads_is_told_with_the_systems_title(user: User, other: Any) -> None:
    done = user.run("config", "set", "llm-proxy-dev", "mine", "1")

    assert "LLM Proxy's tasks do not read it" in done.err
