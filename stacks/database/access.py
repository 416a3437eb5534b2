"""The tasks' permission to log in to the database with an IAM token instead of a password."""

from __future__ import annotations

from awacs import rds_db
from troposphere import Select, Split, Sub
from troposphere.iam import PolicyType

from stacks.database.server import Server
from stacks.parts.policies import allow, document
from stacks.wiring import Stack


def token_user(administrator: str) -> str:
    """Return the role that tokens are for; `stacks.functions.logins` makes it."""
    return f"{administrator}_iam"


def allow_tokens(stack: Stack, server: Server) -> None:
    """
    Let the tasks' role log in as that one user of that one database, where the file asks for tokens.

    A policy of its own, in the stack of the database: AWS names a database in policies by an id that it has
    only once it is there, after the role (Amazon RDS User Guide, "Creating and using an IAM policy for IAM
    database access"). The role has no path, so its name is what comes after the only slash of its ARN.
    """
    if not stack.settings.database.iam_authentication:
        return
    user = token_user(stack.application.database or "")
    place = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}"
    whom = Sub(f"{place}:dbuser:${{Database}}/{user}", Database=server.resource_id)
    stack.add(
        PolicyType(
            "TokenLoginPolicy",
            PolicyName="TokenLogin",
            PolicyDocument=document(allow("LogInToDatabase", [rds_db.connect], [whom])),
            Roles=[Select(1, Split("/", stack.imported("security", "TaskRoleArn")))],
        )
    )
