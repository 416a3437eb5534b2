"""Quotas: refused in AWS's words as the resource is made, told by Service Quotas and RDS beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from deployer.preflight.quota_table import QUOTAS as ASKED
from deployer.preflight.quota_table import RDS_CODES
from deployer.remedies import remedy
from sandbox.provisioning import ProvisionError
from sandbox.rules.quotas.table import BY_WORD, QUOTAS, named
from sandbox.server import Sandbox
from tests.sandbox.provision_world import World
from tests.sandbox.sandbox_account import client, services, standing
from tests.sandbox.sandbox_account import world as world_of


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        yield sandbox


@pytest.fixture
def world(account: Sandbox) -> Iterator[World]:
    """Give the account, with AWS's defaults."""
    yield world_of(account)
    services(account).quotas.clear()


def test_the_sandbox_and_preflight_have_the_same_defaults() -> None:
    """Two tables, read from the same pages: the sandbox knows nothing of the deployer."""
    here = {(one.service, one.code): one.default for one in QUOTAS}
    for one in ASKED:
        if one.service == "fargate":  # the sandbox's account is in use, a new one is not
            continue
        assert here[one.service, one.code] == one.default, one.words
    assert set(RDS_CODES.values()) <= {code for _, code in here}


def test_a_quota_is_named_by_a_word_or_by_aws_s_code() -> None:
    assert named("VPCs") is named("l-f678f1ce") is BY_WORD["vpcs"]
    with pytest.raises(ValueError, match="there is no quota vpc: there are vpcs, internet-gateways, "):
        named("vpc")


def test_service_quotas_and_rds_tell_the_account_s_own_number(account: Sandbox, world: World) -> None:
    del world
    held, aws = services(account).quotas, client(account, "service-quotas")
    asked = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    assert aws.get_service_quota(**asked)["Quota"]["Value"] == 5
    held.set("vpcs", 2)
    found = aws.get_service_quota(**asked)["Quota"]
    assert (found["Value"], found["QuotaName"], found["Adjustable"]) == (2, "VPCs per Region", True)
    assert aws.get_aws_default_service_quota(**asked)["Quota"]["Value"] == 5
    listed = {one["QuotaCode"]: one["Value"] for one in aws.list_service_quotas(ServiceCode="vpc")["Quotas"]}
    assert (listed["L-F678F1CE"], listed["L-A4707A72"]) == (2, 5)
    with pytest.raises(aws.exceptions.NoSuchResourceException):
        aws.get_service_quota(ServiceCode="vpc", QuotaCode="L-00000000")
    held.set("db-instances", 1)
    told = client(account, "rds").describe_account_attributes()["AccountQuotas"]
    assert {"AccountQuotaName": "DBInstances", "Used": 0, "Max": 1} in told
    held.set("iam-roles", 7)
    assert client(account, "iam").get_account_summary()["SummaryMap"]["RolesQuota"] == 7


VPC: tuple[str, dict[str, Any]] = ("EC2::VPC", {"CidrBlock": "10.9.0.0/16"})


def refused(world: World, kind: str, properties: dict[str, Any]) -> str:
    with pytest.raises(ProvisionError) as caught:
        world.make(kind, **properties)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind", "properties", "said"),
    [
        ("vpcs", *VPC, "The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)"),
        ("internet-gateways", "EC2::InternetGateway", {}, "The maximum number of internet gateways"),
        ("elastic-ips", "EC2::EIP", {"Domain": "vpc"}, "The maximum number of addresses has been reached."),
        (
            "security-groups", "EC2::SecurityGroup", {"GroupDescription": "x"},
            "The maximum number of security groups",
        ),
        (
            "security-group-rules", "EC2::SecurityGroup",
            {"GroupDescription": "x", "SecurityGroupIngress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}]},
            "The maximum number of rules per security group has been reached.",
        ),
        ("certificates", "CertificateManager::Certificate", {"DomainName": "a.test"}, "your limit of 0"),
        ("iam-roles", "IAM::Role", {"AssumeRolePolicyDocument": {}}, "quota for RolesPerAccount: 0"),
        (
            "db-instances", "RDS::DBInstance",
            {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": "20"},
            "DB Instance quota exceeded (Service: Rds",
        ),
        (
            "db-storage", "RDS::DBInstance",
            {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": "20"},
            "Allocated storage quota exceeded",
        ),
        ("db-clusters", "RDS::DBCluster", {"Engine": "aurora-postgresql"}, "DB Cluster quota exceeded"),
        ("gateway-endpoints", "EC2::VPCEndpoint", {"VpcId": "x", "ServiceName": "s"}, "of VPC endpoints"),
        (
            "interface-endpoints", "EC2::VPCEndpoint",
            {"VpcId": "x", "ServiceName": "s", "VpcEndpointType": "Interface"}, "number of VPC endpoints",
        ),
        ("nat-gateways", "EC2::NatGateway", {"SubnetId": "x"}, "would exceed the limit of 0 NAT gateways"),
        ("load-balancers", "ElasticLoadBalancingV2::LoadBalancer", {}, "maximum number of load balancers"),
        ("target-groups", "ElasticLoadBalancingV2::TargetGroup", {}, "The maximum number of target groups"),
    ],
)  # fmt: skip
def test_what_is_one_too_many_is_refused(
    world: World, name: str, kind: str, properties: dict[str, Any], said: str
) -> None:
    world.services.quotas.set(name, 0)
    found = refused(world, kind, properties)
    assert said in found
    assert (advice := remedy(found, f"AWS::{kind}"))
    assert "higher quota" in advice, advice


def test_a_vpc_more_is_made_as_soon_as_there_is_room(world: World) -> None:
    there = len(client_vpcs(world))
    world.services.quotas.set("vpcs", there)
    assert "HandlerErrorCode: ServiceLimitExceeded" in refused(world, *VPC)
    world.services.quotas.set("L-F678F1CE", there + 1)
    made = world.make(VPC[0], **VPC[1])
    assert made.physical_id in client_vpcs(world)


def client_vpcs(world: World) -> list[str]:
    return [one["VpcId"] for one in world.services.client("ec2", "us-east-1").describe_vpcs()["Vpcs"]]
