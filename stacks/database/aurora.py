"""
PostgreSQL on Aurora Serverless v2: a cluster, a writer instance, and readers for failover.

Sources: Aurora User Guide, "Using Aurora Serverless v2"; AWS::RDS::DBCluster and its handler
(aws-cloudformation/aws-cloudformation-resource-providers-rds).
"""

from __future__ import annotations

from typing import ClassVar

from troposphere import GetAtt, Ref, Sub
from troposphere.rds import DBCluster, DBClusterParameterGroup, DBInstance, ServerlessV2ScalingConfiguration
from troposphere.validators import double

from stacks import authorities
from stacks.database import insights, server
from stacks.parts.retention import removed
from stacks.wiring import Stack


class Capacity(ServerlessV2ScalingConfiguration):  # type: ignore[misc]  # troposphere is not typed
    """Least and most capacity; troposphere 4 knows no pause, and so no 0."""

    props: ClassVar = {"MinCapacity": (double, True), "MaxCapacity": (double, True)}


def add(stack: Stack) -> server.Server:
    """
    Add the cluster, whose last snapshot survives it everywhere, and its instances, which hold nothing.

    Its logical id is not the instance's: CloudFormation changes no resource into one of another type. The
    cluster is complete before it has any instance, and takes no connection until then (Aurora User Guide,
    "Amazon Aurora DB clusters": the endpoint leads to the instance that writes).
    """
    database = stack.settings.database
    cluster = DBCluster(
        "DatabaseCluster",
        DependsOn=server.log(stack, "cluster"),
        DeletionPolicy="Snapshot",
        UpdateReplacePolicy="Snapshot",
        DBClusterIdentifier=stack.settings.database_identifier,
        Engine=database.engine,
        EngineVersion=server.engine_version(stack),
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
        ServerlessV2ScalingConfiguration=Capacity(MinCapacity=database.min_acu, MaxCapacity=database.max_acu),
        DBClusterParameterGroupName=Ref(_parameter_group(stack)),
        DBSubnetGroupName=Ref(server.subnet_group(stack)),
        VpcSecurityGroupIds=[stack.imported("network", "RdsSecurityGroupId")],
        Port=server.PORT,
        DeletionProtection=database.deletion_protection,
        BackupRetentionPeriod=database.backup_retention_days,
        PreferredBackupWindow=server.BACKUP_WINDOW,
        PreferredMaintenanceWindow=server.MAINTENANCE_WINDOW,
        CopyTagsToSnapshot=True,
        EnableCloudwatchLogsExports=["postgresql"],
    )
    _origin(stack, cluster)
    insights.watch_cluster(stack, cluster)
    server.take_tokens(stack, cluster)
    stack.add(cluster)
    instances = [_instance(stack, cluster, number) for number in range(1 + database.reader_instances)]
    endpoint = (GetAtt(cluster, "Endpoint.Address"), GetAtt(cluster, "Endpoint.Port"))
    resource_id = GetAtt(cluster, "DBClusterResourceId")
    first = (instances[0].title,)
    return server.Server(Ref(cluster), cluster.resource_type, *endpoint, resource_id, answers_with=first)


def _origin(stack: Stack, cluster: DBCluster) -> None:
    """
    Create a new database, or restore a snapshot: of a cluster, or, by its ARN, of an instance of RDS.

    A snapshot brings user name, password, database and encryption along; other than with an instance,
    CloudFormation sets no password after the restore. It has to stay in the environment file.
    """
    snapshot = stack.settings.database.snapshot_identifier
    if snapshot is not None:
        cluster.SnapshotIdentifier = snapshot
        return
    arn = server.administrator_arn(stack)
    cluster.DatabaseName = stack.application.database
    cluster.MasterUsername = Sub(server.administrator("username"), **arn)
    cluster.MasterUserPassword = Sub(server.administrator("password"), **arn)
    cluster.StorageEncrypted = True
    cluster.KmsKeyId = stack.imported("security", "KmsKeyArn")


def _instance(stack: Stack, cluster: DBCluster, number: int) -> DBInstance:
    """
    Add and return an instance; any may become the writer.

    Tier 0 and 1 grow and shrink with the writer, so that a reader that takes over is as large ("Choosing the
    promotion tier for an Aurora Serverless v2 reader").
    """
    database = stack.settings.database
    instance = DBInstance(
        f"DatabaseInstance{number + 1}",
        **removed(),
        DBInstanceIdentifier=f"{stack.settings.database_identifier}-{number + 1}",
        DBClusterIdentifier=Ref(cluster),
        DBInstanceClass="db.serverless",
        Engine=database.engine,
        PromotionTier=min(number, 1),
        CACertificateIdentifier=authorities.IDENTIFIER,
        AutoMinorVersionUpgrade=True,
        PubliclyAccessible=False,
        PreferredMaintenanceWindow=server.MAINTENANCE_WINDOW,
    )
    insights.watch(stack, instance)
    if number:
        instance.DependsOn = "DatabaseInstance1"
    return stack.add(instance)


def _parameter_group(stack: Stack) -> DBClusterParameterGroup:
    """Return the group; it has no name: the next major version needs a second one at the same time."""
    return stack.add(
        DBClusterParameterGroup(
            "ClusterParameterGroup",
            Description=server.group_description(stack),
            Family=server.family(stack),
            Parameters=server.parameters(stack),
        )
    )
