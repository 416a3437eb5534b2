"""`gatestack rotate` as a user runs it: its functions run for real, against the sandbox."""

import json
import os
import shlex
import signal
import subprocess
import sys
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.places import ROOT
from tests.sandbox.sandbox_account import client

LOGIN, MASTER_KEY = "local-litellm/database-login", "local-litellm/master-key"
FUNCTION = "local-litellm-database-rotation"


@pytest.fixture
def secrets(account: Sandbox) -> Any:
    return client(account, "secretsmanager")


def value(secrets: Any, name: str) -> dict[str, str]:
    return json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])


def fault(sandbox: Sandbox, step: str, times: int | None) -> None:
    sandbox.faults.add({"steps": [{"function": FUNCTION, "step": step, "times": times}]})


def test_the_database_login_is_rotated_and_the_new_tasks_are_waited_for(deployed: User, secrets: Any) -> None:
    before = value(secrets, LOGIN)

    done = deployed.run("rotate", "local", "database", "--format", "json")

    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told.items() >= {"environment": "local", "secret": LOGIN, "status": "COMPLETED"}.items()
    assert told["rollout"] == "COMPLETED"
    current = secrets.get_secret_value(SecretId=LOGIN)
    assert current["VersionId"] == told["version"]
    assert value(secrets, LOGIN)["username"] != before["username"]
    assert "the new value is current" in done.err
    for password in (before["password"], value(secrets, LOGIN)["password"]):
        assert password not in done.out + done.err


def test_the_master_key_is_rotated_through_the_proxy(deployed: User, secrets: Any) -> None:
    before = value(secrets, MASTER_KEY)

    done = deployed.run("rotate", "local", "master-key")

    assert done.code == 0, done.err
    assert f"\nlocal: {MASTER_KEY} is rotated, and its new tasks run (" in done.err
    after = value(secrets, MASTER_KEY)
    assert after != before
    assert after["LITELLM_MASTER_KEY"] not in done.out + done.err


def test_without_waiting_for_tasks_only_the_secret_is_waited_for(deployed: User) -> None:
    done = deployed.run("rotate", "local", LOGIN, "--no-wait-rollout", "--format", "json")

    assert done.code == 0, done.err
    assert json.loads(done.out)["rollout"] == "SKIPPED"
    assert "is rotated" not in done.err, "JSON says it"


def test_a_step_that_keeps_failing_is_told_and_the_rotation_taken_up_once_it_is_mended(
    deployed: User, account: Sandbox
) -> None:
    fault(account, "setSecret", None)

    done = deployed.run("rotate", "local", "database", "--timeout-minutes", "30")

    assert (done.code, done.out) == (1, ""), done.err
    *_, outcome, _, command, last = done.err.splitlines()
    assert outcome.startswith(f"local: {LOGIN} is not rotated (")
    assert last.startswith(f"error: the rotation of {LOGIN} keeps failing at setSecret: RuntimeError")
    assert last.endswith("`gatestack docs rotation-failed`")

    account.faults.clear()
    named = shlex.split(command, comments=True)
    assert named == ["gatestack", "rotate", "local", "database", "--timeout-minutes", "30"]
    again = deployed.run(*named[1:])
    assert again.code == 0, again.err
    assert "is in progress already: waiting for it" in again.err


def test_a_time_limit_leaves_it_going_on(deployed: User, account: Sandbox) -> None:
    account.clock.run_at(1.0)  # type: ignore[attr-defined] # this fixture's clock is a real one
    fault(account, "createSecret", None)

    done = deployed.run("rotate", "local", "database", "--timeout-minutes", "0.01", "--format", "json")

    assert done.code == 5, done.err
    assert json.loads(done.out)["status"] == "IN_PROGRESS"
    assert "continues the rotation" in done.err
    assert "`gatestack verify local`" in done.err.splitlines()[-1]


def test_ctrl_c_says_what_goes_on(deployed: User, account: Sandbox) -> None:
    account.clock.run_at(1.0)  # type: ignore[attr-defined] # as above
    fault(account, "createSecret", None)
    variables = {"PATH": os.environ["PATH"], "HOME": str(deployed.folder), "PYTHONPATH": str(ROOT)}
    command = subprocess.Popen(
        [sys.executable, "-m", "gatestack", "rotate", "local", "database"],
        cwd=deployed.folder,
        env=variables | deployed.variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert command.stderr is not None
    told = iter(command.stderr)
    before = []
    for line in told:
        before.append(line)
        if "has begun" in line:
            break
    assert "has begun" in "".join(before[-1:]), "".join(before)

    command.send_signal(signal.SIGINT)
    rest = list(told)

    assert command.wait(timeout=60) == 130
    assert rest[-1].startswith(f"error: interrupted: Secrets Manager continues the rotation of {LOGIN}")
    command.stderr.close()


@pytest.mark.parametrize(
    ("environment", "secret", "said"),
    [
        ("dev", "ui-password", "`gatestack secret set dev UI_PASSWORD` (rotated are: database, master-key)"),
        ("dev", "api-keys", "`gatestack secret set dev OPENAI_API_KEY`"),
        ("dev", "dev-litellm/salt-key", "unreadable for ever"),
        ("dev", "databse", "did you mean database?"),
        ("llm-proxy-dev", "master-key", "no secret 'master-key' (rotated are: database)"),
        ("llm-testing", "api-keys", "clients hold them: `gatestack secret set llm-testing api-keys`"),
        ("llm-testing", "database", "no secret 'database' (no secret of test is rotated)"),
    ],
)
def test_what_no_function_rotates_is_refused_before_anything_is_asked(
    deployed: User, account: Sandbox, environment: str, secret: str, said: str
) -> None:
    done = deployed.run("rotate", environment, secret)

    assert done.code == 2
    assert said in done.err
    assert account.calls == []


def test_an_environment_that_is_not_there_is_to_be_deployed_first(deployed: User) -> None:
    done = deployed.run("rotate", "prod", "database")

    assert done.code == 1
    assert "there is no secret prod-litellm/database-login: `gatestack deploy prod` creates it" in done.err
