"""Both rotations as templates: function, least-privilege role, log, permission, schedule, alarm, order."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import botocore.session
import pytest
import yaml
from botocore import xform_name

from generator.render import render
from stacks import database, security, service
from stacks.environment import parse_settings
from stacks.parts import function_code
from stacks.settings import Settings
from stacks.wiring import Stack
from tests.places import GOLDEN, ROOT
from tests.stacks.finders import only, properties, resource, resources, template

FUNCTIONS = ROOT / "stacks" / "functions"
ACCOUNT = {"Ref": "AWS::AccountId"}


def settings(**sections: Any) -> Settings:
    return parse_settings(
        yaml.safe_dump({"system": "litellm", "environment": "dev", **sections}), Path("dev.yaml")
    )


def imported(stack: str, output: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"dev-litellm-{stack}-{output}"}


def arn(service: str, name: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{name}"}


def statements(stack: Stack, role: str) -> dict[str, dict[str, Any]]:
    document = properties(stack, role)["Policies"][0]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


BUILT = {"Database": database.build(settings()), "MasterKey": service.build(settings())}
OWN_SECRET = {"Database": {"Ref": "LoginSecret"}, "MasterKey": imported("security", "MasterKeySecretArn")}
ROTATED = {"Database": "database", "MasterKey": "master-key"}

both = pytest.mark.parametrize("title", ["Database", "MasterKey"])


@both
def test_a_function_runs_from_the_archive_in_the_private_subnets(title: str) -> None:
    found = properties(BUILT[title], f"{title}RotationFunction")
    wanted = {
        "FunctionName": f"dev-litellm-{ROTATED[title]}-rotation",
        "Code": {"S3Bucket": imported("security", "ConfigBucketName"), "S3Key": function_code.key()},
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "MemorySize": 256,
        "Timeout": 300,
        "VpcConfig": {
            "SubnetIds": [imported("network", f"PrivateSubnet{zone}Id") for zone in (1, 2)],
            "SecurityGroupIds": [imported("network", "LambdaSecurityGroupId")],
        },
    }

    assert {key: found.get(key) for key in wanted} == wanted
    assert "ReservedConcurrentExecutions" not in found  # a small account has none to reserve


@both
def test_the_handler_is_there_and_takes_what_lambda_gives(title: str) -> None:
    module, _, name = properties(BUILT[title], f"{title}RotationFunction")["Handler"].rpartition(".")

    assert f"{module.replace('.', '/')}.py" in ZipFile(BytesIO(function_code.archive())).namelist()
    inspect.signature(getattr(import_module(module), name)).bind({}, None)


def environment(title: str) -> dict[str, Any]:
    found: dict[str, Any] = properties(BUILT[title], f"{title}RotationFunction")["Environment"]["Variables"]
    return found


def test_a_function_knows_the_service_that_it_rolls_and_what_it_works_with() -> None:
    rolled = {"CLUSTER": "dev-litellm", "SERVICE": "dev-litellm-proxy"}

    assert environment("Database") == rolled | {
        "ADMINISTRATOR_SECRET_ARN": imported("security", "DatabaseSecretArn")
    }
    assert environment("MasterKey") == rolled | {"PROXY_PORT": "4000"}
    assert properties(BUILT["MasterKey"], "Cluster")["ClusterName"] == rolled["CLUSTER"]
    assert properties(BUILT["MasterKey"], "Service")["ServiceName"] == rolled["SERVICE"]


def test_the_functions_read_no_variable_that_nobody_sets() -> None:
    set_by_us = {name for title in ROTATED for name in environment(title)}
    sources = "\n".join(path.read_text() for path in FUNCTIONS.glob("*.py"))
    read = set(re.findall(r"environment\[\"(\w+)\"\]", sources))

    assert read == set_by_us


def test_the_master_keys_function_speaks_to_the_port_that_the_proxy_listens_on() -> None:
    built = service.build(settings(service={"port": 8080}))

    assert properties(built, "MasterKeyRotationFunction")["Environment"]["Variables"]["PROXY_PORT"] == "8080"


@both
def test_the_archive_is_put_into_the_bucket_before_the_stack_changes(title: str) -> None:
    uploads = template(BUILT[title])["Metadata"]["gatestack"]["uploads"]
    function = properties(BUILT[title], f"{title}RotationFunction")

    assert {
        "file": "rotation-functions.zip",
        "bucket_export": "dev-litellm-security-ConfigBucketName",
        "key": function["Code"]["S3Key"],
    } in uploads


def test_the_built_folder_has_the_archive() -> None:
    assert render(settings()).files["rotation-functions.zip"] == function_code.archive()


# Roles


@both
def test_lambda_assumes_the_role_and_nobody_else(title: str) -> None:
    (trust,) = properties(BUILT[title], f"{title}RotationRole")["AssumeRolePolicyDocument"]["Statement"]

    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["sts:AssumeRole"],
    }


@both
def test_a_role_reaches_its_own_secret_log_and_service_only(title: str) -> None:
    allowed = statements(BUILT[title], f"{title}RotationRole")
    network = ("JoinTheVpc", "SeeTheVpc", "NotFromItsCode")
    function = properties(BUILT[title], f"{title}RotationFunction")["FunctionName"]
    special = {
        "Database": {"ReadAdministrator": [imported("security", "DatabaseSecretArn")]},
        "MasterKey": {
            "SeeService": [arn("ecs", "service/dev-litellm/dev-litellm-proxy")],
            "ListTasks": ["*"],  # by its condition, those of the own cluster
            "SeeTasks": [arn("ecs", "task/dev-litellm/*")],
        },
    }

    assert {sid: entry["Resource"] for sid, entry in allowed.items() if sid not in network} == {
        "WriteOwnLogs": [arn("logs", f"log-group:/aws/lambda/{function}:*")],
        "RotateOwnSecret": [OWN_SECRET[title]],
        "UseKeyThroughSecretsManager": [imported("security", "KmsKeyArn")],
        "RollService": [arn("ecs", "service/dev-litellm/dev-litellm-proxy")],
        **special[title],
    }


@both
def test_the_key_is_used_through_secrets_manager_only(title: str) -> None:
    entry = statements(BUILT[title], f"{title}RotationRole")["UseKeyThroughSecretsManager"]

    assert entry["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert entry["Condition"] == {
        "StringEquals": {"kms:ViaService": [{"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com"}]}
    }


@both
def test_lambda_may_make_interfaces_and_the_functions_own_code_may_not(title: str) -> None:
    allowed = statements(BUILT[title], f"{title}RotationRole")
    join, see, refuse = allowed["JoinTheVpc"], allowed["SeeTheVpc"], allowed["NotFromItsCode"]

    assert (join["Action"], join["Resource"]) == (
        [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:UnassignPrivateIpAddresses",
        ],
        [arn("ec2", "*/*")],
    )
    assert (see["Action"], see["Resource"]) == (
        ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
        ["*"],
    )
    assert (refuse["Effect"], refuse["Action"]) == ("Deny", join["Action"] + see["Action"])
    assert refuse["Condition"] == {
        "ArnEquals": {
            "lambda:SourceFunctionArn": arn("lambda", f"function:dev-litellm-{ROTATED[title]}-rotation")
        }
    }


def test_tasks_are_listed_in_the_own_cluster_only() -> None:
    assert statements(BUILT["MasterKey"], "MasterKeyRotationRole")["ListTasks"]["Condition"] == {
        "ArnEquals": {"ecs:cluster": arn("ecs", "cluster/dev-litellm")}
    }


def actions(title: str, *services: str) -> set[str]:
    return {
        action
        for entry in statements(BUILT[title], f"{title}RotationRole").values()
        for action in entry["Action"]
        if action.partition(":")[0] in services
    }


def called(*services: str) -> set[str]:
    """Every operation of *services* that the functions' sources call, as IAM names them."""
    session = botocore.session.get_session()
    methods = {
        xform_name(operation): f"{service}:{operation}"
        for service in services
        for operation in session.get_service_model(service).operation_names
    }
    calls = [
        node.func.attr
        for path in FUNCTIONS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return {methods[name] for name in calls if name in methods}


def test_the_roles_allow_what_the_functions_call_and_nothing_more() -> None:
    services = ("secretsmanager", "ecs")

    assert actions("Database", *services) | actions("MasterKey", *services) == called(*services)
    assert actions("Database", "ecs") == {"ecs:UpdateService"}


# Log, permission, schedule


@both
def test_a_log_group_with_key_and_retention_is_there_before_the_function(title: str) -> None:
    log = resource(BUILT[title], f"{title}RotationLog")
    name = properties(BUILT[title], f"{title}RotationFunction")["FunctionName"]

    assert log["Properties"]["LogGroupName"] == f"/aws/lambda/{name}"
    assert log["Properties"]["RetentionInDays"] == 14
    assert log["Properties"]["KmsKeyId"] == imported("security", "KmsKeyArn")
    assert (log["DeletionPolicy"], log["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert resource(BUILT[title], f"{title}RotationFunction")["DependsOn"] == f"{title}RotationLog"


def test_the_key_opens_for_every_log_group_of_the_environment() -> None:
    policy = properties(security.build(settings()), "Key")["KeyPolicy"]
    (logs,) = (entry for entry in policy["Statement"] if entry["Sid"] == "LogGroups")
    patterns = [one["Fn::Sub"] for one in logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]]
    groups = [
        entry["Properties"]["LogGroupName"]
        for stack in BUILT.values()
        for entry in resources(stack, "AWS::Logs::LogGroup").values()
    ]

    assert len(groups) == 6
    for group in groups:
        name = arn("logs", f"log-group:{group}")["Fn::Sub"]
        assert any(fnmatchcase(name, pattern) for pattern in patterns), group


@both
def test_secrets_manager_of_this_account_may_call_the_function(title: str) -> None:
    assert only(BUILT[title], "AWS::Lambda::Permission")["Properties"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Fn::GetAtt": [f"{title}RotationFunction", "Arn"]},
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": ACCOUNT,
    }


@pytest.mark.parametrize(("title", "at_once"), [("Database", True), ("MasterKey", False)])
def test_a_secret_rotates_every_thirty_days_and_only_the_login_at_once(title: str, at_once: bool) -> None:  # noqa: FBT001  # a parametrized case
    assert only(BUILT[title], "AWS::SecretsManager::RotationSchedule")["Properties"] == {
        "SecretId": OWN_SECRET[title],
        "RotationLambdaARN": {"Fn::GetAtt": [f"{title}RotationFunction", "Arn"]},
        "RotateImmediatelyOnUpdate": at_once,
        "RotationRules": {"AutomaticallyAfterDays": 30},
    }


@pytest.mark.parametrize("days", [1, 1000])
def test_the_days_are_an_option(days: int) -> None:
    of = settings(secrets={"rotation_days": days})

    for stack in (database.build(of), service.build(of)):
        schedule = only(stack, "AWS::SecretsManager::RotationSchedule")["Properties"]
        assert schedule["RotationRules"] == {"AutomaticallyAfterDays": days}


@pytest.mark.parametrize("title", ["Database", "MasterKey"])
def test_the_logical_id_of_a_schedule_is_frozen_because_another_one_switches_the_rotation_off(
    title: str,
) -> None:
    """aws-cloudformation/cloudformation-coverage-roadmap#1813."""
    assert [*resources(BUILT[title], "AWS::SecretsManager::RotationSchedule")] == [f"{title}RotationSchedule"]


def before(stack: Stack, logical_id: str) -> set[str]:
    """Everything that CloudFormation makes before *logical_id*."""
    known = template(stack)["Resources"]
    found: set[str] = set()
    waiting = [logical_id]
    while waiting:
        for name in needed(known[waiting.pop()]):
            if name in known and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def needed(entry: dict[str, Any]) -> Iterator[str]:
    """The logical ids that one resource names: DependsOn, Ref, Fn::GetAtt."""
    after = entry.get("DependsOn", [])
    yield from [after] if isinstance(after, str) else after
    yield from referred(entry["Properties"])


def referred(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from referred(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0]
            else:
                yield from referred(item)


def test_the_first_rotation_comes_after_everything_that_it_speaks_to() -> None:
    own = {"Function", "Permission", "Log", "Role"}

    assert before(BUILT["Database"], "DatabaseRotationSchedule") >= {
        *(f"DatabaseRotation{name}" for name in own),
        "LoginSecret",
        "Database",
        "AdministratorAttachment",
    }
    assert before(BUILT["MasterKey"], "MasterKeyRotationSchedule") >= {
        *(f"MasterKeyRotation{name}" for name in own),
        "Service",
    }


# Alarm


@both
def test_one_failed_step_rings_and_says_what_to_do(title: str) -> None:
    stack = {"Database": "database", "MasterKey": "service"}[title]
    alarm = properties(BUILT[title], f"{title}RotationErrors")
    wanted = {
        "AlarmName": f"dev-litellm-{stack}-{title}RotationErrors",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": f"{title}RotationFunction"}}],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [imported("security", "AlarmTopicArn")],
    }

    assert {key: alarm.get(key) for key in wanted} == wanted
    assert "gatestack docs rotation-failed" in alarm["AlarmDescription"]
    remedy = f"gatestack rotate ENV {ROTATED[title]}, ENV being the file of dev-litellm"
    assert alarm["AlarmDescription"].endswith(
        f"{remedy} (gatestack docs operations, {stack}-{title}RotationErrors)"
    )
    assert len(alarm["AlarmDescription"]) <= 1024


@pytest.mark.parametrize("folder", sorted(GOLDEN.glob("*")), ids=lambda folder: folder.name)
def test_a_rotated_login_is_taken_by_nothing_but_the_service_that_a_rotation_rolls(folder: Path) -> None:
    """The rotation starts new tasks of one service: another program with that login would lose it."""
    tasks = json.loads((folder / "service.json").read_text())["Resources"]
    entrance = tasks["Service"]["Properties"]["TaskDefinition"]["Ref"]

    takers = {name for name, one in tasks.items() if one["Type"] == "AWS::ECS::TaskDefinition"}
    takers = {name for name in takers if "DbSecretArn" in json.dumps(tasks[name]["Properties"])}

    assert takers <= {entrance}
    assert takers or not (folder / "database.json").is_file()
