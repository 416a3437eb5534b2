"""The commands against an AWS endpoint: the life of an environment, as make and pipelines live it."""

import json
import re
import sys
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.command import User

AWS = str(Path(sys.executable).parent / "aws")


def aws(user: User, *arguments: str) -> dict[str, list[dict[str, str]]]:
    endpoint = user.variables["AWS_ENDPOINT_URL"]  # this release of the command ignores the variable for RDS
    done = user.call(AWS, "--endpoint-url", endpoint, "--region", "us-east-1", "--output", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, list[dict[str, str]]] = json.loads(done.out)
    return found


def test_dev_is_deployed_seen_left_alone_and_taken_away(user: User) -> None:
    first = user.run("deploy", "dev", "--yes")
    assert first.code == 0, first.err
    assert "dev: 5 stacks deployed" in first.err
    assert re.fullmatch(r"http://dev-litellm\S+\n", first.out)

    status = json.loads(user.run("status", "dev", "--format", "json").out)
    assert [stack["status"] for stack in status["stacks"]] == ["CREATE_COMPLETE"] * 5

    again = json.loads(user.run("deploy", "dev", "--yes", "--format", "json").out)
    assert [(stack["name"], stack["action"]) for stack in again["stacks"]] == [
        (name, "none") for name in [stack["name"] for stack in again["stacks"]]
    ]
    assert again["outputs"]["alb"]["Url"].startswith("http://dev-litellm")

    gone = user.run("destroy", "dev", "--yes")
    assert gone.code == 0, gone.err
    assert "dev: 5 stacks deleted" in gone.err
    status = json.loads(user.run("status", "dev", "--format", "json").out)
    assert [stack["status"] for stack in status["stacks"]] == [None] * 5


@pytest.mark.deep
def test_what_the_stacks_made_is_there_for_the_aws_command(user: User) -> None:
    assert user.run("deploy", "local", "--yes").code == 0

    secrets = aws(user, "secretsmanager", "list-secrets")["SecretList"]
    assert {"local-litellm/master-key", "local-litellm/salt-key", "local-litellm/database-login"} <= {
        secret["Name"] for secret in secrets
    }
    key = aws(user, "secretsmanager", "get-secret-value", "--secret-id", "local-litellm/master-key")
    master_key = json.loads(str(key["SecretString"]))["LITELLM_MASTER_KEY"]
    assert (master_key[:3], len(master_key)) == ("sk-", 48)
    service = aws(
        user, "ecs", "describe-services", "--cluster", "local-litellm", "--services", "local-litellm-proxy"
    )["services"][0]
    assert (service["status"], service["desiredCount"], service["runningCount"]) == ("ACTIVE", 1, 1)
    assert aws(user, "ecr", "describe-repositories")["repositories"][0]["repositoryName"] == "local-litellm"
    databases = aws(user, "rds", "describe-db-instances")["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in databases] == ["local-litellm-db"]
    balancers = aws(user, "elbv2", "describe-load-balancers")["LoadBalancers"]
    assert [one["LoadBalancerName"] for one in balancers] == ["local-litellm"]
    groups = {one["logGroupName"] for one in aws(user, "logs", "describe-log-groups")["logGroups"]}
    assert "/ecs/local-litellm-proxy" in groups
    parameters = aws(user, "ssm", "get-parameters-by-path", "--path", "/local-litellm", "--recursive")
    assert parameters["Parameters"]


def test_a_reviewed_folder_is_deployed_as_it_is(user: User) -> None:
    assert user.run("generate", "dev", "--out", "reviewed").code == 0
    user.edit("dev", "environment: dev", "environment: other")

    assert user.run("deploy", "reviewed", "--yes", "--only", "network").code == 0

    assert "dev-litellm-network" in user.run("status", "reviewed", "--format", "json").out
    assert json.loads(user.run("status", "other.yaml").out or "null") is None


def test_one_stack_alone_can_be_deployed_once_what_it_imports_is_there(user: User) -> None:
    refused = user.run("deploy", "dev", "--yes", "--only", "alb")
    assert refused.code == 2
    assert "alb imports dev-litellm-network-" in refused.err

    assert user.run("deploy", "dev", "--yes", "--only", "network").code == 0
    alone = user.run("deploy", "dev", "--yes", "--only", "alb", "--format", "json")
    assert [stack["status"] for stack in json.loads(alone.out)["stacks"]] == ["CREATE_COMPLETE"]


def test_a_failure_ends_with_its_first_cause_and_independent_stacks_are_finished(
    user: User, sandbox: Sandbox
) -> None:
    sandbox.faults.add(
        {
            "resources": [
                {"logical_id": "Database", "operation": "create", "reason": "no capacity in us-east-1a"}
            ]
        }
    )

    done = user.run("deploy", "dev", "--yes", "--format", "json")

    states = {stack["name"]: stack["outcome"] for stack in json.loads(done.out)["stacks"]}
    assert states == {
        "security": "done",
        "network": "done",
        "alb": "done",
        "database": "failed",
        "service": "skipped",
    }
    assert done.err.splitlines()[-1].startswith(
        "error: database: Database (AWS::RDS::DBInstance): no capacity"
    )
    assert done.code == 1

    sandbox.faults.clear()
    assert user.run("deploy", "dev", "--yes").code == 0


def test_production_is_not_destroyed_without_force(user: User) -> None:
    for done in (user.run("destroy", "prod", "--yes"), user.at_a_terminal("prod\n", "destroy", "prod")):
        assert "prod is a production environment: destroying it needs --force" in done.err
        assert "Type the environment's name" not in done.err
        assert done.code == 4


def test_production_is_protected_and_goes_with_force(user: User) -> None:
    assert user.run("deploy", "prod", "--yes").code == 0

    done = user.run("destroy", "prod", "--yes", "--force")

    assert done.code == 0, done.err
    assert re.search(
        r"kept: database: Database \(final snapshot arn:aws:rds:us-east-1:\d+:snapshot:prod-litellm-",
        done.err,
    )
    assert re.search(r"kept: security: Key \(arn:aws:kms:us-east-1:\d+:key/\S+\)", done.err)
    assert re.search(
        r"^kept: at most \$\d+\.\d\d a month until it is deleted, and by use: Acc", done.err, re.MULTILINE
    )

    again = json.loads(user.run("destroy", "prod", "--yes", "--force", "--format", "json").out)
    left = {one["logical_id"]: one for stack in again["stacks"] for one in stack.get("kept", ())}
    told = {line.split()[2] for line in done.err.splitlines() if re.match(r"kept: \w+: ", line)}
    assert left.keys() == told
    assert left["Database"]["arn"].endswith(f":snapshot:{left['Database']['snapshot_id']}")
    assert again["kept_monthly_usd"] == round(sum(one["monthly_usd"] or 0 for one in left.values()), 2) > 1


def test_the_credentials_of_another_account_are_refused(user: User) -> None:
    user.edit("dev", "tier: dev", 'tier: dev\naccount: "999999999999"')

    done = user.run("deploy", "dev", "--yes")

    assert "the credentials are those of account 123456789012, dev is for account 999999999999" in done.err
    assert done.code == 2


# with `local` deployed


def test_what_is_kept_and_what_that_costs_is_said_before_the_name_is_typed(deployed: User) -> None:
    refused = deployed.at_a_terminal("no\n", "destroy", "local")

    said, _, asked = refused.err.partition("Type the environment's name")
    assert (refused.code, bool(asked)) == (4, True), refused.err
    assert re.search(
        r"^deletes local-litellm-database: \d+ resources\n  keeps Database \(the final snap",
        said,
        re.MULTILINE,
    )
    assert re.search(r"^kept: at most \$\d+\.\d\d a month until it is deleted$", said, re.MULTILINE)


def test_a_change_of_the_file_is_planned_then_deployed_and_nothing_else(deployed: User) -> None:
    deployed.edit("local", "tier: dev", "tier: dev\nobservability:\n  log_retention_days: 30")

    planned = deployed.run("plan", "local", "--format", "json", "--detailed-exitcode")
    assert planned.code == 3
    changes = {  # without those that have another change as their cause
        stack["name"]: [
            change["logical_id"]
            for change in stack["changes"]
            if any(one["cause"] is None for one in change["properties"])
        ]
        for stack in json.loads(planned.out)["stacks"]
        if stack["action"] != "none"
    }
    assert changes["service"] == ["MasterKeyRotationLog", "TaskLog"]
    assert changes.keys() == {"database", "service"}

    done = json.loads(deployed.run("deploy", "local", "--yes", "--format", "json").out)
    updated = {stack["name"]: stack["status"] for stack in done["stacks"] if stack["action"] == "update"}
    assert updated == {"database": "UPDATE_COMPLETE", "service": "UPDATE_COMPLETE"}
    assert deployed.run("plan", "local", "--detailed-exitcode").code == 0


def test_destroying_at_a_terminal_takes_the_environments_name(deployed: User) -> None:
    refused = deployed.at_a_terminal("locall\n", "destroy", "local", "--only", "service")
    assert re.search(
        r"^deletes local-litellm-service: \d+ resources\nThis deletes local-lite", refused.err, re.MULTILINE
    )
    assert "'locall' is not local; nothing was changed" in refused.err
    assert (refused.code, "service   UPDATE_COMPLETE" in deployed.run("status", "local").out) == (4, True)

    assert deployed.at_a_terminal("local\n", "destroy", "local", "--only", "service").code == 0
    assert "service   UPDATE_COMPLETE" not in deployed.run("status", "local").out
