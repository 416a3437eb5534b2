"""Monitoring: CloudWatch alarms and dashboards, log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler


def _create_alarm(call: Call) -> Provisioned:
    name = call.name("AlarmName", 255)
    if call.ask("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"]:
        raise call.already_exists(name)
    call.apply("cloudwatch", "put_metric_alarm", AlarmName=name, Tags=call.tags or None)
    return Provisioned(name, {"Arn": call.arn("cloudwatch", f"alarm:{name}")})


def _update_alarm(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if {**old, "Tags": None} != {**call.properties, "Tags": None}:
        call.apply("cloudwatch", "put_metric_alarm", AlarmName=current.physical_id, Tags=call.tags or None)
    call.retag("cloudwatch", "tag_resource", "untag_resource", ResourceARN=current.attributes["Arn"])
    return current


def _delete_alarm(call: Call, current: Provisioned) -> None:
    call.ask("cloudwatch", "delete_alarms", AlarmNames=[current.physical_id])


def _create_dashboard(call: Call) -> Provisioned:
    name = call.name("DashboardName", 255)
    call.apply("cloudwatch", "put_dashboard", DashboardName=name)
    return Provisioned(name)


def _update_dashboard(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    call.apply("cloudwatch", "put_dashboard", DashboardName=current.physical_id)
    return current


def _delete_dashboard(call: Call, current: Provisioned) -> None:
    call.ask("cloudwatch", "delete_dashboards", DashboardNames=[current.physical_id])


def _create_group(call: Call) -> Provisioned:
    name = call.name("LogGroupName", 512)
    require.key(call, call.properties.get("KmsKeyId"))
    call.apply("logs", "create_log_group", logGroupName=name, tags=call.tags or None)
    begun = call.begin(name, Arn=call.arn("logs", f"log-group:{name}:*"))
    _retain(call, name)
    return begun


def _adopt_group(call: Call, name: str) -> Provisioned:
    groups = call.ask("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    if name not in {each["logGroupName"] for each in groups}:
        raise call.not_found("LogGroup", name)
    return Provisioned(name, {"Arn": call.arn("logs", f"log-group:{name}:*")})


def _retain(call: Call, name: str) -> None:
    days = call.properties.get("RetentionInDays")
    operation = "put_retention_policy" if days else "delete_retention_policy"
    call.ask("logs", operation, logGroupName=name, retentionInDays=days)


def _update_group(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    name = current.physical_id
    if call.changed(old, "RetentionInDays"):
        _retain(call, name)
    if call.changed(old, "KmsKeyId"):
        key = call.properties.get("KmsKeyId")
        require.key(call, key)
        # moto has neither AssociateKmsKey nor DisassociateKmsKey.
        call.services.backend("logs", call.request.region).groups[name].kms_key_id = key
    call.retag("logs", "tag_resource", "untag_resource", resourceArn=call.arn("logs", f"log-group:{name}"))
    return current


_WRITTEN_BY_SERVICES = ("/aws/rds/", "/aws/lambda/", "/aws/ecs/containerinsights/")


def _delete_group(call: Call, current: Provisioned) -> None:
    """
    Delete the group, which a service that is still flushing creates again (seen with RDS in the issues of
    Terraform's provider; Lambda does it for an invocation that ends after the deletion).
    """
    name, surroundings = current.physical_id, call.services.surroundings
    arn = call.arn("logs", f"log-group:{name}")
    if call.tags:  # moto keeps them for the next group of that name
        call.ask("logs", "untag_resource", resourceArn=arn, tagKeys=sorted(call.tags))
    call.ask("logs", "delete_log_group", logGroupName=name)
    seconds = surroundings.faults.behaviour.logs_return
    if seconds and name.startswith(_WRITTEN_BY_SERVICES):
        client = call.client("logs")
        surroundings.after(seconds, lambda: client.create_log_group(logGroupName=name))


HANDLERS: Mapping[str, Handler] = {
    "AWS::CloudWatch::Alarm": Handler(_create_alarm, _update_alarm, _delete_alarm),
    "AWS::CloudWatch::Dashboard": Handler(_create_dashboard, _update_dashboard, _delete_dashboard),
    "AWS::Logs::LogGroup": Handler(_create_group, _update_group, _delete_group, _adopt_group),
}
