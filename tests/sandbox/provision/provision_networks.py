"""Rows of the provisioning table: networks, security groups, load balancing and what stands before it."""

from collections.abc import Callable
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.services.hosted_zones import EXAMPLE
from tests.sandbox.provision.provision_case import ARN, Case, first, tags_of
from tests.sandbox.provision_world import World

SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def ec2(operation: str, of: str, ids: str, *names: str) -> Callable[[World, Provisioned], Any]:
    def read(world: World, made: Provisioned) -> Any:
        found = first(world, "ec2", f"describe_{operation}", of, **{ids: [made.physical_id]})
        return found.get("State") != "deleted" and (tags_of(found["Tags"]), *[found[name] for name in names])

    return read


def rule_read(world: World, made: Provisioned) -> Any:
    rules = world.api("ec2").describe_security_group_rules(SecurityGroupRuleIds=[made.physical_id])
    rule = rules["SecurityGroupRules"][0]
    direction = "outbound" if rule["IsEgress"] else "inbound"
    return direction, rule["FromPort"], rule["ReferencedGroupInfo"]["GroupId"].startswith("sg-")


def attribute_of(world: World, kind: str, made: Provisioned, key: str) -> str:
    arn = {f"{kind}Arn": made.physical_id}
    words = "load_balancer" if kind == "LoadBalancer" else "target_group"
    held = getattr(world.api("elbv2"), f"describe_{words}_attributes")(**arn)["Attributes"]
    return next(str(each["Value"]) for each in held if each["Key"] == key)


def balancer_read(world: World, made: Provisioned) -> Any:
    found = first(
        world, "elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[made.physical_id]
    )
    return (
        found["Scheme"],
        len(found["SecurityGroups"]),
        attribute_of(world, "LoadBalancer", made, "idle_timeout.timeout_seconds"),
    )


def targets_read(world: World, made: Provisioned) -> Any:
    found = first(
        world, "elbv2", "describe_target_groups", "TargetGroups", TargetGroupArns=[made.physical_id]
    )
    delay = attribute_of(world, "TargetGroup", made, "deregistration_delay.timeout_seconds")
    return found["Port"], found["HealthCheckPath"], found["HealthCheckTimeoutSeconds"], delay


def targets_properties(world: World, path: str, delay: str) -> dict[str, Any]:
    return {
        "VpcId": world.vpc,
        "Port": "4000",
        "Protocol": "HTTP",
        "TargetType": "ip",
        "HealthCheckPath": path,
        "HealthCheckTimeoutSeconds": 15,
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": delay}],
    }


def fixed(status: str) -> list[dict[str, Any]]:
    return [
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status, "ContentType": "text/plain"}}
    ]


def listener_read(world: World, made: Provisioned) -> Any:
    found = first(world, "elbv2", "describe_listeners", "Listeners", ListenerArns=[made.physical_id])
    return found["Port"], found["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"]


def listener_rule_read(world: World, made: Provisioned) -> Any:
    found = first(world, "elbv2", "describe_rules", "Rules", RuleArns=[made.physical_id])
    return found["Priority"], found["Conditions"][0]["PathPatternConfig"]["Values"]


def listener_rule(world: World, path: str, priority: int) -> dict[str, Any]:
    return {
        "ListenerArn": world.listener,
        "Priority": priority,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": world.targets}],
    }


def acl_read(world: World, made: Provisioned) -> Any:
    name, identity, scope = made.physical_id.split("|")
    found = world.api("wafv2").get_web_acl(Name=name, Id=identity, Scope=scope)["WebACL"]
    return [(rule["Name"], rule["Statement"]["RateBasedStatement"]["Limit"]) for rule in found["Rules"]]


def acl_properties(limit: int) -> dict[str, Any]:
    rate = {"RateBasedStatement": {"Limit": limit, "AggregateKeyType": "IP"}}
    rule = {
        "Name": "rate",
        "Priority": 1,
        "Action": {"Block": {}},
        "Statement": rate,
        "VisibilityConfig": SEEN,
    }
    return {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": SEEN, "Rules": [rule]}


def set_properties(addresses: str) -> dict[str, Any]:
    return {"Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": [addresses]}


def set_read(world: World, made: Provisioned) -> Any:
    name, identity, scope = made.physical_id.split("|")
    return world.api("wafv2").get_ip_set(Name=name, Id=identity, Scope=scope)["IPSet"]["Addresses"]


def log_properties(world: World, group: str) -> dict[str, Any]:
    world.make("Logs::LogGroup", LogGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    return {"ResourceArn": world.web_acl.attributes["Arn"], "LogDestinationConfigs": [arn]}


def log_read(world: World, made: Provisioned) -> Any:
    found = world.api("wafv2").get_logging_configuration(ResourceArn=made.physical_id)
    return found["LoggingConfiguration"]["LogDestinationConfigs"][0].rpartition(":")[2]


def acl_of(world: World, made: Provisioned) -> Any:
    return (
        world.api("wafv2").get_web_acl_for_resource(ResourceArn=made.physical_id.split("|")[0]).get("WebACL")
    )


def record_read(world: World, made: Provisioned) -> Any:
    records = world.api("route53").list_resource_record_sets(HostedZoneId=EXAMPLE[1])["ResourceRecordSets"]
    return next(each["AliasTarget"]["DNSName"] for each in records if each["Name"] == f"{made.physical_id}.")


def certificate_properties(zone: str) -> dict[str, Any]:
    option = {"DomainName": "llm.example.com", "HostedZoneId": zone}
    return {
        "DomainName": "llm.example.com",
        "ValidationMethod": "DNS",
        "DomainValidationOptions": [option],
    }


def record_properties(target: str) -> dict[str, Any]:
    alias = {"DNSName": target, "HostedZoneId": "Z35SXDOTRQ7X7K"}
    return {"HostedZoneId": EXAMPLE[1], "Name": "llm.example.com", "Type": "A", "AliasTarget": alias}


def group_read(world: World, made: Provisioned) -> Any:
    found = first(world, "ec2", "describe_security_groups", "SecurityGroups", GroupIds=[made.physical_id])
    inbound = [(each["FromPort"], each["IpRanges"][0]["CidrIp"]) for each in found["IpPermissions"]]
    return inbound, [each["IpProtocol"] for each in found["IpPermissionsEgress"]]


def group_properties(world: World, *ports: int) -> dict[str, Any]:
    rules = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"} for port in ports
    ]
    nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    given = {"SecurityGroupIngress": rules, "SecurityGroupEgress": [nothing]}
    return {"GroupDescription": "d", "VpcId": world.vpc, **given}


def route_read(world: World, made: Provisioned) -> Any:
    table = first(world, "ec2", "describe_route_tables", "RouteTables", RouteTableIds=[world.table])
    return next(each["GatewayId"] for each in table["Routes"] if each["DestinationCidrBlock"] == "0.0.0.0/0")[
        :4
    ]


def association_read(world: World, made: Provisioned) -> Any:
    table = first(world, "ec2", "describe_route_tables", "RouteTables", RouteTableIds=[world.table])
    ids = [each["RouteTableAssociationId"] for each in table["Associations"]]
    return "there" if made.physical_id in ids else None


def nat_read(world: World, made: Provisioned) -> Any:
    found = first(world, "ec2", "describe_nat_gateways", "NatGateways", NatGatewayIds=[made.physical_id])
    return found["State"] == "available" and tags_of(found["Tags"])


def nat_properties(world: World) -> dict[str, Any]:
    address = world.make("EC2::EIP", Domain="vpc").attributes["AllocationId"]
    return {"AllocationId": address, "SubnetId": world.subnets[0]}


def attached_read(world: World, made: Provisioned) -> Any:
    of_vpc = [{"Name": "attachment.vpc-id", "Values": [made.physical_id.split("|")[1]]}]
    return len(world.api("ec2").describe_internet_gateways(Filters=of_vpc)["InternetGateways"])


def attached_properties(world: World) -> dict[str, Any]:
    vpc = world.make("EC2::VPC", CidrBlock="10.9.0.0/16").physical_id
    return {"VpcId": vpc, "InternetGatewayId": world.make("EC2::InternetGateway").physical_id}


CASES: tuple[Case, ...] = (
    Case(
        "EC2::VPC",
        lambda w: {"CidrBlock": "10.7.0.0/16"},
        lambda w, m: w.api("ec2").describe_vpc_attribute(VpcId=m.physical_id, Attribute="enableDnsHostnames")[
            "EnableDnsHostnames"
        ],
        {"Value": False},
        "vpc-.+",
        {
            "VpcId": "vpc-.+",
            "CidrBlock": r"10\.7\.0\.0/16",
            "DefaultSecurityGroup": "sg-.+",
            "DefaultNetworkAcl": "acl-.+",
        },
        lambda w: {"CidrBlock": "10.7.0.0/16", "EnableDnsHostnames": "true"},
        {"Value": True},
    ),
    Case(
        "EC2::Subnet",
        lambda w: {"VpcId": w.vpc, "CidrBlock": "10.0.77.0/24", "AvailabilityZone": "us-east-1b"},
        ec2("subnets", "Subnets", "SubnetIds", "AvailabilityZone", "MapPublicIpOnLaunch"),
        ("gatestack", "us-east-1b", False),
        "subnet-.+",
        {"SubnetId": "subnet-.+", "VpcId": "vpc-.+", "AvailabilityZone": "us-east-1b"},
        lambda w: {
            "VpcId": w.vpc,
            "CidrBlock": "10.0.77.0/24",
            "AvailabilityZone": "us-east-1b",
            "MapPublicIpOnLaunch": True,
        },
        ("gatestack", "us-east-1b", True),
    ),
    Case(
        "EC2::InternetGateway",
        lambda w: {},
        ec2("internet_gateways", "InternetGateways", "InternetGatewayIds"),
        ("gatestack",),
        "igw-.+",
        {"InternetGatewayId": "igw-.+"},
    ),
    Case("EC2::VPCGatewayAttachment", attached_properties, attached_read, 1, r"IGW\|vpc-.+"),
    Case(
        "EC2::RouteTable",
        lambda w: {"VpcId": w.vpc},
        ec2("route_tables", "RouteTables", "RouteTableIds"),
        ("gatestack",),
        "rtb-.+",
        {"RouteTableId": "rtb-.+"},
    ),
    Case(
        "EC2::Route",
        lambda w: {"RouteTableId": w.table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": w.gateway},
        route_read,
        "igw-",
        r"rtb-.+\|0\.0\.0\.0/0",
        {"CidrBlock": r"0\.0\.0\.0/0"},
    ),
    Case(
        "EC2::SubnetRouteTableAssociation",
        lambda w: {"RouteTableId": w.table, "SubnetId": w.subnets[0]},
        association_read,
        "there",
        "rtbassoc-.+",
        {"Id": "rtbassoc-.+"},
    ),
    Case(
        "EC2::EIP",
        lambda w: {"Domain": "vpc"},
        lambda w, m: len(w.api("ec2").describe_addresses(PublicIps=[m.physical_id])["Addresses"]),
        1,
        r"\d+\.\d+\.\d+\.\d+",
        {"AllocationId": "eipalloc-.+", "PublicIp": r"\d+\..+"},
    ),
    Case("EC2::NatGateway", nat_properties, nat_read, "gatestack", "nat-.+", {"NatGatewayId": "nat-.+"}),
    Case(
        "EC2::SecurityGroup",
        lambda w: group_properties(w, 80, 443),
        group_read,
        ([(80, "10.0.0.0/8"), (443, "10.0.0.0/8")], ["icmp"]),
        "sg-.+",
        {"GroupId": "sg-.+", "VpcId": "vpc-.+"},
        lambda w: group_properties(w, 443, 8443),
        ([(443, "10.0.0.0/8"), (8443, "10.0.0.0/8")], ["icmp"]),
    ),
    Case(
        "EC2::SecurityGroupIngress",
        lambda w: {
            "GroupId": w.group,
            "IpProtocol": "tcp",
            "FromPort": 4000,
            "ToPort": 4000,
            "SourceSecurityGroupId": w.other_group,
            "Description": "from the balancer",
        },
        rule_read,
        ("inbound", 4000, True),
        "sgr-.+",
        {"Id": "sgr-.+"},
    ),
    Case(
        "EC2::SecurityGroupEgress",
        lambda w: {
            "GroupId": w.group,
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "DestinationSecurityGroupId": w.other_group,
        },
        rule_read,
        ("outbound", 5432, True),
        "sgr-.+",
        {"Id": "sgr-.+"},
    ),
    Case(
        "EC2::VPCEndpoint",
        lambda w: {
            "VpcId": w.vpc,
            "ServiceName": "com.amazonaws.us-east-1.secretsmanager",
            "VpcEndpointType": "Interface",
            "SubnetIds": w.subnets[:1],
            "SecurityGroupIds": [w.group],
            "PrivateDnsEnabled": True,
        },
        ec2("vpc_endpoints", "VpcEndpoints", "VpcEndpointIds", "VpcEndpointType"),
        ("gatestack", "Interface"),
        "vpce-.+",
        {"Id": "vpce-.+"},
        lambda w: {
            "VpcId": w.vpc,
            "ServiceName": "com.amazonaws.us-east-1.secretsmanager",
            "VpcEndpointType": "Interface",
            "SubnetIds": w.subnets,
            "SecurityGroupIds": [w.other_group],
            "PrivateDnsEnabled": True,
        },
        ("gatestack", "Interface"),
    ),
    Case(
        "EC2::FlowLog",
        lambda w: {
            "ResourceId": w.vpc,
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogGroupName": w.log_group,
            "DeliverLogsPermissionArn": w.role_arn,
        },
        ec2("flow_logs", "FlowLogs", "FlowLogIds", "TrafficType"),
        ("gatestack", "ALL"),
        "fl-.+",
        {"Id": "fl-.+"},
    ),
    Case(
        "ElasticLoadBalancingV2::LoadBalancer",
        lambda w: {
            "Name": "dev-alb",
            "Subnets": w.subnets,
            "SecurityGroups": [w.group],
            "Scheme": "internet-facing",
            "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}],
        },
        balancer_read,
        ("internet-facing", 1, "60"),
        ARN.format("elasticloadbalancing") + "loadbalancer/app/dev-alb/[0-9a-f]{16}",
        {
            "LoadBalancerArn": ARN.format("elasticloadbalancing") + "loadbalancer/app/dev-alb/.+",
            "LoadBalancerFullName": "app/dev-alb/[0-9a-f]{16}",
            "LoadBalancerName": "dev-alb",
            "DNSName": r"dev-alb-.+\.us-east-1\.elb\.amazonaws\.com",
            "CanonicalHostedZoneID": "Z[A-Z0-9]+",
        },
        lambda w: {
            "Name": "dev-alb",
            "Subnets": w.subnets,
            "SecurityGroups": [w.group, w.other_group],
            "Scheme": "internet-facing",
            "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "600"}],
        },
        ("internet-facing", 2, "600"),
    ),
    Case(
        "ElasticLoadBalancingV2::TargetGroup",
        lambda w: targets_properties(w, "/health", "300"),
        targets_read,
        (4000, "/health", 15, "300"),
        ARN.format("elasticloadbalancing") + "targetgroup/.{1,32}/[0-9a-f]{16}",
        {"TargetGroupFullName": "targetgroup/.+/[0-9a-f]{16}", "TargetGroupName": ".{1,32}"},
        lambda w: targets_properties(w, "/health/liveliness", "120"),
        (4000, "/health/liveliness", 15, "120"),
    ),
    Case(
        "ElasticLoadBalancingV2::Listener",
        lambda w: {
            "LoadBalancerArn": w.balancer.physical_id,
            "Port": "80",
            "Protocol": "HTTP",
            "DefaultActions": fixed("404"),
        },
        listener_read,
        (80, "404"),
        ARN.format("elasticloadbalancing") + "listener/app/world/.+",
        {"ListenerArn": ARN.format("elasticloadbalancing") + "listener/app/world/.+"},
        lambda w: {
            "LoadBalancerArn": w.balancer.physical_id,
            "Port": "80",
            "Protocol": "HTTP",
            "DefaultActions": fixed("503"),
        },
        (80, "503"),
    ),
    Case(
        "ElasticLoadBalancingV2::ListenerRule",
        lambda w: listener_rule(w, "/v1/*", 10),
        listener_rule_read,
        ("10", ["/v1/*"]),
        ARN.format("elasticloadbalancing") + "listener-rule/app/world/.+",
        {"RuleArn": ARN.format("elasticloadbalancing") + ".+", "IsDefault": "False"},
        lambda w: listener_rule(w, "/v2/*", 20),
        ("20", ["/v2/*"]),
    ),
    Case(
        "CertificateManager::Certificate",
        lambda w: certificate_properties(EXAMPLE[1]),
        lambda w, m: w.api("acm").describe_certificate(CertificateArn=m.physical_id)["Certificate"][
            "DomainName"
        ],
        "llm.example.com",
        ARN.format("acm") + "certificate/.+",
        {"CertificateArn": ARN.format("acm") + "certificate/.+"},
    ),
    Case(
        "WAFv2::WebACL",
        lambda w: acl_properties(2000),
        acl_read,
        [("rate", 2000)],
        r"dev-litellm-test-Thing-\w+\|[0-9a-f-]{36}\|REGIONAL",
        {"Arn": ARN.format("wafv2") + "regional/webacl/.+", "LabelNamespace": r"awswaf:\d+:webacl:.+:"},
        lambda w: acl_properties(500),
        [("rate", 500)],
    ),
    Case(
        "WAFv2::IPSet",
        lambda w: set_properties("192.0.2.0/24"),
        set_read,
        ["192.0.2.0/24"],
        r"dev-litellm-test-Thing-\w+\|[0-9a-f-]{36}\|REGIONAL",
        {"Arn": ARN.format("wafv2") + "regional/ipset/.+"},
        lambda w: set_properties("198.51.100.0/24"),
        ["198.51.100.0/24"],
    ),
    Case(
        "WAFv2::LoggingConfiguration",
        lambda w: log_properties(w, "aws-waf-logs-one"),
        log_read,
        "aws-waf-logs-one",
        r"arn:.+webacl/.+",
        {},
        lambda w: log_properties(w, "aws-waf-logs-two"),
        "aws-waf-logs-two",
    ),
    Case(
        "WAFv2::WebACLAssociation",
        lambda w: {"ResourceArn": w.balancer.physical_id, "WebACLArn": w.web_acl.attributes["Arn"]},
        lambda w, m: acl_of(w, m) and "protected",
        "protected",
        r"arn:.+loadbalancer/.+\|arn:.+webacl/.+",
    ),
    Case(
        "Route53::RecordSet",
        lambda w: record_properties("one.example.com"),
        record_read,
        "one.example.com",
        r"llm\.example\.com",
        {},
        lambda w: record_properties("two.example.com"),
        "two.example.com",
    ),
)
