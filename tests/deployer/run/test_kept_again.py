"""Destroyed production is deployed again: what was kept is taken up, refused by name, or left alone."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployer.checks.kept import Candidate, import_template, matched
from deployer.deploy import deploy
from deployer.errors import DeployError, NotAllowed, NotOffered
from deployer.kept import Kept
from deployer.options import Options
from deployer.progress import Event, Notice
from deployer.states import ChangeSetRequest, ChangeSetState
from generator.manifest import Lookup
from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.fakes import Clock, FakeCloud, host, manifest, spec
from tests.sandbox.sandbox_account import client

AWS = str(Path(sys.executable).parent / "aws")
KEPT = {"Key", "DatabaseSecret", "SaltKeySecret", "ConfigBucket", "AccessLogBucket", "Repository"}


def kept(sandbox: Sandbox) -> dict[str, str]:
    """Return the physical ids of what stays of prod, by logical id."""
    cloudformation = client(sandbox, "cloudformation")
    stacks = [one["StackName"] for one in cloudformation.describe_stacks()["Stacks"]]
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for stack in stacks
        for one in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        if one["LogicalResourceId"] in KEPT
    }


@pytest.mark.deep
def test_destroyed_production_comes_back_with_its_key_its_secrets_and_its_buckets(
    user: User, sandbox: Sandbox
) -> None:
    assert user.run("deploy", "prod", "--yes").code == 0
    before, secrets = kept(sandbox), client(sandbox, "secretsmanager")
    assert len(before) == 6
    salt = json.dumps({"LITELLM_SALT_KEY": "what the database is encrypted with"})
    secrets.put_secret_value(SecretId=before["SaltKeySecret"], SecretString=salt)
    client(sandbox, "s3").put_object(Bucket=before["AccessLogBucket"], Key="log", Body=b"1")
    assert user.run("destroy", "prod", "--force", "--yes").code == 0

    foretold = user.run("plan", "prod")
    assert "what an earlier destroy kept is imported first" in foretold.out, foretold.out + foretold.err
    done = user.run("deploy", "prod", "--yes")

    assert done.code == 0, done.err
    assert "imported as an earlier destroy kept it: " in done.err
    assert kept(sandbox) == before
    assert secrets.get_secret_value(SecretId=before["SaltKeySecret"])["SecretString"] == salt
    objects = client(sandbox, "s3").list_objects_v2(Bucket=before["AccessLogBucket"])
    assert "log" in {one["Key"] for one in objects["Contents"]}
    again = user.run("plan", "prod", "--detailed-exitcode")
    assert again.code == 0, again.out


def test_what_cannot_be_taken_up_is_told_at_once_and_nothing_is_touched(user: User, sandbox: Sandbox) -> None:
    assert user.run("deploy", "prod", "--yes", "--only", "security").code == 0
    kms, before = client(sandbox, "kms"), kept(sandbox)
    assert user.run("destroy", "prod", "--force", "--yes", "--only", "security").code == 0

    fresh = user.run("deploy", "prod", "--yes", "--fresh", "--only", "security")
    assert fresh.code == 2
    for name in ("prod-litellm/database", "prod-litellm/salt-key"):
        assert f"the secret {name} was kept by an earlier destroy" in fresh.err

    tags = [{"TagKey": one["TagKey"], "TagValue": one["TagValue"]} for one in own_tags(kms, before["Key"])]
    other = kms.create_key(Tags=tags)["KeyMetadata"]
    doubtful = user.run("deploy", "prod", "--yes", "--only", "security")
    assert doubtful.code == 2
    assert before["Key"] in doubtful.err
    (command,) = set(re.findall(r"`(aws resourcegroupstaggingapi [^`]*)`", doubtful.err))
    aws(user, *shlex.split(command.replace("ARN", other["Arn"]))[1:])

    kms.disable_key(KeyId=before["Key"])
    disabled = user.run("deploy", "prod", "--yes", "--only", "security")
    assert disabled.code == 2
    (command,) = set(re.findall(r"`(aws kms [^`]*)`", disabled.err))
    aws(user, *shlex.split(command)[1:])

    secrets = client(sandbox, "secretsmanager")
    secrets.tag_resource(SecretId=before["SaltKeySecret"], Tags=[{"Key": "Environment", "Value": "other"}])
    foreign = user.run("deploy", "prod", "--yes", "--only", "security")
    assert foreign.code == 2
    assert "security/SaltKeySecret: the secret prod-litellm/salt-key exists already" in foreign.err
    assert "prod-litellm/database" not in foreign.err
    secrets.tag_resource(SecretId=before["SaltKeySecret"], Tags=[{"Key": "Environment", "Value": "prod"}])
    assert client(sandbox, "cloudformation").describe_stacks()["Stacks"] == []

    assert user.run("deploy", "prod", "--yes", "--only", "security").code == 0
    assert kept(sandbox) == before


def own_tags(kms: Any, key: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = kms.list_resource_tags(KeyId=key)["Tags"]
    return [one for one in found if not one["TagKey"].startswith("aws:")]


def aws(user: User, *arguments: str) -> None:
    endpoint = user.variables["AWS_ENDPOINT_URL"]
    done = user.call(AWS, "--endpoint-url", endpoint, "--region", "us-east-1", *arguments)
    assert done.code == 0, done.err


OURS = {"ManagedBy": "gatestack", "Environment": "dev", "System": "litellm"}
TAGS = [{"Key": "Environment", "Value": "dev"}, {"Key": "Stack", "Value": "one"}]
KEY = {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "Properties": {"Tags": TAGS}}
SECRET = {
    "Type": "AWS::SecretsManager::Secret",
    "DeletionPolicy": "Retain",
    "Properties": {
        "Name": "dev/salt",
        "KmsKeyId": {"Ref": "Key"},
        "GenerateSecretString": {"PasswordLength": 9},
    },
}
ONE = json.dumps(
    {
        "Resources": {"Key": KEY, "Salt": SECRET, "New": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"Id": {"Value": "x", "Export": {"Name": "dev-one-Id"}}},
    }
)


def key(id_: str = "k1", **tags: str) -> Candidate:
    return Candidate("AWS::KMS::Key", id_, "", f"arn:{id_}", {**OURS, "Stack": "one", **tags})


def salt(**tags: str) -> Candidate:
    return Candidate("AWS::SecretsManager::Secret", "arn:salt", "dev/salt", "arn:salt", {**OURS, **tags})


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ((), []),
        ((key(), salt()), ["Key", "Salt"]),
        ((key(Stack="two"), salt()), ["Salt"]),
        ((key(), key("k2", Stack="two")), ["Key"]),
        ((key(**{"aws:cloudformation:logical-id": "Other"}),), []),
        ((key(**{"aws:cloudformation:stack-name": "dev-two"}),), []),
        (
            (key(**{"aws:cloudformation:logical-id": "Key", "aws:cloudformation:stack-name": "dev-one"}),),
            ["Key"],
        ),
        ((replace(salt(), name="dev/other"),), []),
        ((Candidate("AWS::S3::Bucket", "k1", "k1", "arn:k1", dict(key().tags)),), []),
    ],
)
def test_what_was_kept_is_known_by_its_name_or_by_all_of_its_tags(
    there: tuple[Candidate, ...], taken: list[str]
) -> None:
    found, doubts = matched(spec("one", ONE), there, "eu-west-1", None)

    assert ([one.logical_id for one in found], doubts) == (taken, ())


def test_an_import_has_what_is_taken_up_and_what_makes_its_value_and_nothing_that_is_still_to_come() -> None:
    found = json.loads(import_template(ONE, (Kept("Salt", "AWS::SecretsManager::Secret", "arn:salt"),)))

    assert found.keys() == {"Resources"}
    assert found["Resources"].keys() == {"Salt"}
    assert found["Resources"]["Salt"]["Properties"].keys() == {"Name", "GenerateSecretString"}


class Recording(FakeCloud):
    """Remembers what it was asked for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked: list[ChangeSetRequest] = []

    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        self.asked.append(request)
        return super().create_change_set(request)


def test_what_was_kept_is_imported_first_and_the_rest_is_made_by_an_update() -> None:
    cloud = Recording(Clock())
    cloud.found = (key(), salt(), key("foreign", Environment="prod"))

    result = deploy(manifest(spec("one", ONE)), cloud, Options(), host(cloud.clock))

    assert (result.exit_code, [one.action for one in result.stacks]) == (0, ["create"])
    requests = cloud.asked
    assert [(one.kind, len(one.imports)) for one in requests] == [("IMPORT", 2), ("UPDATE", 0)]
    assert [one.physical_id for one in requests[0].imports] == ["k1", "arn:salt"]


@pytest.mark.parametrize("options", [Options(fresh=True), Options()])
def test_without_anything_kept_or_wanted_a_stack_is_simply_created(options: Options) -> None:
    cloud = FakeCloud(Clock())
    cloud.found = (key(), salt()) if options.fresh else ()

    assert deploy(manifest(spec("one", ONE)), cloud, options, host(cloud.clock)).exit_code == 0

    assert [made.request.kind for made in cloud.made.values()] == ["CREATE"]
    assert cloud.count("kept") == (0 if options.fresh else 1)


def test_a_first_creation_that_failed_is_made_again_from_what_was_kept() -> None:
    cloud = Recording(Clock())
    cloud.has("dev-one", "ROLLBACK_COMPLETE")
    cloud.found = (key(), salt())

    result = deploy(manifest(spec("one", ONE)), cloud, Options(), host(cloud.clock))

    assert (result.exit_code, [one.action for one in result.stacks]) == (0, ["recreate"])
    assert [(one.kind, len(one.imports)) for one in cloud.asked] == [("IMPORT", 2), ("UPDATE", 0)]


CONDITIONS = {
    "True": {"Fn::Equals": [{"Ref": "Kind"}, "prod"]},
    "False": {"Fn::Not": [{"Condition": "True"}]},
    "Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
    "Unknown": {"Fn::Equals": [{"Ref": "Given"}, "x"]},
    "LookedUp": {"Fn::Equals": [{"Ref": "Count"}, "1"]},
    "Both": {"Fn::And": [{"Condition": "True"}, {"Condition": "Here"}]},
    "NotBoth": {"Fn::And": [{"Condition": "Unknown"}, {"Condition": "False"}]},
    "Either": {"Fn::Or": [{"Condition": "Unknown"}, {"Condition": "Here"}]},
    "Neither": {"Fn::Or": [{"Condition": "Unknown"}, {"Condition": "False"}]},
    "Strange": {"Fn::Contains": [["a"], "a"]},
    "Worse": {"Fn::Not": {}},
    "Empty": {},
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_has_a_condition_is_taken_up_where_that_certainly_holds(name: str) -> None:
    parameters = {"Kind": {"Default": "prod"}, "Given": {}, "Count": {"Default": "1"}}
    document = {
        "Parameters": parameters,
        "Conditions": CONDITIONS,
        "Resources": {"Key": {**KEY, "Condition": name}},
    }
    one = spec("one", json.dumps(document), lookups=(Lookup("Count", "desired-count", {}),))

    found, doubts = matched(one, (key(),), "eu-west-1", None)

    held = name in {"True", "Here", "Both", "Either"}
    assert ([each.logical_id for each in found], doubts) == (["Key"] if held else [], ())


def test_where_nothing_stays_nobody_asks_what_was_kept() -> None:
    cloud = FakeCloud(Clock())

    assert deploy(manifest(spec("one")), cloud, Options(), host(cloud.clock)).exit_code == 0

    assert cloud.count("kept") == 0


@pytest.mark.parametrize(
    ("method", "error", "kinds"),
    [
        ("kept", NotAllowed("no tag:GetResources"), ["CREATE"]),
        ("create_change_set", NotOffered("this endpoint imports nothing"), ["CREATE"]),
    ],
)
def test_where_it_cannot_be_done_it_is_said_and_the_stack_is_created(
    method: str, error: DeployError, kinds: list[str]
) -> None:
    cloud, told = FakeCloud(Clock()), list[Event]()
    cloud.found = (key(),)
    cloud.raises[method] = [error]

    assert deploy(manifest(spec("one", ONE)), cloud, Options(), host(cloud.clock, told=told)).exit_code == 0

    assert [made.request.kind for made in cloud.made.values()] == kinds
    assert any(str(error) in event.text for event in told if isinstance(event, Notice))
