"""What AWS does by itself to real environments on the sandbox: disks grow, rotations fail and hang."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployer.aws.account import Aws, connect
from deployer.changes.preview import plan
from deployer.day2.drift import detect
from deployer.day2.drift_state import StackDrift
from deployer.deploy import deploy, destroy
from deployer.errors import Refused
from deployer.options import Host, Options
from deployer.progress import Event, Notice, Result
from generator.manifest import Manifest
from generator.render import render
from sandbox.faults import DiskFault, StepFault
from sandbox.server import Sandbox
from sandbox.services.rotation import ATTEMPTS, PAUSE
from stacks.environment import load, parse_settings
from tests.command import LOGIN, User
from tests.places import ROOT
from tests.sandbox.provision_world import REGION
from tests.sandbox.sandbox_account import client, standing


class World:
    """A sandbox whose clock goes on while the deployer sleeps, and whose functions end in between."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.aws: Aws = connect(REGION, endpoint=sandbox.endpoint)
        self.told: list[Event] = []
        self.runs = 0

    def host(self) -> Host:
        self.runs += 1
        return Host(self.told.append, self.sandbox.clock.now, self.sleep, f"r{self.runs}", lambda: 0)

    def sleep(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        while self.sandbox.backing.wait():
            pass

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.aws, Options(**{"poll_interval": 60.0} | options), self.host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.aws, Options(**{"poll_interval": 60.0} | options), self.host())

    def drift(self, wanted: Manifest, name: str) -> StackDrift:
        names = {name: next(one.stack_name for one in wanted.stacks if one.name == name)}
        return detect("x", names, self.aws, self.host(), poll_interval=5.0).stacks[0]

    def api(self, service: str) -> Any:
        return client(self.sandbox, service)

    def secret(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api("secretsmanager").describe_secret(SecretId=name)
        return answer

    def user(self, name: str) -> str:
        text = self.api("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        return str(json.loads(text)["username"])

    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice) and event.warning]

    def failing(self, function: str, *, times: int | None = None) -> None:
        self.sandbox.faults.steps.append(StepFault(function, "setSecret", times))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with standing() as sandbox:
        yield World(sandbox)


def user(folder: Path, world: World) -> User:
    return User.at(folder, AWS_ENDPOINT_URL=world.sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)


def shipped(name: str) -> Manifest:
    return render(load(ROOT / "environments" / f"{name}.yaml"))


def environment(text: str) -> Manifest:
    return render(parse_settings(text, Path("dev.yaml")))


def of(manifest: Manifest, *names: str) -> Manifest:
    return replace(manifest, stacks=tuple(one for one in manifest.stacks if one.name in names))


def outcome(result: Result, name: str) -> tuple[str, str]:
    one = next(stack for stack in result.stacks if stack.name == name)
    return one.action, one.outcome


PROXY, LOGIN_OF_PROXY = "dev-llm-proxy-database-rotation", "dev-llm-proxy/database-login"


def without_the_instance(wanted: Manifest) -> Manifest:
    """As it was once: the rotation begins when the cluster is there, whether or not anybody answers."""
    database = next(one for one in wanted.stacks if one.name == "database")
    document = json.loads(database.template)
    document["Resources"]["DatabaseRotationSchedule"]["DependsOn"].remove("DatabaseInstance1")
    early = replace(database, template=json.dumps(document))
    return replace(wanted, stacks=tuple(early if one is database else one for one in wanted.stacks))


@pytest.mark.deep
def test_no_task_starts_as_the_administrator_and_the_remedy_that_is_named_ends_it(
    world: World, tmp_path: Path
) -> None:
    wanted = shipped("llm-proxy-dev")

    failed = world.deploy(without_the_instance(wanted), env="llm-proxy-dev")

    assert outcome(failed, "service") == ("create", "failed")
    assert failed.exit_code == 1
    why = next(stack.reason for stack in failed.stacks if stack.name == "service")
    assert "it still holds the login of the database's administrator and no task is started" in why
    assert world.user(LOGIN_OF_PROXY) == "llmproxy"
    assert world.secret(LOGIN_OF_PROXY).get("LastRotatedDate") is None
    command = re.findall(r"`gatestack (.*?)`", why)[0]

    done = user(tmp_path, world).run(*command.split())

    assert done.code == 0, done.err
    assert world.deploy(wanted, env="llm-proxy-dev").exit_code == 0
    assert world.user(LOGIN_OF_PROXY) != "llmproxy"


def test_auroras_login_is_rotated_at_the_first_attempt(world: World) -> None:
    wanted = shipped("llm-proxy-dev")

    assert world.deploy(wanted, only=("security", "network", "database")).exit_code == 0
    world.sleep(60.0)

    assert world.user(LOGIN_OF_PROXY) != "llmproxy"
    events = world.api("logs").filter_log_events(logGroupName=f"/aws/lambda/{PROXY}")["events"]
    assert [one["message"] for one in events if '"failed"' in one["message"]] == []

    cluster = {"DBClusterIdentifier": "dev-llm-proxy-aurora"}
    rds = world.api("rds")
    before = rds.describe_db_clusters(**cluster)["DBClusters"][0]["EngineVersion"]
    rds.modify_db_cluster(**cluster, EngineVersion=f"{before.partition('.')[0]}.15", ApplyImmediately=True)
    found = world.drift(wanted, "database")
    assert found.verdict == "in sync"
    assert "DatabaseCluster/EngineVersion" in found.reason


# a rotation that hangs, and a disk that grows: one database for all of these

ONLY = ("security", "network", "database")
FILE = "system: litellm\nenvironment: dev\nsecrets: {{rotation_days: {days}}}\ndatabase: {{{sizes}}}\n"
DATABASE, LOGIN_OF_LITELLM = "dev-litellm-db", "dev-litellm/database-login"


def litellm(days: int = 30, **sizes: int) -> Manifest:
    given = ", ".join(f"{name}: {value}" for name, value in sizes.items())
    return environment(FILE.format(days=days, sizes=given))


@pytest.fixture(scope="module")
def account() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LOGIN.items():
            patch.setenv(name, value)
        with standing() as sandbox:
            made = World(sandbox)
            assert made.deploy(litellm(), only=ONLY).exit_code == 0
            made.sleep(60.0)
            yield made


def hang(world: World) -> str:
    """Have a rotation fail half-way as often as Secrets Manager tries; returns its version."""
    world.failing("dev-litellm-database-rotation")
    version = world.api("secretsmanager").rotate_secret(SecretId=LOGIN_OF_LITELLM)["VersionId"]
    for _ in range(ATTEMPTS + 1):
        world.sleep(PAUSE)
    world.sandbox.faults.clear()
    assert world.secret(LOGIN_OF_LITELLM)["VersionIdsToStages"][version] == ["AWSPENDING"]
    return str(version)


def operation(world: World) -> Any:
    """What differs after every operation on the database's stack."""
    stack = world.api("cloudformation").describe_stacks(StackName="dev-litellm-database")["Stacks"][0]
    return stack["StackStatus"], stack.get("LastUpdatedTime")


def days(world: World) -> Any:
    found = world.secret(LOGIN_OF_LITELLM)
    return found["RotationEnabled"] and found["RotationRules"]["AutomaticallyAfterDays"]


@pytest.mark.deep
def test_secrets_manager_refuses_to_change_the_schedule_of_a_rotation_that_hangs(account: World) -> None:
    hang(account)
    template = next(one.template for one in litellm(45).stacks if one.name == "database")
    changed = json.loads(template)["Resources"]["DatabaseRotationSchedule"]["Properties"]["RotationRules"]
    function = account.secret(LOGIN_OF_LITELLM)["RotationLambdaARN"]

    with pytest.raises(ClientError, match="A previous rotation isn't complete"):
        account.api("secretsmanager").rotate_secret(
            SecretId=LOGIN_OF_LITELLM, RotationLambdaARN=function, RotationRules=changed
        )
    account.sleep(PAUSE)


def test_a_rotation_that_hangs_is_seen_before_anything_is_touched_and_finished_as_told(
    account: World, tmp_path: Path
) -> None:
    hang(account)
    before = operation(account)

    with pytest.raises(Refused) as refused:
        account.deploy(litellm(60), only=ONLY, env="dev")

    text = str(refused.value)
    options = Options(poll_interval=20.0, only=frozenset(ONLY), env="dev")
    assert plan(litellm(60), account.aws, options, account.host()).problems == (text,)
    assert text.startswith(f"database: the rotation of {LOGIN_OF_LITELLM} is not complete")
    assert operation(account) == before
    sets = account.api("cloudformation").list_change_sets(StackName="dev-litellm-database")["Summaries"]
    assert sets == []
    done = user(tmp_path, account).run(*re.findall(r"`gatestack (rotate .*?)`", text)[0].split())
    assert done.code == 0, done.err
    assert account.deploy(litellm(60), only=ONLY, env="dev").exit_code == 0
    assert days(account) == 60


def test_a_rotation_that_hangs_is_given_up_as_told(account: World) -> None:
    hang(account)
    with pytest.raises(Refused) as refused:
        account.deploy(litellm(70), only=ONLY, env="dev")

    for command in re.findall(r"`aws secretsmanager (.*?)`", str(refused.value)):
        name, *words = command.split()
        given = dict(zip(words[::2], words[1::2], strict=True))
        names = {option: "".join(map(str.title, option[2:].split("-"))) for option in given}
        call = getattr(account.api("secretsmanager"), name.replace("-", "_"))
        call(**{names[option]: value for option, value in given.items()})

    assert account.deploy(litellm(70), only=ONLY, env="dev").exit_code == 0
    assert days(account) == 70
    account.sleep(PAUSE)
    assert len(account.secret(LOGIN_OF_LITELLM)["VersionIdsToStages"]) == 2


@pytest.mark.deep
def test_what_does_not_touch_the_schedule_is_deployed_whatever_hangs(account: World) -> None:
    assert account.deploy(litellm(70), only=ONLY).exit_code == 0
    hang(account)

    result = account.deploy(litellm(70, backup_retention_days=3), only=ONLY, env="dev")

    assert outcome(result, "database") == ("update", "done")
    account.api("secretsmanager").rotate_secret(
        SecretId=LOGIN_OF_LITELLM, ClientRequestToken=pending(account)
    )
    account.sleep(PAUSE)


def pending(world: World) -> str:
    stages = world.secret(LOGIN_OF_LITELLM)["VersionIdsToStages"]
    return next(version for version, labels in stages.items() if labels == ["AWSPENDING"])


def size(world: World) -> int:
    found = world.api("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"][0]
    return int(found["AllocatedStorage"])


@pytest.mark.deep
def test_a_disk_that_rds_has_grown_is_no_drift_never_shrunk_and_grows_on_as_the_file_says(
    account: World,
) -> None:
    account.deploy(litellm(), only=ONLY)
    account.sandbox.faults.disks.append(DiskFault(DATABASE))
    assert size(account) == 30

    found = account.drift(litellm(), "database")
    assert (found.verdict, found.resources) == ("in sync", ())
    assert "Database/AllocatedStorage 20 -> 30 is not drift: RDS grows the disk" in found.reason
    with pytest.raises(ClientError, match="Invalid storage size for engine name postgres"):
        account.api("rds").modify_db_instance(DBInstanceIdentifier=DATABASE, AllocatedStorage=25)

    for wanted in (litellm(), litellm(storage_gb=25)):
        assert account.deploy(wanted, only=ONLY, revert_drift=True).exit_code == 0
        assert size(account) == 30
    assert account.deploy(litellm(storage_gb=25), only=ONLY).exit_code == 0
    assert f"{DATABASE} has 30 GB, database.storage_gb says 25: 30 GB stay" in account.warnings()

    early = account.deploy(litellm(storage_gb=40), only=ONLY)
    assert outcome(early, "database") == ("update", "failed")
    cause = next(stack.cause for stack in early.stacks if stack.name == "database")
    assert cause is not None
    assert "six hours" in cause.remedy
    account.sleep(6 * 3600.0)
    assert account.deploy(litellm(storage_gb=40), only=ONLY).exit_code == 0
    assert size(account) == 40


@pytest.mark.deep
def test_a_bound_below_the_disk_is_refused_before_anything_is_touched(account: World) -> None:
    account.sleep(6 * 3600.0)
    assert account.deploy(litellm(storage_gb=40), only=ONLY).exit_code == 0
    before = operation(account)

    with pytest.raises(Refused, match=r"^database\.max_storage_gb: 22 GB, and dev-litellm-db has 40 GB"):
        account.deploy(litellm(storage_gb=20, max_storage_gb=22), only=ONLY)

    assert operation(account) == before


def test_a_raised_minor_version_is_no_drift_and_stays(account: World) -> None:
    account.api("rds").modify_db_instance(DBInstanceIdentifier=DATABASE, EngineVersion="15.19")

    found = account.drift(litellm(), "database")

    assert found.verdict == "in sync"
    assert "Database/EngineVersion 15.15 -> 15.19 is not drift" in found.reason
    assert account.deploy(litellm(storage_gb=40), only=ONLY, revert_drift=True).exit_code == 0
    rds = account.api("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"][0]
    assert rds["EngineVersion"] == "15.19"
