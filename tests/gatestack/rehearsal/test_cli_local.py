"""The sandbox as a user meets it: what the commands start, what they say of it, and what takes its key."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatestack.sandbox_here import RUNS_NOTHING
from tests.command import Done, User
from tests.covering import only
from tests.gatestack.rehearsal.own_sandbox import BIN, somebody
from tests.gatestack.terminal import forked

LOOKING = (
    ("status", "local"),
    ("outputs", "local"),
    ("events", "local"),
    ("verify", "local"),
    ("drift", "local"),
    ("watch", "local"),
    ("secret", "get", "local", "LITELLM_MASTER_KEY"),
    ("config", "list", "local"),
    ("rollout", "local"),
    ("rotate", "local", "database"),
)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """Somebody whose sandbox is one of their own, if they start one."""
    made = somebody(tmp_path)
    yield made
    made.run("local", "stop")


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Somebody whose sandbox has a stack, for all tests that change neither; the last one stops it."""
    made = somebody(tmp_path_factory.mktemp("owner"))
    deployed(made)
    yield made
    made.run("local", "stop")


def deployed(user: User) -> Done:
    """Deploy a stack, which starts the sandbox where none runs."""
    done = user.run("deploy", "local", "--yes", "--only", "security")
    assert done.code == 0, done.err
    return done


def state(user: User) -> Path:
    return user.folder / ".local" / "state" / "gatestack"


def pid_of(user: User) -> int:
    return int((state(user) / "sandbox.pid").read_text())


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_a_command_that_only_looks_starts_none_and_says_what_does(
    user: User, arguments: tuple[str, ...]
) -> None:
    done = user.run(*arguments)

    assert done.code == 2
    assert "no sandbox runs (" in done.err
    assert "`gatestack deploy local`" in done.err
    assert not state(user).exists()


def test_where_none_runs_there_is_nothing_to_destroy(user: User) -> None:
    done = user.run("destroy", "local", "--yes")
    assert (done.code, "there is nothing to destroy" in done.err) == (0, True)
    assert json.loads(user.run("destroy", "local", "--yes", "--format", "json").out)["stacks"] == []
    assert not state(user).exists()


def test_one_of_another_version_is_told_to_a_run_and_replaced_by_start(user: User) -> None:
    assert user.run("local", "start").code == 0
    path = state(user) / "sandbox.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "0.0.1"}))

    done = user.run("plan", "local")
    assert (done.code, "`gatestack local start` replaces it" in done.err) == (2, True), done.err
    done = user.run("local", "start")
    assert (done.code, "is of version 0.0.1" in done.err) == (0, True), done.err
    assert user.run("local", "status").out.startswith(f"running at {done.out.strip()}\n")


@pytest.mark.parametrize(
    "variables", only([{"HOME": "/dev/null"}], [{"HOME": "/dev/null"}, {"XDG_STATE_HOME": "/dev/null/state"}])
)
def test_a_state_folder_that_cannot_be_made_is_told_with_the_variable_that_names_another(
    user: User, variables: dict[str, str]
) -> None:
    nowhere = User(user.folder, user.variables | variables)

    assert nowhere.run("local", "status").out.startswith("not running\n")
    done = nowhere.run("local", "start")
    assert (done.code, "XDG_STATE_HOME" in done.err) == (2, True), done.err
    named = User(user.folder, nowhere.variables | {"XDG_STATE_HOME": str(user.folder / "mine")})
    assert named.run("local", "start").code == 0
    assert named.run("local", "stop").code == 0


def test_without_a_sandbox_there_is_no_key_to_tell(user: User) -> None:
    done = user.run("local", "env")

    assert (done.code, done.out, "no sandbox runs (" in done.err) == (2, "", True)


@pytest.mark.parametrize("number", only({signal.SIGKILL}, [signal.SIGKILL, signal.SIGSTOP]))
def test_a_sandbox_that_goes_in_mid_run_is_lost_sight_of_soon(user: User, number: signal.Signals) -> None:
    assert user.run("local", "start", "--speed", "1").code == 0
    process = subprocess.Popen(
        forked(user.folder, "deploy", "local", "--yes"),
        cwd=user.folder,
        env=user.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    late = threading.Timer(90, process.kill)
    late.start()
    assert process.stderr is not None
    begun = next(line for line in process.stderr if "CREATE_IN_PROGRESS" in line)
    os.kill(pid_of(user), number)

    _, said = process.communicate()
    late.cancel()

    assert (process.returncode, "nothing answers at http://127.0.0.1:" in said) == (5, True), begun + said


# one that runs already


def test_the_line_that_a_deployment_prints_works_pasted(owner: User) -> None:
    line = re.search(r"^sandbox: (.*)$", deployed(owner).err, re.MULTILINE)
    assert line
    asks = "aws secretsmanager list-secrets --query SecretList[].Name --output text"
    boto = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"

    done = owner.call(
        "sh", "-c", f'{line[1]}\n{asks}\n"{sys.executable}" -c "{boto}"\ngatestack status local'
    )

    assert (done.code, "local-litellm/master-key" in done.out, "123456789012" in done.out) == (
        0,
        True,
        True,
    ), done
    assert "CREATE_COMPLETE" in done.out
    assert owner.call("sh", "-c", asks).code != 0


def test_the_line_names_the_program_as_it_was_called(owner: User) -> None:
    bare = User(owner.folder, owner.variables | {"PATH": "/usr/bin:/bin"})
    for program in ((f"{BIN}/gatestack",), (sys.executable, "-m", "gatestack")):
        done = bare.call(*program, "status", "local")
        line = re.search(r"^sandbox: (.*)$", done.err, re.MULTILINE)
        assert line, done.err
        shown = bare.call("sh", "-c", f"{line[1]} && echo $AWS_ACCESS_KEY_ID")
        assert shown.out.startswith("AKIA"), shown.err


def test_the_key_is_told_to_a_program_and_to_no_screen(owner: User) -> None:
    deployment = deployed(owner)

    told = json.loads(owner.run("local", "status", "--format", "json").out)

    assert told.keys() == {
        "running",
        "endpoint",
        "access_key_id",
        "secret_access_key",
        "faults",
        "folder",
        "version",
        "gateway",
        "environments",
        "load_balancers",
        "databases",
    }
    assert (told["running"], len(told["secret_access_key"])) == (True, 40)
    text = owner.run("local", "status")
    assert text.out.startswith(f"running at {told['endpoint']}")
    assert told["secret_access_key"] not in text.out + text.err + deployment.out + deployment.err
    exports = owner.run("local", "env").out.splitlines()
    assert exports[:4] == [
        f"export AWS_ENDPOINT_URL={told['endpoint']}",
        f"export AWS_ACCESS_KEY_ID={told['access_key_id']}",
        f"export AWS_SECRET_ACCESS_KEY={told['secret_access_key']}",
        "export AWS_DEFAULT_REGION=us-east-1",
    ]


def test_there_is_one_whatever_the_directory_and_status_says_what_is_in_it(owner: User) -> None:
    deployed(owner)
    elsewhere = User(owner.folder / "environments", owner.variables | {"HOME": str(owner.folder)})

    told = json.loads(elsewhere.run("local", "status", "--format", "json").out)

    assert told == json.loads(owner.run("local", "status", "--format", "json").out)
    assert (told["folder"], told["environments"]) == (str(state(owner)), ["local"])
    assert stat.S_IMODE(state(owner).stat().st_mode) == 0o700
    text = elsewhere.run("local", "status").out.splitlines()
    assert text[1:] == [
        f"folder: {state(owner)}",
        f"version: {told['version']}",
        f"tasks: {RUNS_NOTHING}",
        "environments: local",
    ]
    refused = owner.run("local", "start", "--gateway")
    remedy = "`gatestack local start --gateway --replace` starts it anew"
    assert (refused.code, remedy in refused.err) == (2, True), refused.err
    assert not (state(owner) / "gateway").exists()
    other = User(owner.folder, owner.variables | {"XDG_STATE_HOME": str(owner.folder / "other")})
    assert other.run("local", "status").out.startswith("not running\n")


def test_settings_of_aws_that_cannot_be_read_are_not_in_the_way(owner: User, user: User) -> None:
    (user.folder / ".aws").mkdir()
    for name in ("config", "credentials"):
        (user.folder / ".aws" / name).write_text("[broken\n")

    assert user.run("local", "start").code == 0
    there = User(user.folder, user.variables | {"XDG_STATE_HOME": str(state(owner).parent)})
    deployed(there)
    assert there.run("status", "local").code == 0


def test_a_stopped_sandbox_is_told_at_once_by_every_command(owner: User) -> None:
    deployed(owner)
    os.kill(pid_of(owner), signal.SIGSTOP)
    began = time.monotonic()

    for arguments in (("status", "local"), ("deploy", "local", "--yes"), ("local", "status")):
        done = owner.run(*arguments)
        assert (done.code, "does not answer" in done.err) == (2, True), done
    assert time.monotonic() - began < 40
    assert (owner.run("local", "stop").err, owner.run("local", "status").out.splitlines()[0]) == (
        "stopped\n",
        "not running",
    )
