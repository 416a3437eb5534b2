"""Endpoints of AWS services: S1's five, and without a NAT gateway those that are else reached through it."""

from __future__ import annotations

from typing import Any

from awacs import s3 as action
from awacs.aws import Action, Allow, Condition, Principal, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.ec2 import SecurityGroup, VPCEndpoint

from stacks import collector
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
    # Route tables of a VPC that was there already are not known: there its owner adds S3's gateway endpoint.
    if route_tables:
        _s3(stack, vpc, route_tables)
    subnets = list(private_subnets[: stack.settings.network.endpoint_zones])
    for service in _services(stack.settings):
        stack.add(
            VPCEndpoint(
                f"{_title(service)}Endpoint",
                ServiceName=_service_name(stack.settings, service),
                VpcEndpointType="Interface",
                VpcId=vpc,
                SubnetIds=subnets,
                SecurityGroupIds=[GetAtt(group, "GroupId")],
                PrivateDnsEnabled=True,
                **_guarded(stack.settings),
            ),
            name=service.replace(".", "-"),
        )


def _s3(stack: Stack, vpc: Ref | str, route_tables: tuple[Ref, ...]) -> None:
    stack.add(
        VPCEndpoint(
            "S3Endpoint",
            ServiceName=_service_name(stack.settings, "s3"),
            VpcEndpointType="Gateway",
            VpcId=vpc,
            RouteTableIds=list(route_tables),
            **_guarded(stack.settings, _image_layers(stack.settings)),
        ),
        name="s3",
    )


def _guarded(settings: Settings, *more: Statement) -> dict[str, Any]:
    """
    Let nobody but this account's own through, where the endpoints are the only way out.

    Who gets into a task cannot carry anything to an account of his own then. With a NAT gateway a policy
    would keep nobody in, since the same services are reached through it; AWS's own lets everybody through.
    Source: AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies".
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
    return {"PolicyDocument": document(ours, *more)}


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


def _services(settings: Settings) -> tuple[str, ...]:
    if not settings.closed:
        return ALWAYS
    bedrock = ("bedrock-runtime",) if "bedrock" in settings.service.providers else ()
    tracing = ("xray",) if settings.observability.xray or collector.wanted(settings) else ()
    commands = ("ssmmessages", "kms") if settings.service.execute_command else ()
    return (*ALWAYS, *CLOSED, *bedrock, *tracing, *commands)


def _title(service: str) -> str:
    return "".join(word.capitalize() for word in service.replace(".", "-").split("-"))


def _service_name(settings: Settings, service: str) -> str:
    return f"com.amazonaws.{settings.region}.{service}"
