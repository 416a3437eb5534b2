"""Databases: RDS instances, clusters, subnet groups and parameter groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler, random_text
from sandbox.resources.shapes import text

_ADVANCED_INSIGHTS_DAYS = 465
_PORTS = {"postgres": 5432, "aurora-postgresql": 5432, "mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306}


def _create_subnet_group(call: Call) -> Provisioned:
    name = call.name("DBSubnetGroupName", 255, lower=True)
    require.subnets(call, call.properties["SubnetIds"])
    made = call.apply("rds", "create_db_subnet_group", DBSubnetGroupName=name, Tags=call.tags)[
        "DBSubnetGroup"
    ]
    return Provisioned(name, {"DBSubnetGroupArn": made["DBSubnetGroupArn"]})


def _update_subnet_group(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "SubnetIds", "DBSubnetGroupDescription"):
        require.subnets(call, call.properties["SubnetIds"])
        groups = call.services.backend("rds", call.request.region).subnet_groups
        group = groups[current.physical_id]
        call.apply("rds", "modify_db_subnet_group", DBSubnetGroupName=current.physical_id)
        groups[current.physical_id] = group  # moto 5.2.5 removes a modified group from its list
    _retag(call, current.attributes["DBSubnetGroupArn"])
    return current


def _delete_subnet_group(call: Call, current: Provisioned) -> None:
    call.ask("rds", "delete_db_subnet_group", DBSubnetGroupName=current.physical_id)


def _retag(call: Call, arn: str) -> None:
    call.retag("rds", "add_tags_to_resource", "remove_tags_from_resource", ResourceName=arn)


def _create_parameters(call: Call) -> Provisioned:
    name = call.name("DBParameterGroupName", 255, lower=True)
    given = {
        "DBParameterGroupName": name,
        "DBParameterGroupFamily": call.properties["Family"],
        "Tags": call.tags,
    }
    call.apply("rds", "create_db_parameter_group", **given)
    begun = call.begin(name, DBParameterGroupName=name, DBParameterGroupArn=call.arn("rds", f"pg:{name}"))
    _set_parameters(call, name)
    return begun


def _set_parameters(call: Call, name: str) -> None:
    parameters = _pending(call.properties.get("Parameters", {}))
    if parameters:
        call.ask("rds", "modify_db_parameter_group", DBParameterGroupName=name, Parameters=parameters)


def _pending(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in parameters.items()
    ]


def _update_parameters(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "Parameters"):
        _set_parameters(call, current.physical_id)
    _retag(call, current.attributes["DBParameterGroupArn"])
    return current


def _delete_parameters(call: Call, current: Provisioned) -> None:
    call.ask("rds", "delete_db_parameter_group", DBParameterGroupName=current.physical_id)


def _create_cluster_parameters(call: Call) -> Provisioned:
    name = call.name("DBClusterParameterGroupName", 255, lower=True)
    given = {
        "DBClusterParameterGroupName": name,
        "DBParameterGroupFamily": call.properties["Family"],
        "Tags": call.tags,
    }
    call.apply("rds", "create_db_cluster_parameter_group", **given)
    begun = call.begin(name, DBClusterParameterGroupName=name)
    _set_cluster_parameters(call, name)
    return begun


def _set_cluster_parameters(call: Call, name: str) -> None:
    parameters = _pending(call.properties["Parameters"])
    group = {"DBClusterParameterGroupName": name}
    call.ask("rds", "modify_db_cluster_parameter_group", Parameters=parameters, **group)


def _update_cluster_parameters(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "Parameters"):
        _set_cluster_parameters(call, current.physical_id)
    _retag(call, call.arn("rds", f"cluster-pg:{current.physical_id}"))
    return current


def _delete_cluster_parameters(call: Call, current: Provisioned) -> None:
    call.ask("rds", "delete_db_cluster_parameter_group", DBClusterParameterGroupName=current.physical_id)


_WINDOWS = {"PreferredBackupWindow": "03:00-03:30", "PreferredMaintenanceWindow": "sun:05:00-sun:05:30"}


def _set_windows(call: Call, name: str, windows: Mapping[str, Any]) -> None:
    """
    Set the windows in moto's state: its API refuses adjacent windows, and ignores weekdays.

    The backup window is set a minute shorter, or moto would refuse every later change of the instance.
    """
    instance = call.services.backend("rds", call.request.region).databases[name]
    if "PreferredBackupWindow" in windows:
        instance.preferred_backup_window = _a_minute_shorter(windows["PreferredBackupWindow"])
    if "PreferredMaintenanceWindow" in windows:
        instance.preferred_maintenance_window = windows["PreferredMaintenanceWindow"].lower()


def _a_minute_shorter(window: str) -> str:
    start, _, end = window.partition("-")
    hour, minute = map(int, end.split(":"))
    last = (hour * 60 + minute - 1) % (24 * 60)
    return f"{start}-{last // 60:02}:{last % 60:02}"


def _create_instance(call: Call) -> Provisioned:
    name = call.name("DBInstanceIdentifier", 63, lower=True)
    engine = str(call.properties.get("Engine", ""))
    require.snapshot(call, call.properties.get("DBSnapshotIdentifier"), "DBSnapshot")
    _begin_from(call, "instance", name, call.properties.get("DBSnapshotIdentifier"))
    made = call.apply(
        "rds",
        "create_db_instance",
        DBInstanceIdentifier=name,
        VpcSecurityGroupIds=_groups(call),
        Port=call.properties.get("Port", _PORTS.get(engine)),
        Tags=call.tags,
        **_WINDOWS,
    )["DBInstance"]
    _set_windows(call, name, call.properties)
    instance = call.services.backend("rds", call.request.region).databases[name]
    call.becomes(instance, "status", "creating", "available", call.services.engines.settle)
    return Provisioned(name, _instance_attributes(made))


def _begin_from(call: Call, kind: str, name: str, snapshot: str | None) -> None:
    """Note the snapshot of a new database: moto creates an empty one."""
    if snapshot:
        call.services.engines.begins_from(call.request.region, kind, name, snapshot)


def _insights(call: Call) -> None:
    """
    Refuse the advanced mode of Database Insights without 465 days of Performance Insights.

    In RDS's words (hashicorp/terraform-provider-aws#41952 and pulumi/pulumi-aws#5286, read 2026-11-28); the
    same for an instance and for a cluster. Instances of Aurora inherit the mode, and have none.
    """
    properties, kind = call.properties, call.request.type.rpartition("::DB")[2].lower()
    enabled = "PerformanceInsightsEnabled" if kind == "cluster" else "EnablePerformanceInsights"
    days = int(properties.get("PerformanceInsightsRetentionPeriod", 7))
    if properties.get("DatabaseInsightsMode") != "advanced":
        return
    if text(properties.get(enabled, "")) != "true" or days < _ADVANCED_INSIGHTS_DAYS:
        raise ProvisionError(
            f"To enable the Advanced mode of Database Insights, modify your {kind} to enable Performance "
            "Insights and set the retention period for Performance Insights to at least 465 days. "
            "(Service: Rds, Status Code: 400) (HandlerErrorCode: InvalidRequest)"
        )


def _groups(call: Call) -> list[str]:
    _insights(call)
    groups = list(call.properties.get("VPCSecurityGroups", call.properties.get("VpcSecurityGroupIds", [])))
    require.groups(call, groups)
    require.key(call, call.properties.get("KmsKeyId"))
    return groups


def _instance_attributes(instance: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = instance["Endpoint"]
    return {
        "DBInstanceArn": instance["DBInstanceArn"],
        "DbiResourceId": instance["DbiResourceId"],
        "Endpoint.Address": endpoint["Address"],
        "Endpoint.Port": str(endpoint["Port"]),
        "Endpoint.HostedZoneId": endpoint.get("HostedZoneId", "Z2R2ITUGPM61AM"),
    }


def _update_instance(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if {**old, "Tags": None} != {**call.properties, "Tags": None}:
        _set_windows(call, current.physical_id, _WINDOWS)
        call.apply(
            "rds",
            "modify_db_instance",
            DBInstanceIdentifier=current.physical_id,
            VpcSecurityGroupIds=_groups(call) or None,
            ApplyImmediately=True,
            **dict.fromkeys(_WINDOWS),
        )
        _set_windows(call, current.physical_id, call.properties)
    _retag(call, current.attributes["DBInstanceArn"])
    return current


def _delete_instance(call: Call, current: Provisioned) -> None:
    call.ask("rds", "delete_db_instance", DBInstanceIdentifier=current.physical_id, SkipFinalSnapshot=True)


def _create_cluster(call: Call) -> Provisioned:
    name = call.name("DBClusterIdentifier", 63, lower=True)
    snapshot = call.properties.get("SnapshotIdentifier")
    require.snapshot(call, snapshot, "DBClusterSnapshot")
    _begin_from(call, "cluster", name, snapshot)
    kept = call.services.backend("rds", call.request.region).cluster_snapshots
    ours = bool(snapshot) and snapshot in kept
    made = call.apply(
        "rds",
        "restore_db_cluster_from_snapshot" if ours else "create_db_cluster",
        DBClusterIdentifier=name,
        VpcSecurityGroupIds=_groups(call),
        Port=call.properties.get("Port", _PORTS.get(str(call.properties.get("Engine", "")))),
        Tags=call.tags,
        **({} if ours or not snapshot else _administrator_of(call, snapshot)),
    )["DBCluster"]
    facts = {
        "DBClusterArn": made["DBClusterArn"],
        "DBClusterResourceId": made["DbClusterResourceId"],
        "Endpoint.Address": made["Endpoint"],
        "Endpoint.Port": str(made["Port"]),
        "ReadEndpoint.Address": made["ReaderEndpoint"],
    }
    return Provisioned(name, facts)


def _administrator_of(call: Call, snapshot: str) -> Mapping[str, str]:
    """
    Return the login of a cluster from a snapshot of an instance, or of another account.

    The template may not name it (AWS docs, AWS::RDS::DBCluster, "SnapshotIdentifier"), and moto makes no
    cluster without one. The password is random: CloudFormation sets none after the restore.
    """
    there = call.services.backend("rds", call.request.region).database_snapshots
    found = there.get(snapshot.rpartition(":")[2])
    user = found.database.master_username if found is not None else None
    return {"MasterUsername": user or "postgres", "MasterUserPassword": random_text(32)}


def _update_cluster(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if {**old, "Tags": None} != {**call.properties, "Tags": None}:
        groups = _groups(call) or None
        call.apply(
            "rds", "modify_db_cluster", DBClusterIdentifier=current.physical_id, VpcSecurityGroupIds=groups
        )
    _retag(call, current.attributes["DBClusterArn"])
    return current


def _delete_cluster(call: Call, current: Provisioned) -> None:
    call.ask("rds", "delete_db_cluster", DBClusterIdentifier=current.physical_id, SkipFinalSnapshot=True)


def _snapshot_instance(call: Call, current: Provisioned, name: str) -> None:
    which = {"DBInstanceIdentifier": current.physical_id, "DBSnapshotIdentifier": name}
    call.ask("rds", "create_db_snapshot", **which)


def _snapshot_cluster(call: Call, current: Provisioned, name: str) -> None:
    which = {"DBClusterIdentifier": current.physical_id, "DBClusterSnapshotIdentifier": name}
    call.ask("rds", "create_db_cluster_snapshot", **which)


HANDLERS: Mapping[str, Handler] = {
    "AWS::RDS::DBSubnetGroup": Handler(_create_subnet_group, _update_subnet_group, _delete_subnet_group),
    "AWS::RDS::DBParameterGroup": Handler(_create_parameters, _update_parameters, _delete_parameters),
    "AWS::RDS::DBClusterParameterGroup": Handler(
        _create_cluster_parameters, _update_cluster_parameters, _delete_cluster_parameters
    ),
    "AWS::RDS::DBInstance": Handler(
        _create_instance, _update_instance, _delete_instance, snapshot=_snapshot_instance
    ),
    "AWS::RDS::DBCluster": Handler(
        _create_cluster, _update_cluster, _delete_cluster, snapshot=_snapshot_cluster
    ),
}
