"""VPC endpoints of AWS services: S1's five, and without a NAT gateway all others that are needed."""

from __future__ import annotations

from typing import Any

from awacs import s3 as action
from awacs.aws import Action, Allow, ArnEquals, Condition, Principal, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.ec2 import SecurityGroup, VPCEndpoint

from stacks import collector
from stacks.calls import reach
from stacks.parts.policies import document
from stacks.settings import Settings
from stacks.wiring import Stack

ALWAYS = ("ecr.api", "ecr.dkr", "secretsmanager", "logs")
"""S1, "VPC Endpoints"; with S3, what ECS needs to start a task (ECS Developer Guide, "VPC endpoints")."""

CLOSED = ("ecs", "ssm", "sts")
"""Without a NAT gateway: the rotation functions roll the service, and a task's log level is a parameter."""


def add(
    stack: Stack,
    vpc: Ref | str,
    private_subnets: tuple[Ref | str, ...],
    route_tables: tuple[Ref, ...],
    group: SecurityGroup,
) -> None:
    """Add S3's gateway endpoint and the interface endpoints, these in as many zones as the settings say."""
    # Route tables of an existing VPC are not known: its owner adds S3's gateway endpoint.
    if route_tables:
        _gateway(stack, vpc, route_tables, "s3", _image_layers(stack.settings))
        for service in reach.gateways(stack.settings) if stack.settings.closed else ():
            _gateway(stack, vpc, route_tables, service)
    subnets = list(private_subnets[: stack.settings.network.endpoint_zones])
    for service in needed(stack.settings) if stack.settings.closed else ALWAYS:
        stack.add(
            VPCEndpoint(
                f"{_title(service)}Endpoint",
                ServiceName=_service_name(stack.settings, service),
                VpcEndpointType="Interface",
                VpcId=vpc,
                SubnetIds=subnets,
                SecurityGroupIds=[GetAtt(group, "GroupId")],
                PrivateDnsEnabled=True,
                **_guarded(stack.settings, service),
            ),
            name=service.replace(".", "-"),
        )


def _gateway(
    stack: Stack, vpc: Ref | str, route_tables: tuple[Ref, ...], service: str, *more: Statement
) -> None:
    stack.add(
        VPCEndpoint(
            f"{_title(service)}Endpoint",
            ServiceName=_service_name(stack.settings, service),
            VpcEndpointType="Gateway",
            VpcId=vpc,
            RouteTableIds=list(route_tables),
            **_guarded(stack.settings, service, *more),
        ),
        name=service,
    )


def _guarded(settings: Settings, service: str, *more: Statement) -> dict[str, Any]:
    """
    Allow only this account's identities, and roles that tasks assume, if there is no other route out.

    An attacker in a task then cannot send data to another account. With a NAT gateway a policy has no effect,
    since the same services are reached through it; AWS's own policy allows everybody. Source: AWS PrivateLink
    Guide, "Control access to VPC endpoints using endpoint policies".
    """
    if not settings.closed:
        return {}
    ours = Statement(
        Sid="OwnAccount",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[Action("*")],
        Resource=["*"],
        Condition=Condition(StringEquals("aws:PrincipalAccount", AccountId)),
    )
    return {"PolicyDocument": document(ours, *_assumed(settings, service), *more)}


def _assumed(settings: Settings, service: str) -> tuple[Statement, ...]:
    """Allow the roles that the tasks assume to call the service: they may be of other accounts."""
    roles = reach.roles(settings, service)
    if not roles:
        return ()
    when = Condition(ArnEquals("aws:PrincipalArn", list(roles)))
    everybody = Principal("*")
    return (
        Statement(
            Sid="ConfiguredRoles",
            Effect=Allow,
            Principal=everybody,
            Action=[Action("*")],
            Resource=["*"],
            Condition=when,
        ),
    )


def _image_layers(settings: Settings) -> Statement:
    """
    ECR keeps layers in a bucket of AWS's, which is read by addresses that ECR has signed.

    Source: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints", minimum Amazon S3 bucket permissions.
    """
    bucket = f"prod-{settings.region}-starport-layer-bucket"
    return Statement(
        Sid="ImageLayers",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[action.GetObject],
        Resource=[Sub(f"arn:${{AWS::Partition}}:s3:::{bucket}/*")],
    )


def needed(settings: Settings) -> tuple[str, ...]:
    """Return what tasks and functions reach by interface endpoints where there is no other way out."""
    tracing = ("xray",) if settings.observability.xray or collector.wanted(settings) else ()
    commands = ("ssmmessages", "kms") if settings.service.execute_command else ()
    return tuple(dict.fromkeys([*ALWAYS, *CLOSED, *reach.interfaces(settings), *tracing, *commands]))


def _title(service: str) -> str:
    return "".join(word.capitalize() for word in service.replace(".", "-").split("-"))


def _service_name(settings: Settings, service: str) -> str:
    return f"com.amazonaws.{settings.region}.{service}"
