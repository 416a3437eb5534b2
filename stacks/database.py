"""The database stack: PostgreSQL on RDS, the login that tasks use and its rotation, the migration, alarms."""

from __future__ import annotations

import json

from awacs import secretsmanager
from troposphere import GetAtt, Parameter, Ref, Sub
from troposphere.logs import LogGroup
from troposphere.rds import DBInstance, DBParameterGroup, DBSubnetGroup
from troposphere.secretsmanager import Secret, SecretTargetAttachment

from stacks.parts import migration
from stacks.parts.alarms import Metric, above, add_alarm, below
from stacks.parts.logs import add_log_group
from stacks.parts.policies import allow
from stacks.parts.retention import removed
from stacks.parts.rotation import Rotation, add_rotation
from stacks.parts.task import Login
from stacks.settings import Settings
from stacks.wiring import Stack

NAME = "litellm"
"""The database inside the instance; a snapshot of an earlier environment holds it under this name too."""

PORT = 5432

GIGABYTE = 1024**3

PARAMETERS = {
    "rds.force_ssl": "1",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
}
"""
TLS always, and no SQL text in the log, be it slow or failed: ``ALTER USER … PASSWORD`` carries a password
(PostgreSQL docs, "Error Reporting and Logging": PANIC turns off logging of failing statements).
"""


def build(settings: Settings) -> Stack:
    """Return the stack that holds the database and what describes how to reach it."""
    stack = Stack(settings, "database", "PostgreSQL, its login and the login's rotation, migration, alarms")
    database = _instance(stack)
    login = _login(stack, database)
    attachment = _attach_administrator(stack, database)
    _rotate(stack, login, attachment)
    migration.add(stack, Login(GetAtt(database, "Endpoint.Address"), NAME, Ref(login)))
    _alarms(stack, database)
    stack.export("DbEndpoint", GetAtt(database, "Endpoint.Address"), "Host name of the database")
    stack.export("DbPort", GetAtt(database, "Endpoint.Port"), "Port of the database")
    stack.export("DbName", NAME, "Name of the database")
    stack.export(
        "DbSecretArn", Ref(login), "Secret that the proxy logs in with; DATABASE_URL in it is for people"
    )
    return stack


def _instance(stack: Stack) -> DBInstance:
    """
    Return the database; its last snapshot survives it, in every environment.

    A major version is only ever asked for in the environment file, so AllowMajorVersionUpgrade opens no door.
    """
    database = stack.settings.database
    instance = DBInstance(
        "Database",
        DependsOn=_log(stack),
        DeletionPolicy="Snapshot",
        UpdateReplacePolicy="Snapshot",
        DBInstanceIdentifier=stack.settings.database_identifier,
        DBInstanceClass=database.instance_class,
        Engine=database.engine,
        EngineVersion=_engine_version(stack),
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
        AutoMinorVersionUpgrade=True,
        AllowMajorVersionUpgrade=True,
        DBParameterGroupName=Ref(_parameter_group(stack)),
        MultiAZ=database.multi_az,
        DeletionProtection=database.deletion_protection,
    )
    _place(stack, instance)
    _storage(stack, instance)
    _origin(stack, instance)
    _maintenance(stack, instance)
    return stack.add(instance)


def _place(stack: Stack, instance: DBInstance) -> None:
    instance.DBSubnetGroupName = Ref(_subnet_group(stack))
    instance.VPCSecurityGroups = [stack.imported("network", "RdsSecurityGroupId")]
    instance.PubliclyAccessible = False
    instance.Port = str(PORT)


def _storage(stack: Stack, instance: DBInstance) -> None:
    instance.StorageType = "gp3"
    instance.AllocatedStorage = str(stack.settings.database.storage_gb)
    instance.MaxAllocatedStorage = stack.settings.database.max_storage_gb


def _origin(stack: Stack, instance: DBInstance) -> None:
    """
    Make a new database, or restore a snapshot.

    A snapshot brings its user name, its database and its encryption along, and they may not be named again; a
    new password is set after the restore (AWS docs, AWS::RDS::DBInstance). The snapshot has to stay in the
    environment file: CloudFormation replaces the database when it goes.
    """
    instance.MasterUserPassword = Sub(_administrator("password"), **_administrator_arn(stack))
    snapshot = stack.settings.database.snapshot_identifier
    if snapshot is not None:
        instance.DBSnapshotIdentifier = snapshot
        return
    instance.DBName = NAME
    instance.MasterUsername = Sub(_administrator("username"), **_administrator_arn(stack))
    instance.StorageEncrypted = True
    instance.KmsKeyId = stack.imported("security", "KmsKeyArn")


def _maintenance(stack: Stack, instance: DBInstance) -> None:
    database = stack.settings.database
    instance.BackupRetentionPeriod = database.backup_retention_days
    instance.PreferredBackupWindow = "03:00-04:00"
    instance.PreferredMaintenanceWindow = "sun:04:00-sun:05:00"
    instance.CopyTagsToSnapshot = True
    instance.EnableCloudwatchLogsExports = ["postgresql"]
    instance.EnablePerformanceInsights = database.performance_insights
    if database.performance_insights:
        instance.PerformanceInsightsKMSKeyId = stack.imported("security", "KmsKeyArn")
        instance.PerformanceInsightsRetentionPeriod = 7


def _engine_version(stack: Stack) -> Ref:
    """Ask the account: minor versions are withdrawn, and AWS upgrades databases by itself."""
    database = stack.settings.database
    parameter = Parameter(
        "EngineVersion",
        Type="String",
        Default=stack.settings.database_version,
        AllowedPattern=r"^[0-9]+(\.[0-9]+)?$",
        Description="PostgreSQL version that can be created, or that the database already has",
    )
    facts = {"engine": database.engine, "version": stack.settings.database_version}
    return stack.look_up(parameter, "engine-version", identifier=stack.settings.database_identifier, **facts)


def _log(stack: Stack) -> LogGroup:
    name = f"/aws/rds/instance/{stack.settings.database_identifier}/postgresql"
    return add_log_group(stack, "DatabaseLog", name)


def _parameter_group(stack: Stack) -> DBParameterGroup:
    """Return the group; it has no name of its own: the next major version needs a second one beside it."""
    database = stack.settings.database
    major = database.engine_version.partition(".")[0]
    return stack.add(
        DBParameterGroup(
            "ParameterGroup",
            Description=f"{stack.settings.prefix}: TLS only, no statements in the log",
            Family=f"{database.engine}{major}",
            Parameters=PARAMETERS | database.parameters,
        )
    )


def _subnet_group(stack: Stack) -> DBSubnetGroup:
    kind = "Data" if stack.settings.network.data_subnets else "Private"
    return stack.add(
        DBSubnetGroup(
            "SubnetGroup",
            DBSubnetGroupDescription=f"{stack.settings.prefix}: subnets of two availability zones",
            SubnetIds=[stack.imported("network", f"{kind}Subnet{zone}Id") for zone in (1, 2)],
        )
    )


def _administrator(field: str) -> str:
    """Return a dynamic reference: CloudFormation reads the value as it deploys, no template holds it."""
    return f"{{{{resolve:secretsmanager:${{Administrator}}:SecretString:{field}}}}}"


def _administrator_arn(stack: Stack) -> dict[str, object]:
    return {"Administrator": stack.imported("security", "DatabaseSecretArn")}


def _login(stack: Stack, database: DBInstance) -> Secret:
    """
    Return what the proxy logs in with; it goes with the stack, since the administrator can make another.

    Its first value is the administrator's login, and so is every value that an update writes: it always
    works, and the next rotation replaces it.
    """
    return stack.add(
        Secret(
            "LoginSecret",
            **removed(),
            Name=stack.settings.login_secret_name,
            Description="How the proxy logs in to its database; DATABASE_URL is for people",
            KmsKeyId=stack.imported("security", "KmsKeyArn"),
            SecretString=Sub(
                _login_text(), Host=GetAtt(database, "Endpoint.Address"), **_administrator_arn(stack)
            ),
        )
    )


def _login_text() -> str:
    """Return the secret's JSON; nothing is escaped, since the password is made of letters and digits only."""
    user, secret = _administrator("username"), _administrator("password")
    fields = {
        "engine": "postgres",
        "host": "${Host}",
        "port": PORT,
        "dbname": NAME,
        "username": user,
        "password": secret,
        "DATABASE_URL": f"postgresql://{user}:{secret}@${{Host}}:{PORT}/{NAME}?sslmode=require",
    }
    return json.dumps(fields)


def _attach_administrator(stack: Stack, database: DBInstance) -> SecretTargetAttachment:
    """Complete the administrator's secret with engine, host and port."""
    return stack.add(
        SecretTargetAttachment(
            "AdministratorAttachment",
            SecretId=stack.imported("security", "DatabaseSecretArn"),
            TargetId=Ref(database),
            TargetType="AWS::RDS::DBInstance",
        )
    )


def _rotate(stack: Stack, login: Secret, attachment: SecretTargetAttachment) -> None:
    """Let two login roles take turns, from the first minute on: the first value is the administrator's."""
    administrator = stack.imported("security", "DatabaseSecretArn")
    rotation = Rotation(
        name="database",
        secret_name=stack.settings.login_secret_name,
        secret=Ref(login),
        module="database",
        at_once=True,
        variables={"ADMINISTRATOR_SECRET_ARN": administrator},
        permissions=(allow("ReadAdministrator", [secretsmanager.GetSecretValue], [administrator]),),
        after=(attachment.title,),
    )
    add_rotation(stack, rotation)


def _alarms(stack: Stack, database: DBInstance) -> None:
    """Add the three of S1, "CloudWatch Alarms"."""
    connections = stack.settings.database.connection_alarm
    add_alarm(
        stack,
        "HighCpu",
        _metric(database, "CPUUtilization"),
        above(80, periods=3, minutes=5),
        meaning="The database's CPU is over 80 %: find slow queries or take a larger database.instance_class",
    )
    add_alarm(
        stack,
        "LowStorage",
        _metric(database, "FreeStorageSpace"),
        below(5 * GIGABYTE, periods=3, minutes=5),
        meaning="The database has less than 5 GB of free storage: raise database.max_storage_gb",
    )
    add_alarm(
        stack,
        "ManyConnections",
        _metric(database, "DatabaseConnections"),
        above(connections, periods=3, minutes=5),
        meaning=f"More than {connections} connections are open: use fewer tasks, workers or pool connections",
    )


def _metric(database: DBInstance, name: str) -> Metric:
    return Metric("AWS/RDS", name, "Average", {"DBInstanceIdentifier": Ref(database)})
