"""A database and a cache that are there already: looked at first, then used, and left alone at the end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.covering import only
from tests.deployer.checks.existing_vpc import Company, company
from tests.sandbox.sandbox_account import client

CHANGES = {"CreateChangeSet", "ExecuteChangeSet", "CreateStack", "DeleteStack"}
LOGIN = {"username": "llm", "password": "correct horse", "DATABASE_URL": "postgresql://llm@db/llm"}


@dataclass(frozen=True)
class Team:
    """What a team has in its account."""

    vpc: Company
    sandbox: Sandbox
    host: str
    port: int
    group: str
    login: str
    redis: str

    def file(self, system: str = "litellm", cache: Mapping[str, Any] | None = None, **database: Any) -> str:
        existing = {"host": self.host, "port": self.port, "name": "llm", "secret_arn": self.login} | database
        redis = cache or {"host": "redis.internal.example.com", "secret_arn": self.redis}
        stores = f"database: {{existing: {json.dumps(existing)}}}\ncache: {{existing: {json.dumps(redis)}}}\n"
        return self.vpc.file("mine").replace("system: litellm", f"system: {system}") + stores

    def secret(self, arn: str) -> str:
        return str(client(self.sandbox, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


@pytest.fixture
def team(sandbox: Sandbox) -> Team:
    vpc = company(client(sandbox, "ec2"))
    group = client(sandbox, "ec2").create_security_group(GroupName="db", Description="db", VpcId=vpc.vpc)[
        "GroupId"
    ]
    rds, secrets = client(sandbox, "rds"), client(sandbox, "secretsmanager")
    made = rds.create_db_instance(
        DBInstanceIdentifier="payments",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="llm",
        MasterUserPassword="correct horse",
        VpcSecurityGroupIds=[group],
    )["DBInstance"]
    found = rds.describe_db_instances(DBInstanceIdentifier=made["DBInstanceIdentifier"])["DBInstances"][0]
    endpoint = found["Endpoint"]
    login = secrets.create_secret(Name="shared/db", SecretString=json.dumps(LOGIN))["ARN"]
    redis = secrets.create_secret(Name="shared/redis", SecretString='{"password": "x"}')["ARN"]
    sandbox.calls.clear()
    return Team(vpc, sandbox, endpoint["Address"], endpoint["Port"], group, login, redis)


def admit(team: Team, cidr: str) -> None:
    client(team.sandbox, "ec2").authorize_security_group_ingress(
        GroupId=team.group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": team.port, "ToPort": team.port, "IpRanges": [{"CidrIp": cidr}]}
        ],
    )


def write(user: User, text: str) -> None:
    (user.folder / "environments" / "mine.yaml").write_text(text)


def test_everything_wrong_with_them_is_told_at_once_and_nothing_is_touched(user: User, team: Team) -> None:
    client(team.sandbox, "secretsmanager").put_secret_value(
        SecretId=team.login, SecretString='{"username": "llm"}'
    )
    write(
        user,
        team.file(
            port=team.port + 1,
            cache={"host": "r.example.com", "secret_arn": team.redis, "secret_key": "token"},
        ),
    )

    for command in (["plan", "mine"], ["deploy", "mine", "--yes"]):
        done = user.run(*command)

        assert done.code == 2
        assert "database payments listens on" in done.err
        assert f"lets 10.9.0.0/16 in on port {team.port + 1}; add an inbound rule to {team.group}" in done.err
        assert "database.existing.secret_arn: the secret has no password; add it to its JSON" in done.err
        assert "cache.existing.secret_arn: the secret has no token; add it to its JSON" in done.err
        assert "correct horse" not in done.err
    assert not {call.action for call in team.sandbox.calls} & CHANGES


@pytest.mark.parametrize("system", only({"litellm"}, ["litellm", "llm-proxy"]))
def test_an_environment_on_them_goes_up_and_goes_again_without_a_server_of_its_own(
    user: User, team: Team, system: str
) -> None:
    admit(team, "10.9.0.0/16")
    plain = {"host": "redis.internal.example.com", "tls": False} if system == "llm-proxy" else None
    write(user, team.file(system, plain))

    first = user.run("deploy", "mine", "--yes")
    assert first.code == 0, first.err
    again = user.run("deploy", "mine", "--yes", "--format", "json")
    assert {stack["action"] for stack in json.loads(again.out)["stacks"]} == {"none"}, again.err
    servers = client(team.sandbox, "rds").describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in servers] == ["payments"]
    assert client(team.sandbox, "elasticache").describe_replication_groups()["ReplicationGroups"] == []
    rotated = user.run("rotate", "mine", "database")
    assert rotated.code == 2, rotated.err
    assert "no secret 'database'" in rotated.err
    listed = user.run("secret", "list", "mine")
    assert listed.code == 0
    assert "database" not in listed.out
    assert "database-login" not in user.run("verify", "mine").out

    gone = user.run("destroy", "mine", "--yes")

    assert gone.code == 0, gone.err
    assert json.loads(team.secret(team.login)) == LOGIN
    assert client(team.sandbox, "rds").describe_db_instances()["DBInstances"]
