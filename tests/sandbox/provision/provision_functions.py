"""Rows of the provisioning table: functions, who may invoke them, and the schedules of rotations."""

from typing import Any

from sandbox.provisioning import Provisioned
from tests.sandbox.provision.provision_case import ARN, Case
from tests.sandbox.provision_world import World


def function_read(world: World, made: Provisioned) -> Any:
    found = world.services.functions.get(made.attributes["Arn"])
    return found and (found.name, found.handler, found.timeout, dict(found.variables))


def function_properties(world: World, size: str) -> dict[str, Any]:
    variables = {"Variables": {"SIZE": size}}
    return {"FunctionName": "case", **world.function_properties(), "Environment": variables}


def permission_read(world: World, _: Provisioned) -> Any:
    return world.services.functions.may_invoke(world.rotating, "events.amazonaws.com")


def schedule_read(world: World, made: Provisioned) -> Any:
    found = world.api("secretsmanager").describe_secret(SecretId=made.physical_id)
    return found["RotationEnabled"] and (found["RotationRules"], found["RotationLambdaARN"] == world.rotating)


def schedule_properties(world: World, days: str) -> dict[str, Any]:
    known = [one["Name"] for one in world.api("secretsmanager").list_secrets()["SecretList"]]
    if "scheduled" not in known:
        world.make("SecretsManager::Secret", Name="scheduled", SecretString="x")
    return {
        "SecretId": "scheduled",
        "RotationLambdaARN": world.rotating,
        "RotationRules": {"AutomaticallyAfterDays": days},
        "RotateImmediatelyOnUpdate": "false",
    }


CASES: tuple[Case, ...] = (
    Case(
        "Lambda::Function",
        lambda w: function_properties(w, "1"),
        function_read,
        ("case", "index.handler", 30.0, {"SIZE": "1"}),
        "case",
        {"Arn": ARN.format("lambda") + "function:case"},
        lambda w: function_properties(w, "2"),
        ("case", "index.handler", 30.0, {"SIZE": "2"}),
    ),
    Case(
        "Lambda::Permission",
        lambda w: {
            "FunctionName": w.rotating,
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
        },
        permission_read,
        True,  # noqa: FBT003 - what is read
        "dev-litellm-test-Thing-.+",
        {"Id": "dev-litellm-test-Thing-.+"},
    ),
    Case(
        "SecretsManager::RotationSchedule",
        lambda w: schedule_properties(w, "30"),
        schedule_read,
        ({"AutomaticallyAfterDays": 30}, True),
        ARN.format("secretsmanager") + "secret:scheduled-.+",
        {"Id": ARN.format("secretsmanager") + "secret:scheduled-.+"},
        lambda w: schedule_properties(w, "7"),
        ({"AutomaticallyAfterDays": 7}, True),
    ),
)
