"""`gatestack verify` where something failed: what failed first, and nothing that follows from it."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.covering import only, parameter
from tests.sandbox.sandbox_account import client


def checks(user: User) -> dict[str, dict[str, str]]:
    told = json.loads(user.run("verify", "local", "--format", "json").out)
    return {check["name"]: check for check in told["checks"]}


@pytest.mark.parametrize(
    ("type_", "broken", "followers"),
    [
        (
            "AWS::ECS::Service",
            "service",
            {"service", "targets", "config.yaml", "rotation master-key", "endpoint"},
        ),
        parameter(
            "AWS::RDS::DBInstance",
            "database",
            {"stack service", "service", "rotation database", "database login"},
            quick=False,
        ),
    ],
)
def test_a_stack_that_was_never_made_is_told_first_with_its_cause_and_nothing_that_follows(
    user: User, sandbox: Sandbox, type_: str, broken: str, followers: set[str]
) -> None:
    fault = {"operation": "create", "type": type_, "reason": "no capacity is left"}
    sandbox.faults.add({"resources": [fault]})
    assert user.run("deploy", "local", "--yes").code == 1

    done = user.run("verify", "local", "--format", "json")

    found = json.loads(done.out)["checks"]
    assert (done.code, found[0]["name"]) == (1, f"stack {broken}")
    assert found[0]["detail"].startswith("ROLLBACK_COMPLETE: ")
    assert f"({type_}): no capacity is left" in found[0]["detail"]
    outcomes = {check["name"]: check["outcome"] for check in found}
    assert {outcomes[name] for name in followers} == {"skipped"}
    failed = {name for name, outcome in outcomes.items() if outcome in {"failed", "unknown"}}
    assert {name for name in failed if not name.startswith("key ")} == {f"stack {broken}"}
    assert "rollout" not in done.out
    assert done.err.splitlines()[-1].startswith(f"error: stack {broken}: ROLLBACK_COMPLETE: ")


@pytest.mark.parametrize("state", only({"deleted"}, ["disabled", "deleted"]))
def test_a_key_that_cannot_be_used_is_told_with_the_commands_that_help(
    user: User, sandbox: Sandbox, state: str
) -> None:
    assert user.run("deploy", "local", "--yes", "--only", "security").code == 0
    kms = client(sandbox, "kms")
    key = kms.describe_key(KeyId="alias/local-litellm")["KeyMetadata"]["KeyId"]
    if state == "disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key)

    check = checks(user)["encryption key"]
    refused = user.run("deploy", "local", "--yes")

    assert check["outcome"] == "failed"
    assert ("is disabled" if state == "disabled" else "is deleted on 20") in check["detail"]
    assert (refused.code, check["detail"] in refused.err, "nothing was changed" in refused.err) == (
        2,
        True,
        True,
    )
    commands = re.findall(r"`(aws [^`]*)`", check["remedy"])
    assert len(commands) == (1 if state == "disabled" else 2)
    aws = str(Path(sys.executable).parent / "aws")
    for command in commands:
        done = user.call(
            aws, *shlex.split(command)[1:], "--endpoint-url", sandbox.endpoint, "--region", "us-east-1"
        )
        assert done.code == 0, done.err
    assert checks(user)["encryption key"]["outcome"] == "ok"
    assert user.run("deploy", "local", "--yes", "--only", "security").code == 0
