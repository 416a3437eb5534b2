"""`gatestack preflight` as a user runs it, against the sandbox."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.covering import only
from tests.sandbox.sandbox_account import client
from tests.stacks.bootstrap.wire_recorder import Recorder

MOST_CALLS = 75
"""Requests to all services together: some 25 of them are IAM's simulation."""


def outcomes(user: User, environment: str = "local") -> dict[str, str]:
    told = json.loads(user.run("preflight", environment, "--format", "json").out)
    assert told["environment"] == environment
    return {check["name"]: check["outcome"] for check in told["checks"]}


def test_the_sandbox_refuses_nothing_and_is_asked_little(user: User, sandbox: Sandbox) -> None:
    with Recorder(sandbox.endpoint) as recorder:
        done = replace(user, variables=user.variables | {"AWS_ENDPOINT_URL": recorder.endpoint}).run(
            "preflight", "local"
        )

    assert done.code == 0, done.out + done.err
    assert {line.split()[0] for line in done.out.splitlines()} == {"ok", "skipped"}
    assert recorder.requests <= MOST_CALLS
    reads = ("Describe", "Get", "Head", "List", "Simulate")
    assert [one for one in recorder.actions if not one.partition(":")[2].startswith(reads)] == []


def test_what_will_be_refused_ends_with_two_and_comes_first(user: User, sandbox: Sandbox) -> None:
    ec2, logs = client(sandbox, "ec2"), client(sandbox, "logs")
    for number in range(4):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    logs.create_log_group(logGroupName="/ecs/local-litellm-proxy")

    done = user.run("preflight", "local")

    assert done.code == 2
    first, remedy, second = done.out.splitlines()[:3]
    assert first.startswith("refused")
    assert remedy.strip().startswith("-> ")
    assert second.startswith("refused")
    assert "the log group /ecs/local-litellm-proxy exists already" in done.out
    assert "`aws logs delete-log-group --log-group-name /ecs/local-litellm-proxy`" in done.out
    assert "needs 1; 5 of 5 are taken" in done.out
    assert done.err.splitlines()[-1].startswith("error: ")
    assert done.err.splitlines()[-1].endswith("(and 1 more)")


@pytest.mark.deep  # in `make test`: tests/deployer/preflight, on what the stacks hold
def test_what_is_deployed_already_needs_nothing_more(user: User) -> None:
    assert user.run("deploy", "local", "--yes").code == 0
    found = outcomes(user)

    assert "refused" not in found.values()
    assert [name for name in found if name.startswith("quota")] == []


@pytest.mark.parametrize("env", only({"build/local"}, ["build/local", "local"]))
def test_a_built_folder_is_looked_at_like_a_file(user: User, env: str) -> None:
    assert user.run("generate", "local").code == 0

    assert user.run("preflight", env).code == 0


def test_another_account_is_refused_and_nothing_else_is_asked(user: User) -> None:
    user.edit("local", "environment: local\n", 'environment: local\naccount: "111122223333"\n')

    done = user.run("preflight", "local")

    assert done.code == 2
    assert [line.split()[0] for line in done.out.splitlines()] == ["refused", "->"]
    assert "local is for account 111122223333" in done.out
