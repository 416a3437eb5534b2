"""What a DB instance and a cluster share: parameters, version, network, log. Creates neither."""

from __future__ import annotations

from typing import Any, NamedTuple

from troposphere import Parameter, Ref
from troposphere.logs import LogGroup
from troposphere.rds import DBCluster, DBInstance, DBSubnetGroup

from stacks.parts.logs import add_log_group
from stacks.parts.placement import data_subnets
from stacks.wiring import Stack

PORT = 5432

PARAMETERS = {
    "rds.force_ssl": "1",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
}
"""
TLS always, and no SQL text of slow or failed statements in the log: ``ALTER USER … PASSWORD`` carries a
password (PostgreSQL docs, "Error Reporting and Logging": PANIC turns off logging of failing statements).
"""

BACKUP_WINDOW = "03:00-04:00"
MAINTENANCE_WINDOW = "sun:04:00-sun:05:00"


class Server(NamedTuple):
    """What runs PostgreSQL, for the rest of the stack."""

    reference: Ref
    """Its identifier."""
    type: str
    """``AWS::RDS::DBInstance`` or ``AWS::RDS::DBCluster``."""
    host: Any
    port: Any
    resource_id: Any
    """Its id in IAM policies: ``db-ABC…``, ``cluster-ABC…``."""
    answers_with: tuple[str, ...] = ()
    """Logical ids of further resources that it needs to accept connections."""


def parameters(stack: Stack) -> dict[str, str]:
    """Return PostgreSQL's parameters: ours, and over them the environment file's."""
    return PARAMETERS | stack.settings.database.parameters


def family(stack: Stack) -> str:
    """Return the family of the parameter group: ``postgres15``, ``aurora-postgresql15``."""
    database = stack.settings.database
    return f"{database.engine}{database.engine_version.partition('.')[0]}"


def engine_version(stack: Stack) -> Ref:
    """Look up the version: minor versions are withdrawn, and AWS upgrades databases by itself."""
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


def take_tokens(stack: Stack, database: DBInstance | DBCluster) -> None:
    """Let *database* accept IAM tokens, if the file asks for it; switched without a restart."""
    if stack.settings.database.iam_authentication:
        database.EnableIAMDatabaseAuthentication = True


def log(stack: Stack, kind: str) -> LogGroup:
    """Return where RDS writes the log of an ``instance`` or a ``cluster``."""
    return add_log_group(stack, "DatabaseLog", _log_name(stack, kind, "postgresql"))


def upgrade_log(stack: Stack) -> LogGroup:
    """
    Return where RDS writes why a major upgrade of an instance failed; Aurora exports no such log.

    Source: RDS and Aurora User Guides, "Publishing PostgreSQL logs to Amazon CloudWatch Logs".
    """
    return add_log_group(stack, "DatabaseUpgradeLog", _log_name(stack, "instance", "upgrade"))


def _log_name(stack: Stack, kind: str, log: str) -> str:
    return f"/aws/rds/{kind}/{stack.settings.database_identifier}/{log}"


def subnet_group(stack: Stack) -> DBSubnetGroup:
    """Return the subnets for the server."""
    return stack.add(
        DBSubnetGroup(
            "SubnetGroup",
            DBSubnetGroupDescription=f"{stack.settings.prefix}: subnets of two availability zones",
            SubnetIds=data_subnets(stack),
        )
    )


def group_description(stack: Stack) -> str:
    """Return a parameter group's description; it never changes, since that would replace the group."""
    return f"{stack.settings.prefix}: TLS only, no statements in the log"


def administrator(field: str) -> str:
    """Return a dynamic reference: CloudFormation reads the value on deployment, no template contains it."""
    return f"{{{{resolve:secretsmanager:${{Administrator}}:SecretString:{field}}}}}"


def administrator_arn(stack: Stack) -> dict[str, object]:
    """Return the variable of `administrator`, for ``Fn::Sub``."""
    return {"Administrator": stack.imported("security", "DatabaseSecretArn")}
