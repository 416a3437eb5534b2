"""`gatestack verify` as a user runs it, against the sandbox."""

import json
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client


@pytest.fixture
def secrets(account: Sandbox) -> Any:
    return client(account, "secretsmanager")


def put_keys(secrets: Any, **values: str) -> None:
    name = "local-litellm/api-keys"
    now = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(now | values))


def checks(user: User, environment: str = "local") -> dict[str, dict[str, str]]:
    told = json.loads(user.run("verify", environment, "--format", "json").out)
    return {check["name"]: check for check in told["checks"]}


def test_a_deployed_environment_lacks_nothing_but_its_keys(deployed: User, secrets: Any) -> None:
    put_keys(secrets, OPENAI_API_KEY="REPLACE_ME", ANTHROPIC_API_KEY="REPLACE_ME")
    done = deployed.run("verify", "local")

    assert done.code == 1
    said = "OPENAI_API_KEY of local-litellm/api-keys is still the placeholder"
    assert done.err.splitlines()[-5:] == [
        "local: 2 of 17 checks failed, 1 skipped",
        "  key ANTHROPIC_API_KEY -> `gatestack secret set local ANTHROPIC_API_KEY`",
        "next:",
        "  gatestack verify local  # once that is done, check again",
        f"error: {said}: `gatestack secret set local OPENAI_API_KEY`",
    ]
    assert "gatestack secret set" not in done.out, "each remedy stands once"

    put_keys(secrets, OPENAI_API_KEY="sk-of-openai", ANTHROPIC_API_KEY="sk-of-anthropic")
    done = deployed.run("verify", "local")
    assert (done.code, "failed" in done.out) == (0, False), done.out
    assert done.err.splitlines()[-1] == "local: 17 checks passed, 1 skipped"
    assert "sk-of-" not in done.out + done.err


def test_every_part_is_looked_at(deployed: User, secrets: Any) -> None:
    put_keys(secrets, OPENAI_API_KEY="REPLACE_ME", ANTHROPIC_API_KEY="sk-of-anthropic")

    found = checks(deployed)

    outcomes = {name: check["outcome"] for name, check in found.items()}
    assert outcomes == {
        "stack security": "ok",
        "stack network": "ok",
        "stack alb": "ok",
        "stack database": "ok",
        "stack service": "ok",
        "service": "ok",
        "targets": "ok",
        "encryption key": "ok",
        "key OPENAI_API_KEY": "failed",
        "key ANTHROPIC_API_KEY": "ok",
        "master key": "ok",
        "rotation database": "ok",
        "rotation master-key": "ok",
        "release": "ok",
        "database login": "ok",
        "database version": "ok",
        "config.yaml": "ok",
        "endpoint": "skipped",
    }
    assert all(check["remedy"] for check in found.values() if check["outcome"] == "failed")


def test_an_environment_that_is_not_there_fails_by_its_stacks(deployed: User) -> None:
    done = deployed.run("verify", "prod")

    assert done.code == 1
    assert done.err.splitlines()[-1] == "error: stack security: not there: `gatestack deploy prod` creates it"


def test_a_rendered_folder_is_verified_as_well(deployed: User, secrets: Any) -> None:
    put_keys(secrets, OPENAI_API_KEY="REPLACE_ME")
    assert deployed.run("generate", "local", "--out", "reviewed").code == 0

    found = checks(deployed, "reviewed")

    assert found["service"]["outcome"] == "ok"
    assert found["key OPENAI_API_KEY"]["remedy"] == "`gatestack secret set reviewed OPENAI_API_KEY`"


def test_a_service_without_tasks_says_what_to_do(deployed: User) -> None:
    assert deployed.run("deploy", "llm-testing", "--yes").code == 0

    check = checks(deployed, "llm-testing")["service"]

    assert (check["outcome"], check["detail"]) == ("failed", "it is to run no tasks")
    assert "`gatestack deploy llm-testing`" in check["remedy"]


@pytest.mark.deep  # in `make test`: both by what is seen of the secrets, in test_verification.py
def test_a_rotation_that_is_off_and_the_administrators_login_do_not_look_well(
    deployed: User, secrets: Any
) -> None:
    name = "local-litellm/database-login"
    administrator = secrets.get_secret_value(SecretId="local-litellm/database")["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=administrator)
    secrets.cancel_rotate_secret(SecretId=name)

    found = checks(deployed)

    assert found["rotation database"]["outcome"] == "failed"
    assert found["database login"]["outcome"] == "failed"
    assert json.loads(administrator)["password"] not in json.dumps(found)

    assert deployed.run("rotate", "local", "database").code == 0
    found = checks(deployed)
    assert {found[name]["outcome"] for name in ("rotation database", "database login")} == {"ok"}


def test_a_service_is_held_to_what_the_file_says(deployed: User) -> None:
    least = "min_tasks: 3\n  desired_count: 3\n  max_tasks: 4"
    deployed.edit("local", "service:", f"service:\n  {least}")

    check = checks(deployed)["service"]

    assert check["outcome"] == "failed"
    assert check["detail"] == "1 of 1 tasks run, and the environment's file wants 3 at least"
    assert "`gatestack deploy local`" in check["remedy"]
