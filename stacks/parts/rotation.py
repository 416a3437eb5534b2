"""
The only function that adds rotation to a secret: the Lambda function, its role, log, alarm and schedule.

It covers Secrets Manager's side; the caller says what a certain rotation reads and connects to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from awacs import ec2, ecs, kms, logs, secretsmanager
from awacs.aws import ArnEquals, Condition, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref
from troposphere.awslambda import Code, Environment, Function, Permission, VPCConfig
from troposphere.iam import Role
from troposphere.secretsmanager import RotationRules, RotationSchedule

from stacks.application import camel
from stacks.checking import limits
from stacks.parts import function_code
from stacks.parts.alarms import Metric, add_alarm, at_least
from stacks.parts.logs import add_log_group
from stacks.parts.placement import private_subnets
from stacks.parts.policies import allow, arn, deny, role, via
from stacks.wiring import Stack

MEMORY_MB = 256
LONGEST_RATE_DAYS = 999
TIMEOUT_SECONDS = 300
"""Of one step; the longest waits for a proxy that just starts."""


class Rotation(NamedTuple):
    """One rotation."""

    name: str
    """What `gatestack rotate` calls it: ``master-key``."""
    secret_name: str
    secret: Any
    """ARN of the secret."""
    module: str
    """Of `stacks.functions`; its function `handler` does the four steps."""
    at_once: bool
    """Whether the secret rotates as soon as the schedule exists, or only when it is due."""
    variables: Mapping[str, Any]
    """Environment of the function, beside the service that it rolls."""
    permissions: tuple[Statement, ...]
    """What its role may do, beside reading and writing its own secret and rolling the service."""
    after: tuple[str, ...]
    """Logical ids of what must exist before the first rotation."""
    as_rate: bool = False
    """Whether the schedule is written as a rate; a change of it rotates at once, where `at_once` says so."""

    @property
    def title(self) -> str:
        """What its logical ids begin with; another schedule's id would switch the rotation off and on."""
        return f"{camel(self.name)}Rotation"


def add_rotation(stack: Stack, rotation: Rotation) -> None:
    """
    Add everything that *rotation* needs, to run every `secrets.rotation_days`.

    The function gets no reserved concurrency: a small account has too little to reserve any (AWS Lambda
    Developer Guide, "Configuring reserved concurrency": 100 stay unreserved), and Secrets Manager does not
    begin a rotation while one of the same secret is in progress.
    """
    settings = stack.settings
    name = settings.rotation_function_name(rotation.name)
    log_group = add_log_group(stack, f"{rotation.title}Log", f"/aws/lambda/{name}")
    function = _function(stack, rotation, name, _role(stack, rotation, name))
    function.DependsOn = log_group.title
    permission = Permission(
        f"{rotation.title}Permission",
        Action="lambda:InvokeFunction",
        FunctionName=GetAtt(function, "Arn"),
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=AccountId,
    )
    stack.add(permission)
    schedule = RotationSchedule(
        f"{rotation.title}Schedule",
        DependsOn=[permission.title, *rotation.after],
        SecretId=rotation.secret,
        RotationLambdaARN=GetAtt(function, "Arn"),
        RotateImmediatelyOnUpdate=rotation.at_once,
        RotationRules=_rules(settings.secrets.rotation_days, as_rate=rotation.as_rate),
    )
    stack.add(schedule)
    _alarm(stack, rotation, function)


def _rules(days: int, *, as_rate: bool) -> RotationRules:
    """Return the schedule in one of two ways (AWS Secrets Manager User Guide, "Rotation schedules")."""
    if not as_rate:
        return RotationRules(AutomaticallyAfterDays=days)
    days = min(days, LONGEST_RATE_DAYS)
    return RotationRules(ScheduleExpression=f"rate({days} {'day' if days == 1 else 'days'})")


def _function(stack: Stack, rotation: Rotation, name: str, runs_as: Role) -> Function:
    settings = stack.settings
    bucket = settings.export_name("security", "ConfigBucketName")
    stack.upload(function_code.FILE, bucket_export=bucket, key=function_code.key())
    place = VPCConfig(
        SubnetIds=private_subnets(stack),
        SecurityGroupIds=[stack.imported("network", "LambdaSecurityGroupId")],
    )
    service = {"CLUSTER": settings.cluster_name, "SERVICE": stack.service_name}
    return stack.add(
        Function(
            f"{rotation.title}Function",
            FunctionName=name,
            Description=f"Rotates the secret {rotation.secret_name}",
            Handler=f"stacks.functions.{rotation.module}.handler",
            Code=Code(
                S3Bucket=stack.imported("security", "ConfigBucketName"),
                S3Key=function_code.key(),
            ),
            Runtime=limits.FUNCTION_RUNTIME,
            Architectures=["arm64"],
            MemorySize=MEMORY_MB,
            Timeout=TIMEOUT_SECONDS,
            Role=GetAtt(runs_as, "Arn"),
            VpcConfig=place,
            Environment=Environment(Variables={**service, **rotation.variables}),
        )
    )


def _role(stack: Stack, rotation: Rotation, function_name: str) -> Role:
    """
    Return the function's role: its own secret, its own log, the service that it rolls, and *permissions*.

    Lambda's trust has no source: AWS documents none for the role that a function runs as (AWS Lambda
    Developer Guide, "Defining Lambda function permissions with an execution role").
    """
    key = stack.imported("security", "KmsKeyArn")
    log = arn("logs", f"log-group:/aws/lambda/{function_name}:*")
    through = Condition(StringEquals("kms:ViaService", via("secretsmanager")))
    return role(
        stack,
        f"{rotation.title}Role",
        "lambda.amazonaws.com",
        None,
        *_network(function_name),
        allow("WriteOwnLogs", [logs.CreateLogStream, logs.PutLogEvents], [log]),
        allow("RotateOwnSecret", _ROTATE, [rotation.secret]),
        allow("UseKeyThroughSecretsManager", [kms.Decrypt, kms.GenerateDataKey], [key], through),
        allow("RollService", [ecs.UpdateService], [service_arn(stack)]),
        *rotation.permissions,
    )


def _network(function_name: str) -> tuple[Statement, Statement, Statement]:
    """
    Let Lambda put the function into the VPC, and deny the same to the function's own code.

    Source: AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC",
    required permissions and security best practice: interfaces have no names before they exist, and
    describing them supports no resource.
    """
    own_code = Condition(ArnEquals("lambda:SourceFunctionArn", arn("lambda", f"function:{function_name}")))
    return (
        allow("JoinTheVpc", _INTERFACES, [arn("ec2", "*/*")]),
        allow("SeeTheVpc", _SEE_INTERFACES, ["*"]),
        deny("NotFromItsCode", [*_INTERFACES, *_SEE_INTERFACES], ["*"], own_code),
    )


def service_arn(stack: Stack) -> Any:
    """Return the ARN of the proxy's service, which is created later."""
    return arn("ecs", f"service/{stack.settings.cluster_name}/{stack.service_name}")


def _alarm(stack: Stack, rotation: Rotation, function: Function) -> None:
    again = f"gatestack rotate ENV {rotation.name}, ENV being the file of {stack.settings.prefix}"
    add_alarm(
        stack,
        f"{rotation.title}Errors",
        Metric("AWS/Lambda", "Errors", "Sum", {"FunctionName": Ref(function)}, reported_always=False),
        at_least(1, periods=1, minutes=5),
        meaning=(
            f"A step of the rotation of {rotation.secret_name} failed; the current value goes on working. "
            f"See gatestack docs rotation-failed, then: {again}"
        ),
    )


_ROTATE = [
    secretsmanager.DescribeSecret,
    secretsmanager.GetSecretValue,
    secretsmanager.PutSecretValue,
    secretsmanager.UpdateSecretVersionStage,
]
_INTERFACES = [
    ec2.AssignPrivateIpAddresses,
    ec2.CreateNetworkInterface,
    ec2.DeleteNetworkInterface,
    ec2.UnassignPrivateIpAddresses,
]
_SEE_INTERFACES = [ec2.DescribeNetworkInterfaces, ec2.DescribeSubnets]
