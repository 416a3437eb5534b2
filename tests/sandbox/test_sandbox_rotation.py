"""Secrets are rotated by the functions' own code, in a process of its own, as Secrets Manager does it."""

from __future__ import annotations

import io
import json
import os
import select
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from sandbox.server import Sandbox
from sandbox.services.rotation import ATTEMPTS, PAUSE
from tests.sandbox import sandbox_account
from tests.sandbox.provision_world import REGION
from tests.sandbox.sandbox_account import TRUST, client, standing
from tests.sandbox.sandbox_fakes import refusal

DAY = 86_400.0
CODE = """
import boto3, json, os
secrets = boto3.client("secretsmanager")

def handler(event, context):
    print(json.dumps({"step": event["Step"], "region": os.environ["AWS_REGION"], "size": os.environ["SIZE"]}))
    arn, token = event["SecretId"], event["ClientRequestToken"]
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert "AWSPENDING" in stages[token], "not pending"
    if event["Step"] == "createSecret":
        try:
            secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            new = {"password": token}
            secrets.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(new),
                                     VersionStages=["AWSPENDING"])
    if event["Step"] == "finishSecret":
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token,
                                            RemoveFromVersionId=current)
"""


def zipped(**files: str) -> bytes:
    archive = io.BytesIO()
    with ZipFile(archive, "w") as made:
        for name, text in files.items():
            made.writestr(f"{name}.py", text)
    return archive.getvalue()


class Account:
    """A sandbox whose clock stands still, with one bucket of code."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.secrets = self.client("secretsmanager")

    def begin(self) -> None:
        """Forget everything, but the code."""
        self.sandbox.control.reset()
        self.sandbox.backing.reset()
        self.sandbox.faults.clear()
        self.client("s3").create_bucket(Bucket="code")
        self.upload("1.zip", zipped(rotation=CODE))

    @cache  # noqa: B019 - as long as the account
    def client(self, service: str) -> Any:
        return client(self.sandbox, service)

    def upload(self, key: str, code: bytes) -> None:
        self.client("s3").put_object(Bucket="code", Key=key, Body=code)

    def deploy(self, *, kind: str = "create", **template: Any) -> dict[str, Any]:
        cloudformation = self.client("cloudformation")
        call = getattr(cloudformation, f"{kind}_stack")
        document = {"Resources": resources(**template)}
        call(StackName="app", TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_NAMED_IAM"])
        self.sandbox.finish()
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName="app")["Stacks"][0]
        return stack

    def reasons(self) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName="app")["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def value(self) -> Any:
        return json.loads(self.secrets.get_secret_value(SecretId="login")["SecretString"])

    def described(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.secrets.describe_secret(SecretId="login")
        return answer

    def labels(self) -> dict[str, list[str]]:
        stages: dict[str, list[str]] = self.described()["VersionIdsToStages"]
        return stages

    def log(self) -> list[str]:
        logs = self.client("logs")
        found = logs.filter_log_events(logGroupName="/aws/lambda/rotate")["events"]
        return [event["message"] for event in found]

    def steps(self) -> list[str]:
        return [json.loads(line)["step"] for line in self.log() if line.startswith("{")]

    def fault(self, step: str, times: int | None) -> None:
        self.sandbox.faults.add({"steps": [{"function": "rotate", "step": step, "times": times}]})


def resources(
    *, key: str = "1.zip", code: Any = None, permitted: bool = True, **schedule: Any
) -> dict[str, Any]:
    role = {"RoleName": "rotate", "AssumeRolePolicyDocument": TRUST}
    function = {
        "FunctionName": "rotate",
        "Role": {"Fn::GetAtt": "Role.Arn"},
        "Runtime": "python3.13",
        "Handler": "rotation.handler",
        "Timeout": 60,
        "Code": code or {"S3Bucket": "code", "S3Key": key},
        "Environment": {"Variables": {"SIZE": "2"}},
    }
    permission = {
        "FunctionName": {"Ref": "Function"},
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
    }
    rotation = {
        "SecretId": {"Ref": "Secret"},
        "RotationLambdaARN": {"Fn::GetAtt": "Function.Arn"},
        "RotationRules": {"AutomaticallyAfterDays": 30},
        **schedule,
    }
    made: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "login", "SecretString": '{"password": "first"}'},
        },
        "Schedule": {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": rotation},
    }
    if permitted:
        made["Permission"] = {"Type": "AWS::Lambda::Permission", "Properties": permission}
        made["Schedule"]["DependsOn"] = "Permission"
    return made


@pytest.fixture(scope="module")
def one() -> Iterator[Account]:
    with standing() as sandbox:
        yield Account(sandbox)


@pytest.fixture
def account(one: Account) -> Account:
    one.begin()
    return one


def test_a_schedule_rotates_the_secret_by_the_functions_own_code(account: Account) -> None:
    assert account.deploy()["StackStatus"] == "CREATE_COMPLETE"

    assert account.steps() == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert json.loads(account.log()[1]) == {"step": "createSecret", "region": REGION, "size": "2"}
    (current,) = [version for version, labels in account.labels().items() if "AWSCURRENT" in labels]
    assert account.value() == {"password": current}
    previous = account.secrets.get_secret_value(SecretId="login", VersionStage="AWSPREVIOUS")
    assert json.loads(previous["SecretString"]) == {"password": "first"}


def test_the_description_tells_schedule_and_times_by_the_sandboxs_clock(account: Account) -> None:
    account.deploy()
    now = account.sandbox.clock.now()

    found = account.described()

    assert found["RotationEnabled"] is True
    assert found["RotationLambdaARN"] == f"arn:aws:lambda:{REGION}:123456789012:function:rotate"
    assert found["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert found["LastRotatedDate"].timestamp() == pytest.approx(now, abs=10)
    assert found["NextRotationDate"].timestamp() == pytest.approx(now + 30 * DAY, abs=10)
    (listed,) = account.secrets.list_secrets()["SecretList"]
    assert listed["LastRotatedDate"] == found["LastRotatedDate"]


def test_a_rotation_by_hand_returns_at_once_and_ends_by_itself(account: Account) -> None:
    account.deploy()
    before = account.value()

    started = account.secrets.rotate_secret(SecretId="login")

    assert "AWSPENDING" in account.labels()[started["VersionId"]]
    account.sandbox.finish()
    assert account.value() == {"password": started["VersionId"]} != before
    assert len(account.labels()) == 2, "what has no label is not listed"


def test_a_schedule_that_does_not_rotate_at_once_only_tests_the_function(account: Account) -> None:
    account.deploy(RotateImmediatelyOnUpdate=False)

    assert account.steps() == ["testSecret"]
    assert list(account.labels().values()) == [["AWSCURRENT"]]
    assert account.value() == {"password": "first"}
    assert "LastRotatedDate" not in account.described()


def test_a_step_that_fails_is_repeated_with_the_same_version(account: Account) -> None:
    account.deploy(RotateImmediatelyOnUpdate=False)
    account.fault("setSecret", times=1)

    version = account.secrets.rotate_secret(SecretId="login")["VersionId"]
    account.sandbox.finish()

    assert account.value() == {"password": version}
    again = ["createSecret", "createSecret", "setSecret", "testSecret", "finishSecret"]
    assert account.steps() == ["testSecret", *again]
    assert "[ERROR] RuntimeError: the sandbox was told to fail at setSecret" in account.log()


def test_a_rotation_that_goes_on_failing_is_given_up_and_refuses_others(account: Account) -> None:
    account.deploy(RotateImmediatelyOnUpdate=False)
    account.fault("createSecret", times=None)
    began = account.sandbox.clock.now()
    version = account.secrets.rotate_secret(SecretId="login")["VersionId"]

    account.sandbox.finish()

    failed = "[ERROR] RuntimeError: the sandbox was told to fail at createSecret"
    assert account.log().count(failed) == ATTEMPTS
    assert account.sandbox.clock.now() - began == pytest.approx(PAUSE * (ATTEMPTS - 1))
    assert account.labels()[version] == ["AWSPENDING"]
    assert account.value() == {"password": "first"}
    assert refusal(account.secrets.rotate_secret, SecretId="login") == (
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
        400,
    )


def test_a_rotation_that_was_given_up_is_taken_up_again_by_the_next_call(account: Account) -> None:
    account.deploy(RotateImmediatelyOnUpdate=False)
    account.fault("createSecret", times=ATTEMPTS)
    version = account.secrets.rotate_secret(SecretId="login")["VersionId"]
    account.sandbox.finish()

    refusal(account.secrets.rotate_secret, SecretId="login")
    account.sandbox.finish()

    assert account.value() == {"password": version}


def test_a_cancelled_rotation_stops_where_it_is(account: Account) -> None:
    account.deploy()
    version = account.secrets.rotate_secret(SecretId="login")["VersionId"]
    steps = len(account.steps())

    answer = account.secrets.cancel_rotate_secret(SecretId="login")
    account.sandbox.finish()

    assert answer["VersionId"] == version
    assert "AWSPENDING" in account.labels()[version]
    assert account.described()["RotationEnabled"] is False
    assert "NextRotationDate" not in account.described()
    assert len(account.steps()) == steps


def test_a_secret_without_a_function_is_not_rotated(account: Account) -> None:
    account.secrets.create_secret(Name="bare", SecretString="x")

    assert refusal(account.secrets.rotate_secret, SecretId="bare") == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
        400,
    )
    nowhere = f"arn:aws:lambda:{REGION}:123456789012:function:nobody"
    code, text, _ = refusal(account.secrets.rotate_secret, SecretId="bare", RotationLambdaARN=nowhere)
    assert (code, text) == (
        "ResourceNotFoundException", "Lambda does not exist or could not be accessed",
    )  # fmt: skip
    assert refusal(account.secrets.rotate_secret, SecretId="none")[0] == "ResourceNotFoundException"


def test_a_schedule_without_the_permission_fails_its_stack(account: Account) -> None:
    assert account.deploy(permitted=False)["StackStatus"] == "ROLLBACK_COMPLETE"

    assert "grants access to the principal secretsmanager.amazonaws.com" in account.reasons()


def test_code_that_was_not_uploaded_fails_the_function_in_lambdas_words(account: Account) -> None:
    assert account.deploy(key="none.zip")["StackStatus"] == "ROLLBACK_COMPLETE"

    assert (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message:"
        " The specified key does not exist." in account.reasons()
    )


def test_what_is_no_archive_fails_the_function(account: Account) -> None:
    account.upload("text.zip", b"no archive")

    account.deploy(key="text.zip")

    assert "Could not unzip uploaded file." in account.reasons()


def test_new_code_is_what_rotates_next(account: Account) -> None:
    account.deploy(RotateImmediatelyOnUpdate=False)
    account.upload("2.zip", zipped(rotation=CODE.replace("token}", "token + '-new'}")))

    account.deploy(kind="update", key="2.zip", RotateImmediatelyOnUpdate=False)
    version = account.secrets.rotate_secret(SecretId="login")["VersionId"]
    account.sandbox.finish()

    assert account.value() == {"password": f"{version}-new"}


def test_inline_code_runs_too(account: Account) -> None:
    account.deploy(code={"ZipFile": "def handler(event, context): print('here')"})

    assert "[ERROR] ModuleNotFoundError: No module named 'rotation'" in account.log()


def test_a_function_sees_the_driver_that_needs_no_server_and_nothing_of_this_machine(
    account: Account,
) -> None:
    look = """
import os, json, sys
from pg8000 import native
def handler(event, context):
    connection = native.Connection("litellm", host="nowhere", password="x")
    print(json.dumps({
        "rows": connection.run("SELECT 1"), "name": native.identifier("a-b"), "text": native.literal("it's"),
        "home": os.environ.get("HOME"), "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "ours": [name for name in ("stacks", "sandbox") if __import__("importlib.util").util.find_spec(name)],
    }))
"""
    account.upload("look.zip", zipped(rotation=look))
    account.deploy(key="look.zip", RotateImmediatelyOnUpdate=False)

    seen = next(json.loads(line) for line in account.log() if line.startswith("{"))
    assert seen == {
        "rows": [],
        "name": '"a-b"',
        "text": "'it''s'",
        "home": None,
        "endpoint": account.sandbox.endpoint,
        "ours": [],
    }


def test_a_function_that_hangs_is_ended_at_its_time_limit(account: Account) -> None:
    account.upload("hang.zip", zipped(rotation="import time\ndef handler(event, context): time.sleep(600)"))
    template = resources(key="hang.zip", RotateImmediatelyOnUpdate=False)
    template["Function"]["Properties"]["Timeout"] = 1
    account.client("cloudformation").create_stack(
        StackName="app",
        TemplateBody=json.dumps({"Resources": template}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    account.sandbox.finish()

    assert "Task timed out after 1.00 seconds" in account.log()


@contextmanager
def hanging(account: Account, pipe: Path) -> Iterator[None]:
    """Have a function run that never ends, for the block, at the end of which it must have been ended."""
    os.mkfifo(pipe)
    account.client("cloudformation").create_stack(
        StackName="app", TemplateBody=sandbox_account.hanging(pipe), Capabilities=["CAPABILITY_IAM"]
    )
    account.sandbox.control.finish()
    with pipe.open("rb", buffering=0) as reading:
        assert reading.read(1) == b"x"
        yield
        ready, _, _ = select.select([reading], [], [], 10)
        assert (ready, reading.read(1)) == ([reading], b"")


def test_what_runs_is_ended_with_the_sandbox(tmp_path: Path) -> None:
    with ExitStack() as after, standing() as sandbox:
        account = Account(sandbox)
        account.begin()
        after.enter_context(hanging(account, tmp_path / "pipe"))


def test_what_runs_is_ended_by_a_reset(account: Account, tmp_path: Path) -> None:
    with hanging(account, tmp_path / "pipe"):
        account.begin()


def test_what_runs_is_ended_when_its_schedule_is_deleted(account: Account, tmp_path: Path) -> None:
    with hanging(account, tmp_path / "pipe"):
        account.client("cloudformation").delete_stack(StackName="app")
        account.sandbox.finish()
