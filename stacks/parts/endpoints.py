"""Endpoints of AWS services: S1's five, and without a NAT gateway those that are else reached through it."""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere.ec2 import SecurityGroup, VPCEndpoint

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
        ),
        name="s3",
    )


def _services(settings: Settings) -> tuple[str, ...]:
    if not settings.closed:
        return ALWAYS
    bedrock = ("bedrock-runtime",) if "bedrock" in settings.service.providers else ()
    tracing = ("xray",) if settings.observability.xray else ()
    commands = ("ssmmessages",) if settings.service.execute_command else ()
    return (*ALWAYS, *CLOSED, *bedrock, *tracing, *commands)


def _title(service: str) -> str:
    return "".join(word.capitalize() for word in service.replace(".", "-").split("-"))


def _service_name(settings: Settings, service: str) -> str:
    return f"com.amazonaws.{settings.region}.{service}"
