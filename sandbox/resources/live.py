"""
The actual state of resources, for drift detection: by type, the properties that moto can report.

A reader returns values in the template's form, for properties that CloudFormation also compares. For a
deleted resource the service raises its NotFound, or the reader `Gone`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.provisioning import Gone, Provisioned
from sandbox.resources.handler import Call
from sandbox.resources.security_groups import permission

Json = Any
Reader = Callable[[Call, Provisioned], Mapping[str, Json]]


def _parameter(call: Call, current: Provisioned) -> Mapping[str, Json]:
    found = call.ask("ssm", "get_parameter", Name=current.physical_id)["Parameter"]
    return {"Value": found["Value"], "Type": found["Type"]}


def _secret(call: Call, current: Provisioned) -> Mapping[str, Json]:
    """Return all but the value: CloudFormation treats it as write-only."""
    found = call.ask("secretsmanager", "describe_secret", SecretId=current.physical_id)
    if "DeletedDate" in found:
        raise Gone(current.physical_id)
    return {name: found.get(name) for name in ("Description", "KmsKeyId", "Name")}


def _log_group(call: Call, current: Provisioned) -> Mapping[str, Json]:
    groups = call.ask("logs", "describe_log_groups", logGroupNamePrefix=current.physical_id)["logGroups"]
    found = _only(groups, "logGroupName", current.physical_id)
    return {"RetentionInDays": found.get("retentionInDays")}


def _security_group(call: Call, current: Provisioned) -> Mapping[str, Json]:
    """Return rules in the template's spelling if they are equivalent, else in EC2's."""
    found = call.ask("ec2", "describe_security_groups", GroupIds=[current.physical_id])["SecurityGroups"][0]
    sides = {
        "SecurityGroupIngress": ("IpPermissions", "Source"),
        "SecurityGroupEgress": ("IpPermissionsEgress", "Destination"),
    }
    return {
        name: _rules(call.properties[name], found[side], peer)
        for name, (side, peer) in sides.items()
        if call.properties.get(name)
    }


def _rules(given: list[Mapping[str, Json]], there: list[Mapping[str, Json]], peer: str) -> list[Json]:
    found: list[Json] = []
    for one in [single for each in there for single in _single(each, peer)]:
        same = [rule for rule in given if _single(permission(rule), peer) == [one]]
        found.append(same[0] if same else one)
    return found


def _single(each: Mapping[str, Json], peer: str) -> list[dict[str, Json]]:
    """Return one rule of CloudFormation's for every peer of an IpPermission."""
    ports = {name: each[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in each}
    if ports["IpProtocol"] == "-1":
        ports = {"IpProtocol": "-1"}
    peers = (
        ("IpRanges", "CidrIp", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId", f"{peer}PrefixListId"),
        ("UserIdGroupPairs", "GroupId", f"{peer}SecurityGroupId"),
    )
    return [
        {**ports, name: other[word], **_described(other)}
        for side, word, name in peers
        for other in each.get(side, ())
        if word in other
    ]


def _described(peer: Mapping[str, Json]) -> dict[str, Json]:
    return {"Description": peer["Description"]} if peer.get("Description") else {}


def _bucket(call: Call, current: Provisioned) -> Mapping[str, Json]:
    call.ask("s3", "head_bucket", Bucket=current.physical_id)
    versions = call.ask("s3", "get_bucket_versioning", Bucket=current.physical_id)
    return {"VersioningConfiguration": {"Status": versions.get("Status", "Suspended")}}


def _service(call: Call, current: Provisioned) -> Mapping[str, Json]:
    cluster = call.properties.get("Cluster", "default")
    found = call.ask("ecs", "describe_services", cluster=cluster, services=[current.physical_id])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise Gone(current.physical_id)
    return {"DesiredCount": found[0]["desiredCount"], "TaskDefinition": found[0]["taskDefinition"]}


def _balancer(call: Call, current: Provisioned) -> Mapping[str, Json]:
    arn = current.physical_id
    found = call.ask("elbv2", "describe_load_balancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    held = call.ask("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
    groups = {"SecurityGroups": found["SecurityGroups"]} if found.get("SecurityGroups") else {}
    return {"LoadBalancerAttributes": _named(call, "LoadBalancerAttributes", held), **groups}


def _target_group(call: Call, current: Provisioned) -> Mapping[str, Json]:
    arn = current.physical_id
    found = call.ask("elbv2", "describe_target_groups", TargetGroupArns=[arn])["TargetGroups"][0]
    held = call.ask("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"]
    health = ("HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds")
    counts = ("HealthyThresholdCount", "UnhealthyThresholdCount")
    told = {name: found[name] for name in (*health, *counts) if name in found}
    return {"TargetGroupAttributes": _named(call, "TargetGroupAttributes", held), **told}


def _rule(call: Call, current: Provisioned) -> Mapping[str, Json]:
    """
    Return a rule that forwards to a single group in the template's form.

    Sign-in actions are left out: their secret is write-only.
    """
    actions = call.ask("elbv2", "describe_rules", RuleArns=[current.physical_id])["Rules"][0]["Actions"]
    told = ("Type", "TargetGroupArn", "ForwardConfig")
    found = [{name: one[name] for name in told if name in one} for one in actions]
    for there, given in zip(found, call.properties["Actions"], strict=False):
        unread = ("Order", "AuthenticateOidcConfig")
        there |= {name: given[name] for name in unread if name in given and there["Type"] == given["Type"]}
    return {"Actions": found}


def _named(call: Call, property_: str, held: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return those attributes that the template sets: the rest are AWS's defaults."""
    keys = [each["Key"] for each in call.properties.get(property_, [])]
    return [{"Key": each["Key"], "Value": each["Value"]} for each in held if each["Key"] in keys]


def _alarm(call: Call, current: Provisioned) -> Mapping[str, Json]:
    alarms = call.ask("cloudwatch", "describe_alarms", AlarmNames=[current.physical_id])["MetricAlarms"]
    found = _only(alarms, "AlarmName", current.physical_id)
    names = ("Threshold", "EvaluationPeriods", "ActionsEnabled", "AlarmActions")
    told = {name: found[name] for name in names if name in found}
    if isinstance(told.get("Threshold"), float) and told["Threshold"].is_integer():
        told["Threshold"] = int(told["Threshold"])
    return told


def _database(call: Call, current: Provisioned) -> Mapping[str, Json]:
    """Return numbers in the template's form: its type accepts them as text, too."""
    name = current.physical_id
    found = call.ask("rds", "describe_db_instances", DBInstanceIdentifier=name)["DBInstances"][0]
    given = call.properties
    told = {name: found[name] for name in _OF_INSTANCES if name in found}
    return {name: str(value) if isinstance(given.get(name), str) else value for name, value in told.items()}


def _cluster(call: Call, current: Provisioned) -> Mapping[str, Json]:
    name = current.physical_id
    found = call.ask("rds", "describe_db_clusters", DBClusterIdentifier=name)["DBClusters"][0]
    return {"EngineVersion": found["EngineVersion"]}


def _only(found: list[Json], key: str, name: str) -> Json:
    mine = [one for one in found if one[key] == name]
    if not mine:
        raise Gone(name)
    return mine[0]


_OF_INSTANCES = ("AllocatedStorage", "MaxAllocatedStorage", "EngineVersion", "DBInstanceClass", "MultiAZ")

READERS: Mapping[str, Reader] = {
    "AWS::SSM::Parameter": _parameter,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::ECS::Service": _service,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _rule,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::RDS::DBInstance": _database,
    "AWS::RDS::DBCluster": _cluster,
}
"""The types that are checked; others cannot be read, as with types that AWS does not support."""


def read(call: Call, current: Provisioned) -> Mapping[str, Json] | None:
    """Return the live values of the properties that the template gives; None for a type without a reader."""
    reader = READERS.get(call.request.type)
    if reader is None:
        return None
    found = reader(call, current)
    return {name: value for name, value in found.items() if name in call.properties}
