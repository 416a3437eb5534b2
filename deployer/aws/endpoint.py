"""
Partition, region and endpoint of a client, and whether that endpoint is AWS.

The answer comes from what botocore resolves (variables, profile, `services` section, its own data), not from
a variable being set. All questions about AWS, emulation and partitions are answered here.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.configprovider import ConfiguredEndpointProvider
from botocore.loaders import create_loader

from deployer.aws.drift import unknown_call
from deployer.aws.errors import call
from deployer.errors import CloudError, NotOffered, Transient

SILENCE_SECONDS = 3.0
"""Without an answer for this long, an endpoint on this machine counts as stopped; it may be restarting."""
_PAUSE = 0.1
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SERVICES = (
    "acm",
    "cloudformation",
    "cloudwatch",
    "ec2",
    "ecr",
    "ecs",
    "elasticache",
    "elbv2",
    "iam",
    "kms",
    "lambda",
    "logs",
    "rds",
    "resourcegroupstaggingapi",
    "route53",
    "s3",
    "secretsmanager",
    "service-quotas",
    "ssm",
    "sts",
)
"""Services that commands call in an environment's account, by botocore's names."""
OTHER_DOMAINS = frozenset({"aws.amazon.com", "amazonaws-us-gov.com", "amazonaws.cn", "on.aws", "awsapps.com"})
"""Domains of AWS's that are no partition's suffix: those of sign-in (its endpoint rules in botocore)."""


@dataclass(frozen=True)
class Place:
    """Where a client's requests go."""

    partition: str
    """``aws``, ``aws-cn``, ``aws-us-gov``, ``aws-eusc``, ``aws-iso``, ..."""
    region: str
    url: str
    aws: bool
    """Whether the host is one of AWS's, in any partition."""


def place(client: Any) -> Place:
    """Return where a botocore client's requests go, as botocore has resolved it."""
    region, url = client.meta.region_name, client.meta.endpoint_url
    return Place(partition_of(region), region, url, is_aws(url))


def emulated(client: Any) -> bool:
    """Whether a botocore client speaks to something that is not AWS."""
    return not place(client).aws


def is_aws(url: str) -> bool:
    """Whether the host of *url*, with or without a scheme, is one of AWS's; an unreadable URL is not."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return False
    labels = host.lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in _domains() for start in range(len(labels)))


def partition_of(region: str) -> str:
    """Return the partition of *region*: the one that lists it, else the one whose pattern it fits."""
    for partition in _partitions():
        if region in partition["regions"]:
            return str(partition["id"])
    fitting = (one["id"] for one in _partitions() if re.fullmatch(one["regionRegex"], region))
    return str(next(fitting, "aws"))


def configured(session: Any, services: Iterable[str]) -> Mapping[str, str]:
    """
    Return the endpoint of each of *services* that variables or configuration files name instead of AWS's own.

    No client is made for it: botocore's own provider is asked, as `create_client` does.

    Raises:
        Exception: of botocore's or Python's, where the configuration files cannot be read or understood.

    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return {}
    files, profile = session.full_config, session.get_scoped_config()
    found = {one: ConfiguredEndpointProvider(files, profile, one).provide() for one in services}
    return {service: url for service, url in found.items() if isinstance(url, str)}


def is_here(url: str) -> bool:
    """Whether *url* is on this machine."""
    name = urlsplit(url).hostname or ""
    return name in _LOOPBACK or name.endswith(".localhost")


def is_silent(url: str) -> bool:
    """
    Whether *url* is on this machine and nothing listens there.

    A network failure may pass; an endpoint on this machine that no longer listens was stopped.
    """
    if not is_here(url):
        return False
    place, until = urlsplit(url), time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < until:
        try:
            with socket.create_connection(
                (place.hostname, place.port or 80), timeout=SILENCE_SECONDS
            ) as line:
                line.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return not line.recv(1)
        except TimeoutError:
            return True
        except OSError:
            time.sleep(_PAUSE)
    return True


def ask(client: Any, method: str, **parameters: Any) -> Any:
    """
    Call *method* of a botocore client.

    Raises:
        NotOffered: an emulated endpoint does not know the call at all.
        DeployError: anything else that went wrong, in our words.

    """
    try:
        return call(client, method, **parameters)
    except CloudError as error:
        if emulated(client) and _unknown(error):
            service = client.meta.service_model.service_name
            raise NotOffered(f"this endpoint has no {service}", operation=error.operation) from error
        raise


def _unknown(error: CloudError) -> bool:
    """Whether the response is no error of the service: an unknown code, or unreadable."""
    unreadable = isinstance(error, Transient) and "not an AWS response" in str(error)
    return unreadable or unknown_call(error) or error.code.isdigit()


@cache
def _partitions() -> tuple[Mapping[str, Any], ...]:
    """Return botocore's own table of partitions."""
    return tuple(create_loader().load_data("partitions")["partitions"])


@cache
def _domains() -> frozenset[str]:
    kinds = ("dnsSuffix", "dualStackDnsSuffix")
    return OTHER_DOMAINS | {one["outputs"][kind] for one in _partitions() for kind in kinds}
