"""`database.iam_authentication`: what the templates say, what is refused, what is warned of, and its life."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from sandbox.server import Sandbox
from stacks import database, service
from stacks.checking.advice import advice
from stacks.checking.database_access import access_findings
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import application
from tests.command import User
from tests.linted import check
from tests.stacks.finders import properties, resource, resources

KEY = "database.iam_authentication"
ENGINES = ("postgres", "aurora-postgresql")
SERVERS = {
    "postgres": ("Database", "DbiResourceId"),
    "aurora-postgresql": ("DatabaseCluster", "DBClusterResourceId"),
}


def load(database: dict[str, Any] | None = None, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}}
    own = {"database": {"iam_authentication": True} | (database or {})}
    return parse_settings(yaml.safe_dump(file | own | sections), Path("dev.yaml"))


def refused(**sections: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(**sections)
    return [str(problem) for problem in caught.value.problems]


def told(definition: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the container's variables about the database, and the names of what is injected."""
    container = definition["ContainerDefinitions"][0]
    variables = {one["Name"]: one["Value"] for one in container["Environment"]}
    about = {name: value for name, value in variables.items() if "DATABASE" in name or "IAM" in name}
    return about, {one["Name"] for one in container["Secrets"] if "DATABASE" in one["Name"]}


# --- what the templates say ----------------------------------------------------------------------


def test_by_default_nothing_takes_tokens() -> None:
    off = load({"iam_authentication": False})

    assert "EnableIAMDatabaseAuthentication" not in properties(database.build(off), "Database")
    assert resources(database.build(off), "AWS::IAM::Policy") == {}
    assert told(properties(service.build(off), "ProxyTask"))[1] == {"DATABASE_USERNAME", "DATABASE_PASSWORD"}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_tasks_may_log_in_as_one_user_of_one_database(engine: str) -> None:
    stack = database.build(load({"engine": engine}))
    server, resource_id = SERVERS[engine]

    assert properties(stack, server)["EnableIAMDatabaseAuthentication"] is True
    policy = properties(stack, "TokenLoginPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["rds-db:connect"]
    assert statement["Resource"] == [
        {
            "Fn::Sub": [
                "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${Database}/litellm_iam",
                {"Database": {"Fn::GetAtt": [server, resource_id]}},
            ]
        }
    ]
    arn = {"Fn::ImportValue": "dev-litellm-security-TaskRoleArn"}
    assert policy["Roles"] == [{"Fn::Select": [1, {"Fn::Split": ["/", arn]}]}]


def test_tasks_are_told_of_the_user_and_of_no_password() -> None:
    variables, injected = told(properties(service.build(load()), "ProxyTask"))

    assert variables == {
        "DATABASE_HOST": {"Fn::ImportValue": "dev-litellm-database-DbEndpoint"},
        "DATABASE_NAME": {"Fn::ImportValue": "dev-litellm-database-DbName"},
        "DATABASE_PORT": {"Fn::ImportValue": "dev-litellm-database-DbPort"},
        "DATABASE_USER": "litellm_iam",
        "IAM_TOKEN_DB_AUTH": "True",
    }
    assert injected == set()


def test_the_migration_keeps_the_password_and_the_password_is_rotated() -> None:
    stack = database.build(load())
    variables, injected = told(properties(stack, "MigrationTask"))

    assert set(variables) == {"DATABASE_HOST", "DATABASE_NAME"}
    assert injected == {"DATABASE_USERNAME", "DATABASE_PASSWORD"}
    assert "DatabaseRotationSchedule" in resources(stack, "AWS::SecretsManager::RotationSchedule")


@pytest.mark.parametrize(
    ("days", "rate"), [(1, "rate(1 day)"), (30, "rate(30 days)"), (1000, "rate(999 days)")]
)
def test_switching_tokens_on_or_off_changes_the_schedule_so_that_a_rotation_follows(
    days: int, rate: str
) -> None:
    on, off = (
        resource(
            database.build(load({"iam_authentication": tokens}, secrets={"rotation_days": days})),
            "DatabaseRotationSchedule",
        )["Properties"]
        for tokens in (True, False)
    )

    assert on["RotationRules"] == {"ScheduleExpression": rate}
    assert off["RotationRules"] == {"AutomaticallyAfterDays": days}
    assert on["RotateImmediatelyOnUpdate"] is True


def test_the_rotation_is_told_to_make_the_role() -> None:
    on, off = (
        properties(database.build(load({"iam_authentication": tokens})), "DatabaseRotationFunction")
        for tokens in (True, False)
    )

    assert on["Environment"]["Variables"]["IAM_LOGIN"] == "on"
    assert "IAM_LOGIN" not in off["Environment"]["Variables"]


# --- what is refused and warned of ---------------------------------------------------------------


def test_a_system_that_knows_no_tokens_is_refused() -> None:
    assert application("litellm").takes_tokens
    (found,) = access_findings(load(), supported=False)

    assert (found.key, found.message) == (KEY, "litellm logs in with a password only; false")
    assert list(access_findings(load({"iam_authentication": False}), supported=False)) == []


@pytest.mark.parametrize("name", ["AWS_ROLE_NAME", "AWS_ACCESS_KEY_ID", "AWS_PROFILE_NAME"])
def test_a_variable_by_which_somebody_else_signs_the_tokens_is_refused(name: str) -> None:
    environment = refused(service={"environment": {name: "other"}})
    file = refused(service={"config": {"environment_variables": {name: "other"}}})

    assert any(name in one and "not be signed by the task's role" in one for one in environment)
    assert any(name in one and "not be signed by the task's role" in one for one in file)


def test_another_regions_tokens_are_refused_and_its_own_are_not() -> None:
    def file(region: str) -> dict[str, Any]:
        return {"config": {"environment_variables": {"AWS_REGION_NAME": region}}}

    assert any("AWS_REGION_NAME" in one for one in refused(service=file("eu-west-1")))
    assert load(service=file("us-east-1")).database.iam_authentication


@pytest.mark.parametrize("name", ["DATABASE_USER", "DATABASE_PORT", "IAM_TOKEN_DB_AUTH"])
def test_what_the_templates_say_themselves_cannot_be_said_otherwise(name: str) -> None:
    assert any(
        "gatestack sets this variable itself" in one for one in refused(service={"environment": {name: "x"}})
    )


@pytest.mark.parametrize(
    ("database", "little"),
    [
        ({"instance_class": "db.t3.micro"}, True),
        ({"instance_class": "db.t4g.small"}, False),
        ({"engine": "aurora-postgresql", "min_acu": 0.5}, True),
        ({"engine": "aurora-postgresql", "min_acu": 1}, False),
    ],
)
def test_a_database_with_little_memory_for_tokens_is_warned_of(
    database: dict[str, Any], *, little: bool
) -> None:
    found = [one for one in advice(load(database)) if one.startswith(KEY)]

    assert any("300 to 1000 MiB" in one for one in found) == little
    assert any("database_connection_pool_limit" in one for one in found)
    assert not [one for one in advice(load({"iam_authentication": False})) if KEY in one]


# --- with CloudTrail and the archive -------------------------------------------------------------

ALL = {"observability": {"cloudtrail": True, "log_archive_days": 400}, "network": {"flow_logs": True}}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_environment_with_everything_switched_on_is_clean(engine: str) -> None:
    assert check(render(load({"engine": engine}, **ALL))) == ()


@pytest.mark.deep
def test_everything_is_switched_on_in_a_running_environment_and_off_and_it_is_taken_down(
    user: User, sandbox: Sandbox
) -> None:
    def deploy(*arguments: str) -> dict[str, dict[str, str]]:
        done = user.run("deploy", "local", "--yes", "--format", "json", *arguments)
        assert done.code == 0, done.err
        sandbox.finish()  # a rotation that this clock makes look as old as one that hangs
        found: dict[str, dict[str, str]] = json.loads(done.out)["outputs"]
        return found

    on = (
        "database: {iam_authentication: true}\n"
        "observability: {cloudtrail: true, log_archive_days: 400}\n"
        "service:\n"
    )
    assert "TrailBucketName" not in deploy()["security"]
    user.edit("local", "service:\n", on)
    security = deploy()["security"]
    assert security["LogArchiveStreamArn"].endswith(":deliverystream/local-litellm-log-archive")
    assert security["LogArchiveStreamArn"].startswith("arn:aws:firehose:")
    assert {"LogArchiveRoleArn", "LogArchiveBucketName", "TrailBucketName"} <= security.keys()

    user.edit("local", on, "service:\n")
    lost = ("TrailBucket", "LogArchiveBucket", "LogArchiveErrors")
    off = deploy(*(part for one in lost for part in ("--allow-replace", one)))
    assert "TrailBucketName" not in off["security"]

    user.edit("local", "service:\n", on)
    deploy()
    gone = user.run("destroy", "local", "--yes")
    assert (gone.code, "local: 5 stacks deleted" in gone.err) == (0, True), gone.err
