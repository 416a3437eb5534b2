"""The project's own rotation functions, as they are uploaded, run by the sandbox's Secrets Manager."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from sandbox.server import Sandbox
from stacks.parts import function_code
from tests.command import User
from tests.sandbox.provision_world import World
from tests.sandbox.sandbox_account import client, services, standing, world

OLD = f"sk-{'a' * 45}"
LOGIN = {
    "engine": "postgres", "host": "db.example.com", "port": 5432, "dbname": "litellm",
    "username": "litellm", "password": "first", "DATABASE_URL": "postgresql://x?sslmode=require",
}  # fmt: skip


class Account:
    """A sandbox with the functions' archive, a service of one task, and the secrets."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.world: World = world(sandbox)
        self.secrets = client(sandbox, "secretsmanager")
        self.ecs = client(sandbox, "ecs")
        self.key = self.secret("master-key", {"LITELLM_MASTER_KEY": OLD})
        self.login = self.secret("database-login", LOGIN)
        self.administrator = self.secret("database", {"username": "litellm", "password": "root"})
        client(sandbox, "s3").create_bucket(Bucket="code")
        client(sandbox, "s3").put_object(Bucket="code", Key=function_code.key(), Body=function_code.archive())

    def secret(self, name: str, value: dict[str, Any]) -> str:
        made = self.world.make("SecretsManager::Secret", Name=name, SecretString=json.dumps(value))
        return made.physical_id

    def serve(self) -> None:
        """Run a task that is given the master key as the stack gives it."""
        definition = self.world.definition_properties("ghcr.io/x/y:1")
        value = {"Name": "LITELLM_MASTER_KEY", "ValueFrom": f"{self.key}:LITELLM_MASTER_KEY::"}
        definition["ContainerDefinitions"][0]["Secrets"] = [value]
        task = self.world.make("ECS::TaskDefinition", **definition).physical_id
        self.world.make("ECS::Service", **self.world.service_properties("proxy", task))

    def rotated_by(self, module: str, **variables: str) -> str:
        """Make the function; returns its ARN."""
        properties = {
            **self.world.function_properties(),
            "FunctionName": module,
            "Handler": f"stacks.functions.{module}.handler",
            "Code": {"S3Bucket": "code", "S3Key": function_code.key()},
            "Environment": {"Variables": {"CLUSTER": "world", "SERVICE": "proxy", **variables}},
            "Timeout": 60,
        }
        made = self.world.make("Lambda::Function", **properties)
        self.world.make(
            "Lambda::Permission",
            FunctionName=module,
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
        )
        return str(made.attributes["Arn"])

    def rotate(self, secret: str, function: str = "", **more: Any) -> None:
        given = {"RotationLambdaARN": function} if function else {}
        rules = {"AutomaticallyAfterDays": 30}
        self.secrets.rotate_secret(SecretId=secret, RotationRules=rules, **given, **more)
        self.sandbox.finish()

    def value(self, secret: str) -> dict[str, Any]:
        return dict(self.world.secret(secret))

    def log(self, function: str) -> str:
        found = client(self.sandbox, "logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")
        return "\n".join(event["message"] for event in found["events"])

    def outcomes(self, function: str) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self.log(function).splitlines() if line.startswith("{")]
        return [(line["step"], line["outcome"]) for line in lines]

    def deployments(self) -> int:
        (service,) = self.ecs.describe_services(cluster="world", services=["proxy"])["services"]
        messages = [event["message"] for event in service["events"]]
        return sum("deployment completed" in message for message in messages)

    def proxy_status(self, key: str, about: str) -> int:
        """Ask the stand-in proxy about a key, as somebody who has *key*."""
        function = services(self.sandbox).functions.get(self.function)
        assert function is not None
        port = int(services(self.sandbox)._proxies.variables(function)["PROXY_PORT"])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        path = f"/key/info?key={sha256(about.encode()).hexdigest()}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        status = connection.getresponse().status
        connection.close()
        return status

    function = ""


@pytest.fixture
def account() -> Iterator[Account]:
    with standing() as sandbox:
        yield Account(sandbox)


def test_the_database_login_goes_to_and_fro_between_two_roles(account: Account) -> None:
    account.serve()
    function = account.rotated_by("database", ADMINISTRATOR_SECRET_ARN=account.administrator)

    users = []
    for _ in range(2):
        account.rotate(account.login, function)
        value = account.value(account.login)
        users.append(value["username"])
        assert value["password"] in value["DATABASE_URL"]
        assert value["password"] not in account.log("database")
    assert users == ["litellm_1", "litellm_2"]
    assert account.deployments() == 2
    assert account.outcomes("database")[:4] == [
        (step, "done") for step in ("createSecret", "setSecret", "testSecret", "finishSecret")
    ]


def test_the_master_key_changes_and_the_old_one_goes_on_working(account: Account) -> None:
    account.serve()
    account.function = account.rotated_by("master_key", PROXY_PORT="4000")
    account.rotate(account.key, account.function, RotateImmediately=False)
    assert account.outcomes("master_key") == [("testSecret", "done")]
    assert account.value(account.key) == {"LITELLM_MASTER_KEY": OLD}

    account.rotate(account.key)

    new = account.value(account.key)["LITELLM_MASTER_KEY"]
    assert re.fullmatch(r"sk-[A-Za-z0-9]{45}", new)
    assert new != OLD
    assert account.deployments() == 1
    assert account.proxy_status(new, OLD) == 200, "the new key is the proxy's, which knows the old one"
    assert account.proxy_status(OLD, OLD) == 200, "the old one is an administrator's"
    assert account.proxy_status(f"sk-{'b' * 45}", OLD) == 401
    assert not any(key in account.log("master_key") for key in (OLD, new))

    account.rotate(account.key)
    assert account.proxy_status(new, OLD) == 200


def test_without_a_service_the_master_key_has_no_proxy_to_tell(account: Account) -> None:
    function = account.rotated_by("master_key", PROXY_PORT="4000")

    account.rotate(account.key, function)

    assert account.value(account.key)["LITELLM_MASTER_KEY"] != OLD


def test_an_environment_that_was_deployed_has_rotated_its_login_by_itself(
    user: User, sandbox: Sandbox
) -> None:
    assert user.run("deploy", "dev", "--yes").code == 0
    sandbox.finish()
    secrets = client(sandbox, "secretsmanager")

    login = json.loads(secrets.get_secret_value(SecretId="dev-litellm/database-login")["SecretString"])
    rotated = secrets.describe_secret(SecretId="dev-litellm/database-login")
    key = secrets.describe_secret(SecretId="dev-litellm/master-key")

    assert login["username"] == "litellm_1"
    assert "LastRotatedDate" in rotated
    assert list(key["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    assert (key["RotationEnabled"], "LastRotatedDate" in key) == (True, False)


def test_what_a_function_leaves_that_ends_meanwhile_is_finished_too() -> None:
    done: list[str] = []
    with Sandbox() as box:

        def leave() -> bool:
            """A function that ended after the look at the clock, and before the look at functions."""
            if not done:
                box.control.after(60.0, lambda: done.append("what it left"))
            return False

        box.backing = replace(box.backing, wait=leave)
        box.finish()

        assert done == ["what it left"]
