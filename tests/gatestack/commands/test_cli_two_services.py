"""`verify`, `rollout` and `rotate` in environments of other systems: two services, or no database."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.clock import RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.conftest import FAST
from tests.sandbox.sandbox_account import client

PROXY, DISPATCHER = "dev-llm-proxy-proxy", "dev-llm-proxy-dispatcher"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account that has llm-proxy and llm-testing, for all tests of this file."""
    Services().reset()
    with Sandbox(clock=RealClock(FAST), key=KEY) as sandbox:
        first = owner(tmp_path_factory.mktemp("first"), sandbox)
        for environment in ("llm-proxy-dev", "llm-testing"):
            done = first.run("deploy", environment, "--yes")
            assert done.code == 0, done.err
        yield sandbox


def owner(folder: Any, sandbox: Sandbox) -> User:
    user = User.at(folder, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)
    user.edit("llm-testing", "image: ecr", "image: registry.example.com/llm-testing")
    user.edit("llm-proxy-dev", "service:", "dispatcher:\n  backend: lunary\nservice:")
    return user


@pytest.fixture
def both(tmp_path: Any, running: Sandbox) -> User:
    """A user of that account, in which everything goes well again, and fast, and no function runs."""
    running.faults.clear()
    running.finish()
    assert isinstance(running.clock, RealClock)
    running.clock.run_at(FAST)
    return owner(tmp_path, running)


def outcomes(user: User, environment: str) -> dict[str, str]:
    told = json.loads(user.run("verify", environment, "--format", "json").out)
    return {check["name"]: check["outcome"] for check in told["checks"]}


def statuses(out: str) -> dict[str, str]:
    return {one["service"]: one["status"] for one in json.loads(out)["services"]}


STACKS = {f"stack {name}": "ok" for name in ("security", "network", "alb", "database", "service")}
WELL = {
    **STACKS,
    "encryption key": "ok",
    "service": "ok",
    "service dispatcher": "ok",
    "targets": "ok",
    "key LLM_PROXY_API_KEY": "failed",
    "rotation database": "ok",
    "database login": "ok",
    "database version": "ok",
    "endpoint": "skipped",
}


def test_every_service_and_the_key_that_the_second_one_takes_are_looked_at(both: User) -> None:
    assert outcomes(both, "llm-proxy-dev") == WELL

    done = both.run("secret", "set", "llm-proxy-dev", "LLM_PROXY_API_KEY", stdin="of-lunary")
    assert done.code == 0, done.err
    assert outcomes(both, "llm-proxy-dev") == {**WELL, "key LLM_PROXY_API_KEY": "ok"}


def test_a_system_without_database_is_asked_for_none(both: User, running: Sandbox) -> None:
    found = outcomes(both, "llm-testing")

    asked = {
        "encryption key": "ok",
        "service": "ok",
        "targets": "ok",
        "secret api-keys": "ok",
        "endpoint": "skipped",
    }
    assert found == {name: "ok" for name in STACKS if name != "stack database"} | asked

    secrets = client(running, "secretsmanager")
    now = secrets.get_secret_value(SecretId="test-llm-testing/api-keys")["SecretString"]
    secrets.put_secret_value(SecretId="test-llm-testing/api-keys", SecretString='{"keys": ["sk-list"]}')
    done = both.run("verify", "llm-testing")
    secrets.put_secret_value(SecretId="test-llm-testing/api-keys", SecretString=now)

    assert done.code == 1
    assert "error: secret api-keys: entry 1 of keys" in done.err
    assert done.err.rstrip().endswith("`gatestack secret set llm-testing api-keys`")
    assert "sk-list" not in done.out + done.err


def test_all_services_get_new_tasks_the_one_with_the_requests_first(both: User) -> None:
    done = both.run("rollout", "llm-proxy-dev", "--format", "json")

    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["service"], told["status"]) == (PROXY, "COMPLETED")
    assert [one["service"] for one in told["services"]] == [PROXY, DISPATCHER]
    assert told["services"][0].items() <= told.items()
    started = [line.split()[1] for line in done.err.splitlines() if "new tasks are started" in line]
    assert started == ["service", "dispatcher"]

    assert json.loads(both.run("rollout", "llm-testing", "--format", "json").out).keys() == {
        "environment",
        "service",
        "deployment",
        "status",
        "seconds",
    }


@pytest.mark.parametrize(
    ("ill", "found"),
    [
        (PROXY, {PROXY: "ROLLED_BACK", DISPATCHER: "SKIPPED"}),
        (DISPATCHER, {PROXY: "COMPLETED", DISPATCHER: "ROLLED_BACK"}),
    ],
)
def test_after_a_service_that_does_not_start_no_other_one_is_rolled(
    both: User, running: Sandbox, ill: str, found: dict[str, str]
) -> None:
    running.faults.add({"rollouts": [{"service": ill}]})

    done = both.run("rollout", "llm-proxy-dev", "--format", "json")

    assert done.code == 1, done.err
    assert statuses(done.out) == found
    assert (json.loads(done.out)["service"], json.loads(done.out)["status"]) == (PROXY, "ROLLED_BACK")
    assert done.err.splitlines()[-1].startswith(f"error: {ill}: ECS rolled back to the previous tasks: ")


def test_where_no_end_is_seen_every_service_is_told(both: User, running: Sandbox) -> None:
    running.clock.run_at(1.0)  # type: ignore[attr-defined] # this fixture's clock is a real one

    done = both.run("rollout", "llm-proxy-dev", "--timeout-minutes", "0.005", "--format", "json")

    assert (done.code, statuses(done.out)) == (5, {PROXY: "IN_PROGRESS", DISPATCHER: "SKIPPED"})


def test_a_second_service_without_tasks_is_left_alone_and_verified_as_ill(
    both: User, running: Sandbox
) -> None:
    ecs = client(running, "ecs")
    ecs.update_service(cluster="dev-llm-proxy", service=DISPATCHER, desiredCount=0)

    done = both.run("rollout", "llm-proxy-dev", "--format", "json")
    found = outcomes(both, "llm-proxy-dev")
    ecs.update_service(cluster="dev-llm-proxy", service=DISPATCHER, desiredCount=1)

    assert (done.code, statuses(done.out)) == (0, {PROXY: "COMPLETED", DISPATCHER: "SKIPPED"})
    assert "warning: has a desired count of 0: no tasks are started" in done.err
    assert (found["service"], found["service dispatcher"]) == ("ok", "failed")


def test_another_image_reaches_every_service(both: User, running: Sandbox) -> None:
    ecs = client(running, "ecs")

    done = both.run("rollout", "llm-proxy-dev", "--image-tag", "v0.1.2-stable", "--yes", "--format", "json")

    assert done.code == 0, done.err
    assert statuses(done.out) == {PROXY: "COMPLETED", DISPATCHER: "COMPLETED"}
    for one in ecs.describe_services(cluster="dev-llm-proxy", services=[PROXY, DISPATCHER])["services"]:
        definition = ecs.describe_task_definition(taskDefinition=one["taskDefinition"])["taskDefinition"]
        images = [each["image"] for each in definition["containerDefinitions"]]
        assert images == ["ghcr.io/sofatutor/llm-proxy:v0.1.2-stable"]


def test_the_database_login_of_another_system_is_rotated(both: User) -> None:
    done = both.run("rotate", "llm-proxy-dev", "database", "--format", "json")

    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["secret"], told["rollout"]) == ("dev-llm-proxy/database-login", "COMPLETED")
