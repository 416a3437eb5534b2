"""PostgreSQL on RDS: one DB instance, optionally with a standby in another zone."""

from __future__ import annotations

from troposphere import GetAtt, Parameter, Ref, Sub
from troposphere.rds import DBInstance, DBParameterGroup

from stacks import authorities
from stacks.database import insights, server
from stacks.wiring import Stack


def add(stack: Stack) -> server.Server:
    """
    Add the database; its last snapshot survives it, in every environment.

    A major version is only ever asked for in the environment file, so AllowMajorVersionUpgrade opens no door.
    """
    database = stack.settings.database
    instance = DBInstance(
        "Database",
        DependsOn=[server.log(stack, "instance"), server.upgrade_log(stack)],
        DeletionPolicy="Snapshot",
        UpdateReplacePolicy="Snapshot",
        DBInstanceIdentifier=stack.settings.database_identifier,
        DBInstanceClass=database.instance_class,
        Engine=database.engine,
        EngineVersion=server.engine_version(stack),
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
        AutoMinorVersionUpgrade=True,
        AllowMajorVersionUpgrade=True,
        DBParameterGroupName=Ref(_parameter_group(stack)),
        MultiAZ=database.multi_az,
        CACertificateIdentifier=authorities.IDENTIFIER,
        DeletionProtection=database.deletion_protection,
    )
    _place(stack, instance)
    _storage(stack, instance)
    _origin(stack, instance)
    _maintenance(stack, instance)
    server.take_tokens(stack, instance)
    stack.add(instance)
    endpoint = (GetAtt(instance, "Endpoint.Address"), GetAtt(instance, "Endpoint.Port"))
    resource_id = GetAtt(instance, "DbiResourceId")
    return server.Server(Ref(instance), instance.resource_type, *endpoint, resource_id)


def _place(stack: Stack, instance: DBInstance) -> None:
    instance.DBSubnetGroupName = Ref(server.subnet_group(stack))
    instance.VPCSecurityGroups = [stack.imported("network", "RdsSecurityGroupId")]
    instance.PubliclyAccessible = False
    instance.Port = str(server.PORT)


def _storage(stack: Stack, instance: DBInstance) -> None:
    instance.StorageType = "gp3"
    instance.AllocatedStorage = _size(stack)
    instance.MaxAllocatedStorage = stack.settings.database.max_storage_gb


def _size(stack: Stack) -> Ref:
    """Look up the size: RDS grows a disk by itself and never shrinks it; a snapshot needs room, too."""
    database = stack.settings.database
    parameter = Parameter(
        "AllocatedStorage",
        Type="Number",
        Default=database.storage_gb,
        Description="GiB of storage: those of the file, or more where the database has more already",
    )
    return stack.look_up(
        parameter,
        "allocated-storage",
        identifier=stack.settings.database_identifier,
        size=str(database.storage_gb),
        most=str(database.max_storage_gb),
        snapshot=database.snapshot_identifier or "",
    )


def _origin(stack: Stack, instance: DBInstance) -> None:
    """
    Create a new database, or restore a snapshot.

    A snapshot brings its user name, its database and its encryption along, and they may not be named again; a
    new password is set after the restore (AWS docs, AWS::RDS::DBInstance). The snapshot has to stay in the
    environment file: CloudFormation replaces the database when it goes.
    """
    arn = server.administrator_arn(stack)
    instance.MasterUserPassword = Sub(server.administrator("password"), **arn)
    snapshot = stack.settings.database.snapshot_identifier
    if snapshot is not None:
        instance.DBSnapshotIdentifier = snapshot
        return
    instance.DBName = stack.application.database
    instance.MasterUsername = Sub(server.administrator("username"), **arn)
    instance.StorageEncrypted = True
    instance.KmsKeyId = stack.imported("security", "KmsKeyArn")


def _maintenance(stack: Stack, instance: DBInstance) -> None:
    database = stack.settings.database
    instance.BackupRetentionPeriod = database.backup_retention_days
    instance.PreferredBackupWindow = server.BACKUP_WINDOW
    instance.PreferredMaintenanceWindow = server.MAINTENANCE_WINDOW
    instance.CopyTagsToSnapshot = True
    instance.EnableCloudwatchLogsExports = ["postgresql", "upgrade"]
    insights.watch(stack, instance)


def _parameter_group(stack: Stack) -> DBParameterGroup:
    """Return the group; it has no name: the next major version needs a second one at the same time."""
    return stack.add(
        DBParameterGroup(
            "ParameterGroup",
            Description=server.group_description(stack),
            Family=server.family(stack),
            Parameters=server.parameters(stack),
        )
    )
