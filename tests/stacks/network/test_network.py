"""The network stack against S1's "Network Architecture": layout, routing, security groups, endpoints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks import security
from stacks.environment import parse_settings
from stacks.network import build
from stacks.wiring import Stack
from tests.stacks.finders import exports, only, properties, resources, template

ALARM = "AWS::CloudWatch::Alarm"
CLOSED = (
    "network: {nat_gateways: 0}, service: {providers: [bedrock], bedrock_models: [amazon.nova-lite-v1:0]}"
)
NOWHERE = "icmp 252-86 255.255.255.255/32"
PRODUCTION = "tier: production, alb: {domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ}"
EXISTING = """network: {existing_vpc: {
    vpc_id: vpc-0123456789abcdef0,
    public_subnet_ids: [subnet-00000000000000001, subnet-00000000000000002],
    private_subnet_ids: [subnet-00000000000000011, subnet-00000000000000012]}}
"""


def built(rest: str = "") -> Stack:
    return build(parse_settings(f"{{system: litellm, environment: dev, {rest}}}", Path("dev.yaml")))


def referred(value: Any) -> str:
    """The logical id behind a Ref or Fn::GetAtt."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


# Layout


def test_the_vpc_resolves_names_which_private_endpoints_need() -> None:
    vpc = properties(built(), "Vpc")

    assert (vpc["CidrBlock"], vpc["EnableDnsSupport"], vpc["EnableDnsHostnames"]) == (
        "10.0.0.0/16",
        True,
        True,
    )


def test_public_and_private_subnets_lie_in_two_zones() -> None:
    subnets = resources(built(), "AWS::EC2::Subnet")

    found = {
        name: (entry["Properties"]["CidrBlock"], entry["Properties"]["AvailabilityZone"]["Fn::Select"][0])
        for name, entry in subnets.items()
    }
    assert found == {
        "PublicSubnet1": ("10.0.1.0/24", 0),
        "PublicSubnet2": ("10.0.2.0/24", 1),
        "PrivateSubnet1": ("10.0.11.0/24", 0),
        "PrivateSubnet2": ("10.0.12.0/24", 1),
    }


def test_the_stack_exports_what_the_others_import() -> None:
    assert set(exports(built())) == {
        f"dev-litellm-network-{name}"
        for name in (
            *("VpcId", "PublicSubnet1Id", "PublicSubnet2Id", "PrivateSubnet1Id", "PrivateSubnet2Id"),
            *("AlbSecurityGroupId", "EcsSecurityGroupId", "RdsSecurityGroupId"),
            *("LambdaSecurityGroupId", "EndpointSecurityGroupId"),
        )
    }


def test_data_subnets_are_made_and_exported_where_asked_for() -> None:
    stack = built("network: {data_subnets: true}")

    assert exports(stack)["dev-litellm-network-DataSubnet1Id"] == {"Ref": "DataSubnet1"}
    assert exports(stack)["dev-litellm-network-DataSubnet2Id"] == {"Ref": "DataSubnet2"}
    assert properties(stack, "DataSubnet1")["CidrBlock"] == "10.0.21.0/24"


# Routing


def routes(stack: Stack) -> set[tuple[str, str, str]]:
    """Every subnet's default route: subnet, destination, where to."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for route in resources(stack, "AWS::EC2::Route").values():
        by_table.setdefault(referred(route["Properties"]["RouteTableId"]), []).append(route["Properties"])
    found = set()
    for association in resources(stack, "AWS::EC2::SubnetRouteTableAssociation").values():
        subnet, table = (referred(association["Properties"][key]) for key in ("SubnetId", "RouteTableId"))
        for route in by_table.get(table, []):
            target = route.get("GatewayId") or route["NatGatewayId"]
            found.add((subnet, route["DestinationCidrBlock"], referred(target)))
    return found


PUBLIC_ROUTES = {
    ("PublicSubnet1", "0.0.0.0/0", "InternetGateway"),
    ("PublicSubnet2", "0.0.0.0/0", "InternetGateway"),
}


@pytest.mark.parametrize(
    ("gateways", "private_routes"),
    [
        (1, {("PrivateSubnet1", "0.0.0.0/0", "NatGateway1"), ("PrivateSubnet2", "0.0.0.0/0", "NatGateway1")}),
        (2, {("PrivateSubnet1", "0.0.0.0/0", "NatGateway1"), ("PrivateSubnet2", "0.0.0.0/0", "NatGateway2")}),
    ],
)
def test_private_subnets_leave_through_the_nat_gateway_of_their_zone_or_the_only_one(
    gateways: int, private_routes: set[tuple[str, str, str]]
) -> None:
    stack = built(f"network: {{nat_gateways: {gateways}}}")

    assert routes(stack) == PUBLIC_ROUTES | private_routes
    assert len(resources(stack, "AWS::EC2::EIP")) == gateways


WITHOUT_NAT = (
    "network: {nat_gateways: 0}, service: {providers: [bedrock], bedrock_models: [amazon.nova-lite-v1:0]}"
)


def test_without_nat_gateways_private_subnets_have_no_way_out() -> None:
    stack = built(WITHOUT_NAT)

    assert routes(stack) == PUBLIC_ROUTES
    assert resources(stack, "AWS::EC2::NatGateway") == resources(stack, "AWS::EC2::EIP") == {}


def test_a_nat_address_waits_for_the_internet_gateway() -> None:
    assert only(built(), "AWS::EC2::EIP")["DependsOn"] == "InternetAttachment"
    assert only(built(), "AWS::EC2::NatGateway")["Properties"]["SubnetId"] == {"Ref": "PublicSubnet1"}


def test_data_subnets_have_no_way_out_and_share_the_way_to_s3() -> None:
    stack = built("network: {data_subnets: true}")

    assert not {route for route in routes(stack) if route[0].startswith("Data")}
    assert properties(stack, "S3Endpoint")["RouteTableIds"] == [
        {"Ref": "Private1RouteTable"},
        {"Ref": "Private2RouteTable"},
        {"Ref": "DataRouteTable"},
    ]


# Security groups


def peer(rule: Mapping[str, Any]) -> str:
    for key in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if key in rule:
            return referred(rule[key]).removesuffix("SecurityGroup")
    return str(rule["CidrIp"])


def row(rule: Mapping[str, Any]) -> str:
    ports = {rule["FromPort"], rule["ToPort"]}
    shown = f"{rule['FromPort']}" if len(ports) == 1 else f"{rule['FromPort']}-{rule['ToPort']}"
    return f"{rule['IpProtocol']} {shown} {peer(rule)}"


def table(stack: Stack) -> dict[str, tuple[set[str], set[str]]]:
    """The security-group table: group -> what comes in, what goes out."""
    rows: dict[str, tuple[set[str], set[str]]] = {}
    for name, group in resources(stack, "AWS::EC2::SecurityGroup").items():
        inline = group["Properties"]
        rows[name.removesuffix("SecurityGroup")] = (
            {row(rule) for rule in inline.get("SecurityGroupIngress", [])},
            {row(rule) for rule in inline.get("SecurityGroupEgress", [])},
        )
    for column, kind in enumerate(("Ingress", "Egress")):
        for rule in resources(stack, f"AWS::EC2::SecurityGroup{kind}").values():
            owner = referred(rule["Properties"]["GroupId"]).removesuffix("SecurityGroup")
            rows[owner][column].add(row(rule["Properties"]))
    return rows


S1_TABLE: dict[str, tuple[set[str], set[str]]] = {
    "Alb": ({"tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"}, {"tcp 4000 Ecs", NOWHERE}),
    "Ecs": ({"tcp 4000 Alb", "tcp 4000 Lambda"}, {"tcp 443 0.0.0.0/0", "tcp 5432 Rds", "tcp 6379 Redis"}),
    "Rds": ({"tcp 5432 Ecs", "tcp 5432 Lambda"}, {NOWHERE}),
    "Lambda": (set(), {"tcp 4000 Ecs", "tcp 5432 Rds", "tcp 443 0.0.0.0/0"}),
    "Endpoint": ({"tcp 443 10.0.0.0/16"}, {NOWHERE}),
}
"""
With HTTPS. NOWHERE is what AWS needs to see so that it does not add "allow all". Lambda to Ecs is not S1's:
the master key's rotation needs it; nor is Redis, which production has.
"""


@pytest.mark.parametrize("group", sorted(S1_TABLE))
def test_a_security_group_lets_in_and_out_what_the_architecture_guide_lists(group: str) -> None:
    assert table(built(PRODUCTION))[group] == S1_TABLE[group]


def test_the_rotation_functions_reach_the_tasks_on_the_port_that_they_listen_on() -> None:
    rows = table(built("service: {port: 8080}"))

    assert "tcp 8080 Ecs" in rows["Lambda"][1]
    assert "tcp 8080 Lambda" in rows["Ecs"][0]


def test_the_descriptions_of_the_groups_are_frozen_because_another_one_replaces_the_group() -> None:
    groups = resources(built(), "AWS::EC2::SecurityGroup")

    assert {name: group["Properties"]["GroupDescription"] for name, group in groups.items()} == {
        "AlbSecurityGroup": "Load balancer",
        "EcsSecurityGroup": "Tasks",
        "RdsSecurityGroup": "Database",
        "LambdaSecurityGroup": "Rotation functions",
        "EndpointSecurityGroup": "Endpoints of AWS services",
    }


def test_there_are_five_security_groups_and_none_is_left_with_the_default_allow_all() -> None:
    groups = resources(built(), "AWS::EC2::SecurityGroup")

    assert len(groups) == 5
    assert all(group["Properties"]["SecurityGroupEgress"] for group in groups.values())


def test_without_https_port_443_stays_closed() -> None:
    assert table(built())["Alb"] == ({"tcp 80 0.0.0.0/0"}, S1_TABLE["Alb"][1])


def test_the_load_balancer_lets_in_only_the_configured_ranges() -> None:
    rows = table(built("alb: {allowed_cidrs: [192.0.2.0/24, 198.51.100.0/24]}"))

    assert rows["Alb"][0] == {"tcp 80 192.0.2.0/24", "tcp 80 198.51.100.0/24"}


def test_no_security_group_names_another_so_that_none_waits_for_another() -> None:
    for group in resources(built(), "AWS::EC2::SecurityGroup").values():
        assert "Fn::GetAtt" not in str(group["Properties"].get("SecurityGroupIngress", []))
        assert "Fn::GetAtt" not in str(group["Properties"]["SecurityGroupEgress"])


# Endpoints


def endpoints(stack: Stack) -> dict[str, str]:
    found = [entry["Properties"] for entry in resources(stack, "AWS::EC2::VPCEndpoint").values()]
    return {
        entry["ServiceName"].removeprefix("com.amazonaws.us-east-1."): entry["VpcEndpointType"]
        for entry in found
    }


S1_ENDPOINTS = {
    "s3": "Gateway",
    "ecr.api": "Interface",
    "ecr.dkr": "Interface",
    "secretsmanager": "Interface",
    "logs": "Interface",
}


def test_five_endpoints_of_the_architecture_guide_are_made() -> None:
    assert endpoints(built()) == S1_ENDPOINTS


def test_no_endpoint_is_made_where_none_is_asked_for() -> None:
    assert endpoints(built("network: {vpc_endpoints: false}")) == {}


def test_without_nat_gateways_the_services_that_tasks_and_rotations_call_get_endpoints_too() -> None:
    extra = dict.fromkeys(("ecs", "ssm", "sts", "bedrock-runtime"), "Interface")

    assert endpoints(built(WITHOUT_NAT)) == S1_ENDPOINTS | extra
    assert "xray" in endpoints(built(f"{WITHOUT_NAT}, observability: {{xray: true}}"))


@pytest.mark.parametrize(
    ("zones", "subnets"), [(1, ["PrivateSubnet1"]), (2, ["PrivateSubnet1", "PrivateSubnet2"])]
)
def test_interface_endpoints_lie_in_as_many_zones_as_asked_for_and_answer_under_the_services_name(
    zones: int, subnets: list[str]
) -> None:
    endpoint = properties(built(f"network: {{endpoint_zones: {zones}}}"), "SecretsmanagerEndpoint")

    assert endpoint["SubnetIds"] == [{"Ref": subnet} for subnet in subnets]
    assert endpoint["SecurityGroupIds"] == [{"Fn::GetAtt": ["EndpointSecurityGroup", "GroupId"]}]
    assert endpoint["PrivateDnsEnabled"] is True


def test_where_endpoints_are_the_only_way_out_they_let_this_accounts_identities_through_alone() -> None:
    found = resources(built(WITHOUT_NAT), "AWS::EC2::VPCEndpoint")
    policies = {name: entry["Properties"]["PolicyDocument"]["Statement"] for name, entry in found.items()}

    assert {statement["Sid"] for each in policies.values() for statement in each} == {
        "OwnAccount",
        "ImageLayers",
    }
    for own, *_ in policies.values():
        assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
    (layers,) = policies["S3Endpoint"][1:]
    assert (layers["Action"], layers["Resource"]) == (
        ["s3:GetObject"],
        [{"Fn::Sub": "arn:${AWS::Partition}:s3:::prod-us-east-1-starport-layer-bucket/*"}],
    )
    assert [name for name, each in policies.items() if each[1:]] == ["S3Endpoint"]


def test_with_another_way_out_endpoints_have_awss_own_policy() -> None:
    found = resources(built(), "AWS::EC2::VPCEndpoint")

    assert [entry for entry in found.values() if "PolicyDocument" in entry["Properties"]] == []


# Flow logs


def test_flow_logs_are_off_by_default_and_the_stack_then_imports_nothing() -> None:
    assert resources(built(), "AWS::EC2::FlowLog") == {}
    assert "Fn::ImportValue" not in str(template(built()))


def test_flow_logs_record_all_traffic_in_a_log_group_encrypted_with_the_environments_key() -> None:
    stack = built("network: {flow_logs: true}")
    group = only(stack, "AWS::Logs::LogGroup")

    assert group["Properties"]["KmsKeyId"] == {"Fn::ImportValue": "dev-litellm-security-KmsKeyArn"}
    assert group["Properties"]["RetentionInDays"] == 14
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Delete", "Delete")
    flow_log = properties(stack, "FlowLog")
    assert {key: flow_log[key] for key in ("ResourceId", "ResourceType", "TrafficType", "LogGroupName")} == {
        "ResourceId": {"Ref": "Vpc"},
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": {"Ref": "FlowLogGroup"},
    }


def test_flow_logs_are_written_with_a_role_for_their_own_group() -> None:
    role = properties(built("network: {flow_logs: true}"), "FlowLogRole")
    write, find = role["Policies"][0]["PolicyDocument"]["Statement"]

    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": "vpc-flow-logs.amazonaws.com"
    }
    assert write["Resource"] == [{"Fn::GetAtt": ["FlowLogGroup", "Arn"]}]
    assert find["Action"] == ["logs:DescribeLogGroups"]


# A VPC that is there already


def test_in_an_existing_vpc_only_security_groups_and_interface_endpoints_are_made() -> None:
    kinds = {entry["Type"] for entry in template(built(EXISTING))["Resources"].values()}

    assert kinds == {
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::VPCEndpoint",
    }
    assert "s3" not in endpoints(built(EXISTING))


def test_of_an_existing_vpc_it_is_not_concluded_that_it_has_no_nat_gateway() -> None:
    found = endpoints(built(EXISTING.replace("{existing_vpc", "{nat_gateways: 0, existing_vpc")))

    assert set(found) == {"ecr.api", "ecr.dkr", "secretsmanager", "logs"}


def test_the_ids_of_an_existing_vpc_are_exported_as_they_are() -> None:
    found = exports(built(EXISTING))

    assert {name: value for name, value in found.items() if "SecurityGroup" not in name} == {
        "dev-litellm-network-VpcId": "vpc-0123456789abcdef0",
        "dev-litellm-network-PublicSubnet1Id": "subnet-00000000000000001",
        "dev-litellm-network-PublicSubnet2Id": "subnet-00000000000000002",
        "dev-litellm-network-PrivateSubnet1Id": "subnet-00000000000000011",
        "dev-litellm-network-PrivateSubnet2Id": "subnet-00000000000000012",
    }
    assert properties(built(EXISTING), "RdsSecurityGroup")["VpcId"] == "vpc-0123456789abcdef0"


def test_a_nat_gateway_that_refuses_connections_is_told_of_by_the_environments_topic() -> None:
    two = "network: {nat_gateways: 2}"
    found = {name: one["Properties"] for name, one in resources(built(two), ALARM).items()}
    settings = parse_settings(f"{{system: litellm, environment: dev, {two}}}", Path("dev.yaml"))
    topic = properties(security.build(settings), "AlarmTopic")["TopicName"]

    assert [one["Dimensions"] for one in found.values()] == [
        [{"Name": "NatGatewayId", "Value": {"Ref": f"NatGateway{number}"}}] for number in (1, 2)
    ]
    assert {(one["Namespace"], one["MetricName"], one["Threshold"]) for one in found.values()} == {
        ("AWS/NATGateway", "ErrorPortAllocation", 0)
    }
    for one in found.values():
        (action,) = one["AlarmActions"]
        assert action["Fn::Sub"].endswith(f":sns:${{AWS::Region}}:${{AWS::AccountId}}:{topic}")


@pytest.mark.parametrize("where", [EXISTING, CLOSED])
def test_without_a_gateway_of_its_own_a_network_has_no_alarm(where: str) -> None:
    assert resources(built(where), ALARM) == {}
