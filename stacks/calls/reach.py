"""The VPC endpoints that the calls need where tasks have no route to the internet. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.calls.call import Call
from stacks.calls.reading import reading
from stacks.checking.problems import Finding
from stacks.settings import Settings

GATEWAYS: Final = ("s3", "dynamodb")
"""Services reached by route tables, and free."""
AWS_PROVIDERS: Final = frozenset(
    {
        *("bedrock", "bedrock_mantle", "sagemaker", "sagemaker_chat", "sagemaker_nova"),
        *("aws_polly", "s3_vectors"),
    }
)
"""Providers that endpoints lead to (`service.providers`)."""
INTERFACES: Final = (
    *("bedrock", "bedrock-runtime", "bedrock-agent-runtime", "bedrock-mantle"),
    *("bedrock-agentcore", "bedrock-agentcore.gateway", "execute-api", "polly", "s3vectors"),
    *("sagemaker.runtime", "secretsmanager", "sqs", "sts"),
)
"""AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink", read 2026-11-28."""


def interfaces(settings: Settings) -> tuple[str, ...]:
    """Return the interface endpoints that the calls go through."""
    called = {one.endpoint for one in reading(settings).calls}
    return tuple(one for one in INTERFACES if one in called)


def gateways(settings: Settings) -> tuple[str, ...]:
    """Return the gateway endpoints of the calls, in addition to S3's, which always exists."""
    return tuple(sorted({one.endpoint for one in reading(settings).calls} & {"dynamodb"}))


def roles(settings: Settings, endpoint: str) -> tuple[str, ...]:
    """Return the roles that call through *endpoint*, which may be of other accounts."""
    calls = reading(settings).calls
    return tuple(dict.fromkeys(one.role for one in calls if one.role and one.endpoint == endpoint))


def reach_findings(settings: Settings) -> Iterator[Finding]:
    """Yield the calls that no endpoint serves."""
    if settings.closed:
        for one in reading(settings).calls:
            if message := _unreachable(one, settings.region):
                yield Finding(one.key, f"{message}network.nat_gateways: 1", _ALSO, one.below)


def _unreachable(call: Call, region: str) -> str | None:
    if call.endpoint not in {*INTERFACES, *GATEWAYS}:
        return (
            f"{call.endpoint} has no endpoint, and without a NAT gateway there is no other way to it; write "
        )
    if call.region != region:
        return (
            f"it is called in {call.region}, and without a NAT gateway the tasks reach {region} alone: an "
            f"endpoint leads to the region that it is in; write {region}, or "
        )
    return None


_ALSO = ("network.nat_gateways", "region")
