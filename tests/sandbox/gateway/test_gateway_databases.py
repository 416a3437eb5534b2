"""With the gateway a database of RDS's is a PostgreSQL server: what AWS says of it is true of the server."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pg8000 import native

from sandbox.clock import RealClock
from sandbox.gateway import AUTHORITY, Gateway
from sandbox.gateway.databases.engines import MOST
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.conftest import FAST
from tests.postgres import run, works
from tests.sandbox.sandbox_account import client

PASSWORD = "password-of-boss"
BOSS = {"MasterUsername": "boss", "MasterUserPassword": PASSWORD}
INSTANCE = {
    "Engine": "postgres",
    "EngineVersion": "17.7",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
}
CLUSTER = {"Engine": "aurora-postgresql", "EngineVersion": "16.11"}
SECRET = "local-litellm/database-login"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    Services().reset()
    asked = pytestconfig.getoption("--postgres")
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), postgres=(asked,) if asked else ())
    with Sandbox(clock=RealClock(FAST), key=KEY, gateway=gateway) as sandbox:
        yield sandbox
    assert list(gateway.folder.glob("*database*")) == []


@pytest.fixture
def rds(running: Sandbox) -> Iterator[Any]:
    yield client(running, "rds")
    running.control.reset()
    running.backing.reset()


def url(endpoint: str, password: str = PASSWORD, user: str = "boss") -> str:
    return f"postgresql://{user}:{password}@{endpoint}:5432/app?sslmode=require"


def make(rds: Any, name: str, **given: Any) -> str:
    """Make an instance; returns its address."""
    made = rds.create_db_instance(DBInstanceIdentifier=name, DBName="app", **INSTANCE, **(BOSS | given))
    return str(made["DBInstance"]["Endpoint"]["Address"])


def endpoint(rds: Any, name: str) -> str:
    (found,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return str(found["Endpoint"]["Address"])


def login(running: Sandbox) -> str:
    secrets = client(running, "secretsmanager")
    return str(json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])["DATABASE_URL"])


def test_a_deployed_login_works_is_really_rotated_and_a_snapshot_keeps_the_data(
    running: Sandbox, rds: Any, tmp_path: Any
) -> None:
    user = User.at(
        tmp_path / "user", AWS_ENDPOINT_URL=running.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN
    )
    user.edit("local", "network:", "database:\n  verify_certificate: true\nnetwork:")
    some = ("--only", "security", "--only", "network", "--only", "database")
    done = user.run("deploy", "local", "--yes", *some)
    assert done.code == 0, done.err
    running.finish()  # the rotation that begins with the schedule
    first = login(running)
    run(first, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('before')")

    for _ in range(2):
        assert user.run("rotate", "local", "database", "--no-wait-rollout").code == 0
    second = login(running)

    assert not works(first), "its role has the turn, and another password"
    assert run(second, "SELECT word FROM kept", "SELECT current_user") == [[["before"]], [["litellm_owner"]]]

    rds.create_db_snapshot(DBInstanceIdentifier="local-litellm-db", DBSnapshotIdentifier="then")
    run(second, "UPDATE kept SET word = 'after'")
    running.finish()
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="then")

    restored = second.replace(endpoint(rds, "local-litellm-db"), endpoint(rds, "again"))
    assert run(restored, "SELECT word FROM kept") == [[["before"]]]
    assert run(second, "SELECT word FROM kept") == [[["after"]]]


def test_the_administrator_logs_in_with_tls_that_the_sandboxs_authority_vouches_for(
    running: Sandbox, rds: Any
) -> None:
    address = make(rds, "one")
    gateway = running.gateway
    assert gateway is not None
    trusted = ssl.create_default_context(cafile=str(gateway.folder / AUTHORITY))

    connection = native.Connection(
        "boss", host=address, database="app", password=PASSWORD, ssl_context=trusted
    )

    asked = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert connection.run(asked) == [[False, True, True]]
    connection.close()
    with pytest.raises(native.DatabaseError, match="no encryption"):
        native.Connection("boss", host=address, database="app", password=PASSWORD, ssl_context=False)


def test_the_name_of_rdss_own_role_is_refused(running: Sandbox, rds: Any) -> None:
    with pytest.raises(ClientError, match="reserved word used by the engine"):
        make(rds, "one", MasterUsername="rdsadmin")

    assert running.backing.databases()["servers"] == []


@pytest.mark.deep
def test_what_is_changed_stopped_started_and_rebooted_is_so(rds: Any) -> None:
    address = make(rds, "one")
    run(url(address), "CREATE TABLE kept (word text)")

    rds.modify_db_instance(DBInstanceIdentifier="one", MasterUserPassword="another-password")
    assert not works(url(address))
    assert works(url(address, "another-password"))

    rds.stop_db_instance(DBInstanceIdentifier="one")
    assert not works(url(address, "another-password"))
    rds.start_db_instance(DBInstanceIdentifier="one")
    rds.reboot_db_instance(DBInstanceIdentifier="one")
    rds.modify_db_instance(DBInstanceIdentifier="one", NewDBInstanceIdentifier="two", ApplyImmediately=True)
    assert endpoint(rds, "two") == address
    assert run(url(address, "another-password"), "SELECT count(*) FROM kept") == [[[0]]]

    rds.delete_db_instance(DBInstanceIdentifier="two", SkipFinalSnapshot=True)
    assert not works(url(address, "another-password"))


@pytest.mark.deep
def test_parameters_that_postgresql_knows_are_applied_and_the_rest_is_told(
    running: Sandbox, rds: Any
) -> None:
    address = make(rds, "one")
    group = {"DBParameterGroupName": "mine", "DBParameterGroupFamily": "postgres17"}
    rds.create_db_parameter_group(Description="mine", **group)
    wanted = {
        "work_mem": "8192",
        "max_connections": "50",
        "rds.force_ssl": "0",
        "rds.log_retention_period": "1440",
    }
    parameters = [
        {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for name, value in wanted.items()
    ]
    rds.modify_db_parameter_group(DBParameterGroupName="mine", Parameters=parameters)

    rds.modify_db_instance(DBInstanceIdentifier="one", DBParameterGroupName="mine")

    assert run(url(address), "SHOW work_mem", "SHOW max_connections") == [[["8MB"]], [["100"]]]
    native.Connection("boss", host=address, database="app", password=PASSWORD, ssl_context=False).close()
    rds.reboot_db_instance(DBInstanceIdentifier="one")
    assert run(url(address), "SHOW max_connections") == [[["50"]]]
    (told,) = running.backing.databases()["servers"]
    assert told["left_out"] == {"rds.log_retention_period": "RDS's own"}
    assert told["asked"] == "17.7"


@pytest.mark.deep
def test_a_password_that_rds_manages_is_in_its_secret(running: Sandbox, rds: Any) -> None:
    managed = {"MasterUsername": "boss", "ManageMasterUserPassword": True, "DBName": "app"}
    made = rds.create_db_instance(DBInstanceIdentifier="one", **INSTANCE, **managed)["DBInstance"]
    secrets = client(running, "secretsmanager")
    value = json.loads(
        secrets.get_secret_value(SecretId=made["MasterUserSecret"]["SecretArn"])["SecretString"]
    )

    assert value["username"] == "boss"
    assert works(url(made["Endpoint"]["Address"], value["password"]))


@pytest.mark.deep
def test_a_final_snapshot_comes_back_by_cloudformation_with_the_password_that_the_template_gives(
    running: Sandbox, rds: Any
) -> None:
    run(url(make(rds, "one")), "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('x')")
    rds.delete_db_instance(DBInstanceIdentifier="one", FinalDBSnapshotIdentifier="last")
    running.finish()
    given = {**INSTANCE, "DBSnapshotIdentifier": "last", "MasterUserPassword": "new-password"}
    given |= {"AllocatedStorage": "20", "DBInstanceIdentifier": "two"}
    template = {"Resources": {"Two": {"Type": "AWS::RDS::DBInstance", "Properties": given}}}

    client(running, "cloudformation").create_stack(StackName="two", TemplateBody=json.dumps(template))
    running.finish()

    assert run(url(endpoint(rds, "two"), "new-password"), "SELECT word FROM kept") == [[["x"]]]
    assert not works(url(endpoint(rds, "two")))


@pytest.mark.deep
def test_a_cluster_takes_logins_while_it_has_an_instance_and_its_snapshot_comes_back(
    running: Sandbox, rds: Any
) -> None:
    made = rds.create_db_cluster(DBClusterIdentifier="one", DatabaseName="app", **CLUSTER, **BOSS)[
        "DBCluster"
    ]
    member = {"DBClusterIdentifier": "one", "Engine": "aurora-postgresql", "DBInstanceClass": "db.serverless"}
    assert not works(url(made["Endpoint"]))

    rds.create_db_instance(DBInstanceIdentifier="one-1", **member)
    assert {made["Endpoint"], made["ReaderEndpoint"]} == {endpoint(rds, "one-1")}
    run(url(made["Endpoint"]), "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('x')")
    rds.create_db_cluster_snapshot(DBClusterIdentifier="one", DBClusterSnapshotIdentifier="then")
    running.finish()
    rds.delete_db_instance(DBInstanceIdentifier="one-1")
    assert not works(url(made["Endpoint"]))

    cluster = {"Engine": "aurora-postgresql", "EngineVersion": "16.11", "SnapshotIdentifier": "then"}
    instance = {**member, "DBClusterIdentifier": {"Ref": "Two"}}
    template = {
        "Resources": {
            "Two": {"Type": "AWS::RDS::DBCluster", "Properties": cluster},
            "One": {"Type": "AWS::RDS::DBInstance", "Properties": instance},
        },
        "Outputs": {"Host": {"Value": {"Fn::GetAtt": "Two.Endpoint.Address"}}},
    }
    cloudformation = client(running, "cloudformation")
    cloudformation.create_stack(StackName="two", TemplateBody=json.dumps(template))
    running.finish()
    (stack,) = cloudformation.describe_stacks(StackName="two")["Stacks"]
    assert run(url(stack["Outputs"][0]["OutputValue"]), "SELECT word FROM kept") == [[["x"]]]


@pytest.mark.deep
def test_a_copied_snapshot_has_the_data_and_a_deleted_one_leaves_none(running: Sandbox, rds: Any) -> None:
    run(url(make(rds, "one")), "CREATE TABLE kept (word text)")
    rds.create_db_snapshot(DBInstanceIdentifier="one", DBSnapshotIdentifier="first")
    running.finish()
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="first", TargetDBSnapshotIdentifier="second")
    rds.delete_db_snapshot(DBSnapshotIdentifier="first")

    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="two", DBSnapshotIdentifier="second")

    assert run(url(endpoint(rds, "two")), "SELECT count(*) FROM kept") == [[[0]]]


@pytest.mark.deep
def test_more_servers_than_a_machine_should_have_are_refused_in_rdss_words(rds: Any) -> None:
    for number in range(MOST):
        rds.create_db_cluster(DBClusterIdentifier=f"one-{number}", **CLUSTER, **BOSS)

    with pytest.raises(ClientError, match="InstanceQuotaExceeded"):
        make(rds, "another")

    rds.delete_db_cluster(DBClusterIdentifier="one-0", SkipFinalSnapshot=True)
    assert works(url(make(rds, "another")))
