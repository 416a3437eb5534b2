"""What drift detection reads of real resources: in sync when made, different when changed, set back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from sandbox.cloudformation.differences import differences
from sandbox.provisioning import Gone
from sandbox.resources.live import READERS
from tests.sandbox.provision_world import World

ACCOUNTS = count(700_000_000_001)
OPEN = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8", "Description": "web"}


@dataclass(frozen=True)
class Case:
    """A type: its properties, a change by hand, the paths that differ then, and how to delete it by hand."""

    type: str
    properties: Callable[[World], Mapping[str, Any]]
    change: Callable[[World, str], Any]
    paths: list[str]
    delete: Callable[[World, str], Any]


CASES = [
    Case(
        "SSM::Parameter",
        lambda _: {"Name": "/a", "Type": "String", "Value": "1"},
        lambda w, _: w.api("ssm").put_parameter(Name="/a", Value="2", Overwrite=True),
        ["/Value"],
        lambda w, _: w.api("ssm").delete_parameter(Name="/a"),
    ),
    Case(
        "SecretsManager::Secret",
        lambda _: {"Name": "s", "Description": "one", "SecretString": "hush"},
        lambda w, id_: w.api("secretsmanager").update_secret(SecretId=id_, Description="two"),
        ["/Description"],
        lambda w, id_: w.api("secretsmanager").delete_secret(SecretId=id_, ForceDeleteWithoutRecovery=True),
    ),
    Case(
        "Logs::LogGroup",
        lambda _: {"LogGroupName": "/l", "RetentionInDays": 30},
        lambda w, id_: w.api("logs").put_retention_policy(logGroupName=id_, retentionInDays=3),
        ["/RetentionInDays"],
        lambda w, id_: w.api("logs").delete_log_group(logGroupName=id_),
    ),
    Case(
        "EC2::SecurityGroup",
        lambda w: {"GroupDescription": "g", "VpcId": w.vpc, "SecurityGroupIngress": [WEB]},
        lambda w, id_: w.api("ec2").authorize_security_group_ingress(GroupId=id_, IpPermissions=OPEN),
        ["/SecurityGroupIngress/1"],
        lambda w, id_: w.api("ec2").delete_security_group(GroupId=id_),
    ),
    Case(
        "S3::Bucket",
        lambda w: {
            "BucketName": f"bucket-{w.account}",
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        lambda w, id_: w.api("s3").put_bucket_versioning(
            Bucket=id_, VersioningConfiguration={"Status": "Suspended"}
        ),
        ["/VersioningConfiguration/Status"],
        lambda w, id_: w.api("s3").delete_bucket(Bucket=id_),
    ),
    Case(
        "ElasticLoadBalancingV2::TargetGroup",
        lambda w: {
            "Name": "t",
            "VpcId": w.vpc,
            "Port": 80,
            "Protocol": "HTTP",
            "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        },
        lambda w, id_: w.api("elbv2").modify_target_group_attributes(
            TargetGroupArn=id_, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "9"}]
        ),
        ["/TargetGroupAttributes/0/Value"],
        lambda w, id_: w.api("elbv2").delete_target_group(TargetGroupArn=id_),
    ),
    Case(
        "CloudWatch::Alarm",
        lambda _: {
            "AlarmName": "a",
            "MetricName": "m",
            "Namespace": "n",
            "Period": 60,
            "Statistic": "Sum",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 5,
        },
        lambda w, _: w.api("cloudwatch").put_metric_alarm(
            AlarmName="a",
            MetricName="m",
            Namespace="n",
            Period=60,
            Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=50.0,
        ),
        ["/Threshold"],
        lambda w, _: w.api("cloudwatch").delete_alarms(AlarmNames=["a"]),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_a_resource_is_read_compared_set_back_and_missed(case: Case) -> None:
    world = World(str(next(ACCOUNTS)))
    request = world.request(case.type, case.properties(world))
    made = world.provisioner.create(request)

    def paths() -> list[str]:
        actual = world.provisioner.read(request, made)
        assert actual is not None
        return [each.path for each in differences(request.properties, actual)]

    assert paths() == []
    case.change(world, made.physical_id)
    assert paths() == case.paths

    actual = world.provisioner.read(request, made)
    world.provisioner.update(request, {**request.properties, **(actual or {})}, made)
    assert paths() == []

    case.delete(world, made.physical_id)
    with pytest.raises(Gone):
        world.provisioner.read(request, made)


def test_a_type_without_a_reader_is_not_read() -> None:
    world = World(str(next(ACCOUNTS)))
    request = world.request("SNS::Topic", {})
    made = world.provisioner.create(request)

    assert world.provisioner.read(request, made) is None
    assert "AWS::SNS::Topic" not in READERS
