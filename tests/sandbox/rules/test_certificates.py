"""ACM and the load balancer: issued by its record, refused from another region or before it is issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.provisioning import ProvisionError
from sandbox.rehearsal import certificates
from sandbox.resources.entrance.edge import VALIDATION_SECONDS
from sandbox.services.hosted_zones import EXAMPLE
from tests.sandbox.provision_world import REGION, World

NAME, OTHER = "llm.example.com", "chat.example.com"
ABSENT = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@pytest.fixture(scope="module")
def world() -> World:
    return World("000000000107")


def asked(world: World, *names: str, zones: Mapping[str, str]) -> dict[str, Any]:
    options = [{"DomainName": name, "HostedZoneId": zone} for name, zone in zones.items()]
    first, *more = names
    found = {"DomainName": first, "ValidationMethod": "DNS", "DomainValidationOptions": options}
    return {**found, **({"SubjectAlternativeNames": more} if more else {})}


def status(world: World, arn: str) -> str:
    return str(world.api("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"])


def test_a_certificate_is_issued_where_cloudformation_writes_its_record(world: World) -> None:
    zones = {NAME: EXAMPLE[1], OTHER: EXAMPLE[1]}
    made = world.make("CertificateManager::Certificate", **asked(world, NAME, OTHER, zones=zones))
    assert status(world, made.physical_id) == "ISSUED"


@pytest.mark.parametrize("zones", [{}, {NAME: EXAMPLE[1]}])
def test_without_the_record_of_each_name_it_waits_until_acm_gives_up(
    world: World, zones: dict[str, str]
) -> None:
    with pytest.raises(ProvisionError, match="VALIDATION_TIMED_OUT") as caught:
        world.make("CertificateManager::Certificate", **asked(world, NAME, OTHER, zones=zones))
    assert caught.value.seconds == VALIDATION_SECONDS == 72 * 3600


def test_a_zone_that_the_account_does_not_have_is_refused(world: World) -> None:
    wanted = asked(world, NAME, zones={NAME: "Z9999999999ABC"})
    with pytest.raises(ProvisionError, match="No hosted zone found with ID: Z9999999999ABC"):
        world.make("CertificateManager::Certificate", **wanted)


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("another region", "Certificate ARN '{arn}' is not valid (Service: ElasticLoadBalancingV2"),
        ("not there", "Certificate '{arn}' not found (Service"),
        (
            "not issued",
            "'{arn}' must have a fully-qualified domain name, a supported signature, and a supported",
        ),
    ],
)
def test_a_listener_takes_an_issued_certificate_of_its_region_alone(
    world: World, which: str, said: str
) -> None:
    if which == "not issued":
        arn = world.api("acm").request_certificate(DomainName=NAME)["CertificateArn"]
    else:
        arn = ABSENT if which == "not there" else certificates.make(world.services, NAME, "eu-west-1", "")
    with pytest.raises(ProvisionError) as caught:
        world.make("ElasticLoadBalancingV2::Listener", **listener(world, arn))
    assert said.format(arn=arn) in str(caught.value)


def test_a_certificate_that_is_there_already_is_taken(world: World) -> None:
    arn = certificates.make(world.services, NAME, REGION, "")
    assert world.make("ElasticLoadBalancingV2::Listener", **listener(world, arn)).physical_id


def listener(world: World, arn: str) -> dict[str, Any]:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return {
        "LoadBalancerArn": world.balancer.physical_id,
        "Port": 443,
        "Protocol": "HTTPS",
        "Certificates": [{"CertificateArn": arn}],
        "DefaultActions": [answer],
    }
