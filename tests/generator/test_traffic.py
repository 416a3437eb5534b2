"""Who may talk to whom, out of templates: pointers across stacks, rules of all kinds, who wears a group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generator.diagram import security
from generator.manifest import Manifest, Migration, StackSpec
from generator.references import References, Target
from generator.render import render
from generator.traffic import Flow, Peer, Rule, Wearer, traffic
from stacks.environment import load
from tests.command import User
from tests.rewrite_golden import environment_files

Template = dict[str, Any]


def environment(**stacks: Template) -> Manifest:
    """An environment of these templates."""
    specs = tuple(
        StackSpec(name, f"dev-demo-{name}", json.dumps({"Resources": {}} | template))
        for name, template in stacks.items()
    )
    return Manifest("dev", "demo", "eu-west-1", None, production=False, stacks=specs)


def group(description: str = "A group", **properties: Any) -> dict[str, Any]:
    """A security group that lets nothing out, unless *properties* say so."""
    nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    said = {"GroupDescription": description, "SecurityGroupEgress": [nothing]} | properties
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": said}


def exported(stack: str, name: str, value: Any) -> dict[str, Any]:
    return {name: {"Value": value, "Export": {"Name": f"dev-demo-{stack}-{name}"}}}


def group_id(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "GroupId"]}


def only_rule(**rule: Any) -> Rule:
    """The rule that a group gets from this entry of its list."""
    found = traffic(environment(network={"Resources": {"Group": group(SecurityGroupIngress=[rule])}}))
    (one,) = found.of("network/Group", "in")
    return one


# --- where pointers end ----------------------------------------------------------------------------

CASES: list[tuple[Any, Target | str]] = [
    ("10.0.0.0/16", "10.0.0.0/16"),
    (5432, "5432"),
    ({"Ref": "Vpc"}, Target("network", "Vpc")),
    ({"Ref": "Version"}, "15.15"),
    ({"Ref": "AWS::Region"}, "eu-west-1"),
    ({"Ref": "AWS::AccountId"}, "${AWS::AccountId}"),
    ({"Fn::GetAtt": ["Vpc", "CidrBlock"]}, Target("network", "Vpc", "CidrBlock")),
    ({"Fn::GetAtt": "Vpc.CidrBlock"}, Target("network", "Vpc", "CidrBlock")),
    ({"Fn::ImportValue": "dev-demo-other-Thing"}, Target("other", "Thing", "Arn")),
    ({"Fn::ImportValue": "somebody-elses"}, "somebody-elses"),
    ({"Fn::If": ["None", 0, {"Ref": "Version"}]}, "15.15"),
    ({"Fn::If": ["Some", {"Ref": "Vpc"}, 0]}, Target("network", "Vpc")),
    ({"Fn::If": ["Unknown", 1, 2]}, "2"),
    ({"Fn::Sub": "${Vpc}:${Vpc.CidrBlock}:${Version}:${!Literal}"}, "Vpc:Vpc:15.15:${!Literal}"),
    ({"Fn::Sub": ["${It}/x", {"It": {"Ref": "Version"}}]}, "15.15/x"),
    ({"Fn::Join": ["/", ["service", {"Ref": "Vpc"}]]}, "service/Vpc"),
    ({"Fn::Cidr": ["10.0.0.0/16", 2]}, '{"Fn::Cidr": ["10.0.0.0/16", 2]}'),
]


@pytest.mark.parametrize(("value", "end"), CASES, ids=lambda value: str(value)[:60])
def test_a_property_is_followed_to_where_it_ends(value: Any, end: Target | str) -> None:
    network: Template = {
        "Parameters": {"Version": {"Type": "String", "Default": "15.15"}},
        "Conditions": {
            "None": {"Fn::Equals": [{"Ref": "Version"}, "0"]},
            "Some": {"Fn::Equals": [{"Ref": "Version"}, "15.15"]},
        },
        "Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}},
    }
    other = {
        "Resources": {"Thing": {"Type": "AWS::SQS::Queue"}},
        "Outputs": exported("other", "Thing", {"Fn::GetAtt": ["Thing", "Arn"]}),
    }

    assert References(environment(network=network, other=other)).follow("network", value) == end


def test_pointers_are_found_however_deep_they_are() -> None:
    template = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}, "Table": {"Type": "AWS::EC2::RouteTable"}}}
    value = {"a": [{"b": {"Ref": "Vpc"}}, {"Fn::Join": ["", ["x", {"Fn::GetAtt": ["Table", "Id"]}]]}]}

    found = References(environment(network=template)).pointers("network", value)

    assert list(found) == [Target("network", "Vpc"), Target("network", "Table", "Id")]


# --- rules -----------------------------------------------------------------------------------------

PORTS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
RULES: list[tuple[dict[str, Any], tuple[str, str, Peer]]] = [
    ({**PORTS, "CidrIp": "0.0.0.0/0"}, ("TCP", "443", Peer("cidr", "0.0.0.0/0"))),
    ({**PORTS, "CidrIpv6": "::/0"}, ("TCP", "443", Peer("cidr", "::/0"))),
    ({**PORTS, "SourcePrefixListId": "pl-1"}, ("TCP", "443", Peer("prefix list", "pl-1"))),
    ({**PORTS, "SourceSecurityGroupId": "sg-1"}, ("TCP", "443", Peer("group", "sg-1"))),
    (
        {**PORTS, "SourceSecurityGroupId": group_id("Group")},
        ("TCP", "443", Peer("group", "network/Group")),
    ),
    (
        {"IpProtocol": "17", "FromPort": 1024, "ToPort": 65535, "CidrIp": "10.0.0.0/8"},
        ("UDP", "1024-65535", Peer("cidr", "10.0.0.0/8")),
    ),
    ({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, ("all", "all", Peer("cidr", "0.0.0.0/0"))),
    (
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIp": "10.0.0.0/8"},
        ("ICMP", "type 8", Peer("cidr", "10.0.0.0/8")),
    ),
    (
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "10.0.0.0/8"},
        ("ICMP", "all", Peer("cidr", "10.0.0.0/8")),
    ),
]


@pytest.mark.parametrize(("entry", "read"), RULES, ids=lambda value: str(value)[:70])
def test_a_rule_of_each_kind_is_read(entry: dict[str, Any], read: tuple[str, str, Peer]) -> None:
    rule = only_rule(**entry, Description="why")

    assert (rule.protocol, rule.ports, rule.peer) == read
    assert (rule.group, rule.direction, rule.description) == ("network/Group", "in", "why")


def test_a_group_that_says_nothing_of_its_way_out_lets_everything_out() -> None:
    """Source: CloudFormation Template Reference, "AWS::EC2::SecurityGroup": EC2's default stays."""
    silent = group()
    del silent["Properties"]["SecurityGroupEgress"]

    found = traffic(environment(network={"Resources": {"Silent": silent}}))

    (rule,) = found.of("network/Silent", "out")
    assert (rule.service, rule.peer) == ("all", Peer("cidr", "0.0.0.0/0"))


def test_a_rule_to_the_broadcast_address_lets_nothing_pass() -> None:
    found = traffic(environment(network={"Resources": {"Closed": group()}}))

    assert [rule.matches_nothing for rule in found.rules] == [True]
    assert found.of("network/Closed", "out") == ()


def ends(**more: Any) -> Template:
    """Two groups with one rule at each end, from another stack, by what the first exports."""
    front, back = ({"Fn::ImportValue": f"dev-demo-network-{name}"} for name in ("Front", "Back"))
    out = {"GroupId": front, "DestinationSecurityGroupId": back, **PORTS}
    into = {"GroupId": back, "SourceSecurityGroupId": front, **PORTS, **more}
    return {
        "Resources": {
            "Out": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": out},
            "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": into},
        }
    }


def two_groups() -> Template:
    outputs = exported("network", "Front", group_id("FrontGroup")) | exported(
        "network", "Back", group_id("BackGroup")
    )
    return {"Resources": {"FrontGroup": group(), "BackGroup": group()}, "Outputs": outputs}


def test_rules_of_other_stacks_belong_to_the_group_that_they_point_to() -> None:
    found = traffic(environment(network=two_groups(), rules=ends()))

    assert [rule.peer.value for rule in found.of("network/FrontGroup", "out")] == ["network/BackGroup"]
    assert [rule.peer.value for rule in found.of("network/BackGroup", "in")] == ["network/FrontGroup"]
    assert found.flows == (Flow("network/FrontGroup", "network/BackGroup", "TCP", "443"),)


def test_what_one_end_alone_allows_does_not_pass() -> None:
    found = traffic(environment(network=two_groups(), rules=ends(FromPort=80, ToPort=80)))

    assert found.flows == ()


# --- who wears a group -----------------------------------------------------------------------------

WORN: list[tuple[str, str, dict[str, Any]]] = [
    ("load balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", {"SecurityGroups": ["GROUP"]}),
    (
        "service",
        "AWS::ECS::Service",
        {"NetworkConfiguration": {"AwsvpcConfiguration": {"SecurityGroups": ["GROUP"]}}},
    ),
    ("function", "AWS::Lambda::Function", {"VpcConfig": {"SecurityGroupIds": ["GROUP"]}}),
    ("database", "AWS::RDS::DBInstance", {"VPCSecurityGroups": ["GROUP"]}),
    ("database", "AWS::RDS::DBCluster", {"VpcSecurityGroupIds": ["GROUP"]}),
    ("cache", "AWS::ElastiCache::ReplicationGroup", {"SecurityGroupIds": ["GROUP"]}),
    ("endpoint", "AWS::EC2::VPCEndpoint", {"SecurityGroupIds": ["GROUP"]}),
]


@pytest.mark.parametrize(("role", "kind", "properties"), WORN, ids=[kind for _, kind, _ in WORN])
def test_who_wears_a_group_is_known_by_its_properties_not_by_its_name(
    role: str, kind: str, properties: dict[str, Any]
) -> None:
    pointing = json.loads(
        json.dumps(properties).replace('"GROUP"', '{"Fn::ImportValue": "dev-demo-network-Front"}')
    )
    other = {"Resources": {"Nameless": {"Type": kind, "Properties": pointing}}}

    found = traffic(environment(network=two_groups(), other=other))

    worn = {one.key: one.worn_by for one in found.groups}
    assert [(one.role, one.key) for one in worn["network/FrontGroup"]] == [(role, "other/Nameless")]
    assert worn["network/BackGroup"] == ()


def test_the_task_that_the_deployer_starts_wears_the_groups_that_its_metadata_names() -> None:
    task = {
        "Resources": {"MigrationTask": {"Type": "AWS::ECS::TaskDefinition"}},
        "Outputs": exported("database", "Task", {"Ref": "MigrationTask"}),
    }
    manifest = environment(network=two_groups(), database=task)
    migration = Migration(
        **dict.fromkeys(("cluster", "container", "image", "log_group"), ""),
        definition_export="dev-demo-database-Task",
        subnet_exports=(),
        security_group_exports=("dev-demo-network-Front",),
    )
    last = manifest.stacks[-1]
    stacks = (
        *manifest.stacks[:-1],
        StackSpec(last.name, last.stack_name, last.template, migration=migration),
    )

    found = traffic(Manifest("dev", "demo", "eu-west-1", None, production=False, stacks=stacks))

    worn = {one.key: one.worn_by for one in found.groups}
    assert worn["network/FrontGroup"] == (Wearer("task", "database", "MigrationTask"),)


@pytest.mark.parametrize("path", environment_files(), ids=lambda path: path.stem)
def test_every_rule_of_a_shipped_environment_is_there_once(path: Path) -> None:
    manifest = render(load(path))
    written = 0
    for stack in manifest.stacks:
        for entry in json.loads(stack.template)["Resources"].values():
            properties = entry.get("Properties", {})
            if entry["Type"] == "AWS::EC2::SecurityGroup":
                written += len(properties.get("SecurityGroupIngress", ())) + len(
                    properties["SecurityGroupEgress"]
                )
            written += entry["Type"] in {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}

    found = traffic(manifest)

    assert len(found.rules) == written > 5
    assert {rule.group for rule in found.rules} == {one.key for one in found.groups}


@pytest.mark.parametrize("path", environment_files(), ids=lambda path: path.stem)
def test_what_a_rule_lets_out_to_a_group_that_group_lets_in(path: Path) -> None:
    """A half of a connection that has no other half is a mistake in the templates."""
    found = traffic(render(load(path)))
    between = [rule for rule in found.rules if rule.peer.kind == "group"]

    assert len(between) == 2 * len(found.flows) > 0


# --- the table -------------------------------------------------------------------------------------


def test_the_table_is_markdown_by_group_inbound_first(user: User) -> None:
    out = user.run("graph", "dev", "--format", "security").out

    worn, rules = (table.splitlines() for table in out.strip().split("\n\n"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rules]
    assert cells[0] == ["security group", "direction", "protocol", "ports", "peer", "description"]
    assert set(rules[1]) == {"|", "-"}
    assert {len(line) for line in worn} == {len(worn[0])}
    assert ["network/RdsSecurityGroup", "out", "nothing", "", "", ""] in cells
    assert [cell[1] for cell in cells if cell[0] == "network/EcsSecurityGroup"] == ["in", "in", "out", "out"]
    assert any("network/EcsSecurityGroup" in line and "service/Service" in line for line in worn)


def test_a_description_cannot_break_the_table() -> None:
    found = traffic(environment(network={"Resources": {"Group": group("a | b")}}))

    assert "a \\| b" in security(found)


def test_a_folder_whose_templates_cannot_be_drawn_is_refused_in_words(user: User) -> None:
    assert user.run("generate", "dev", "--out", "broken").code == 0
    file = user.folder / "broken" / "service.json"
    template = json.loads(file.read_text())
    template["Resources"]["ProxyTask"]["Properties"]["Cpu"] = {"Nonsense": 1}
    file.write_text(json.dumps(template))

    done = user.run("graph", "broken", "--format", "svg")

    assert done.code == 2
    assert "broken: its templates cannot be drawn" in done.err
    assert "Traceback" not in done.err
