"""Names that are taken: read out of templates, looked up all at once, told before anything is touched."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from deployer.aws.account import connect
from deployer.changes.preview import plan
from deployer.checks.names import NAMES, Holder, Named, Taken, in_the_way, named
from deployer.deploy import deploy
from deployer.errors import Refused
from deployer.options import Options
from sandbox.server import Sandbox
from tests.command import LOGIN, User
from tests.deployer.fakes import Clock, FakeCloud, host, manifest, spec
from tests.places import GOLDEN
from tests.sandbox.sandbox_account import client
from tests.serving import always, serving

OURS = {"ManagedBy": "gatestack", "Environment": "dev", "System": "litellm"}
LOG = "AWS::Logs::LogGroup"
SECRET = "AWS::SecretsManager::Secret"
NO_NAMES = {
    "AWS::ApplicationAutoScaling::ScalingPolicy.PolicyName": "unique to its service, which is new",
    "AWS::CertificateManager::Certificate.DomainName": "several certificates may have it",
    "AWS::CloudWatch::Alarm.MetricName": "of a metric",
    "AWS::EC2::VPCEndpoint.ServiceName": "of AWS's service",
    "AWS::IAM::Policy.PolicyName": "of one role",
    "AWS::RDS::DBCluster.DatabaseName": "inside the server",
    "AWS::RDS::DBInstance.CACertificateIdentifier": "of an authority of AWS's",
    "AWS::RDS::DBInstance.DBName": "inside the server",
    "AWS::Route53::RecordSet.Name": "the hosted zone's records are looked at (deployer.checks.domain)",
}
"""Properties that end like a name and are none that somebody else could have."""
AWS = str(Path(sys.executable).parent / "aws")


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def log_group(name: Any, **more: Any) -> dict[str, Any]:
    return {"Type": LOG, "Properties": {"LogGroupName": name}, **more}


def test_every_name_in_the_shipped_templates_is_read_or_known_to_be_none() -> None:
    for path in sorted(GOLDEN.glob("*/*.json")):
        if path.name == "manifest.json":
            continue
        text = path.read_text(encoding="utf-8")
        read = {(one.type, one.name) for one in named((spec("a", text),))}
        for resource in json.loads(text)["Resources"].values():
            for name, value in resource.get("Properties", {}).items():
                ends_so = name == "Name" or name.endswith(("Name", "Identifier", "GroupId"))
                if not ends_so or not isinstance(value, str):
                    continue
                known = f"{resource['Type']}.{name}" in NO_NAMES
                assert known or (resource["Type"], value) in read, (path.name, resource["Type"], name)


def test_a_name_is_read_as_it_will_be_and_what_nobody_can_know_is_left_out() -> None:
    text = template(
        Plain=log_group("/litellm/dev"),
        Placed=log_group({"Fn::Sub": "/x/${AWS::Region}/${AWS::AccountId}"}),
        Chosen=log_group({"Ref": "Name"}),
        Half=log_group({"Fn::Sub": "/x/${Other}"}),
        Perhaps=log_group("/perhaps", Condition="IsProduction"),
        Unnamed={"Type": LOG},
        Other={"Type": "AWS::EC2::VPC", "Properties": {"LogGroupName": "no"}},
    )

    found = named((spec("a", text),), "eu-west-1", "111122223333")

    assert found == (
        Named("a", "Plain", LOG, "/litellm/dev"),
        Named("a", "Placed", LOG, "/x/eu-west-1/111122223333"),
    )
    assert [one.name for one in named((spec("a", text),), "eu-west-1")] == ["/litellm/dev"]


@pytest.mark.parametrize(
    ("holder", "own", "stops"),
    [
        (Holder(LOG, "/a", OURS), True, False),
        (Holder(LOG, "/a", {**OURS, "More": "x"}), True, False),
        (Holder(LOG, "/a", {}), False, True),
        (Holder(LOG, "/a", {**OURS, "Environment": "prod"}), False, True),
        (Holder(LOG, "/a", None), None, False),
        (Holder(LOG, "/a", OURS, going=True), True, True),
        (Holder(LOG, "/a", None, going=True), None, True),
    ],
)
def test_what_is_the_environments_own_is_told_apart(holder: Holder, own: bool | None, stops: bool) -> None:  # noqa: FBT001 - by parameter
    (found,) = in_the_way((Named("a", "Log", LOG, "/a"),), Taken((holder,)), OURS)

    assert (found.own, found.stops) == (own, stops)


def test_a_name_of_another_type_is_in_nobodys_way() -> None:
    assert in_the_way((Named("a", "Log", LOG, "/a"),), Taken((Holder(SECRET, "/a", {}),)), OURS) == ()


def test_all_that_is_taken_is_told_at_once_and_nothing_is_touched() -> None:
    cloud = FakeCloud(Clock())
    cloud.holders = (Holder(LOG, "/a", {}), Holder(LOG, "/b", {}), Holder(LOG, "/mine", OURS))
    wanted = manifest(
        spec("one", template(A=log_group("/a"), Mine=log_group("/mine"))),
        spec("two", template(B=log_group("/b"), Free=log_group("/free"))),
    )

    with pytest.raises(Refused) as caught:
        deploy(wanted, cloud, Options(), host(cloud.clock))

    lines = str(caught.value).splitlines()
    assert lines[0] == "dev needs 2 names that are taken; nothing was changed:"
    assert [line.split(":")[0].strip() for line in lines[1:3]] == ["one/A", "two/B"]
    assert "/mine" not in str(caught.value)
    assert cloud.count("create_change_set", "execute") == 0


def test_stacks_that_are_there_are_asked_nothing_about() -> None:
    cloud = FakeCloud(Clock())
    wanted = manifest(spec("one", template(A=log_group("/a"))))
    assert deploy(wanted, cloud, Options(), host(cloud.clock)).exit_code == 0
    assert cloud.count("taken") == 1
    cloud.holders = (Holder(LOG, "/a", {}),)

    assert deploy(wanted, cloud, Options(), host(cloud.clock, run_id="r2")).exit_code == 0

    assert cloud.count("taken") == 1


def test_a_plan_says_what_is_taken_where_the_stack_is() -> None:
    cloud = FakeCloud(Clock())
    cloud.holders = (Holder(LOG, "/b", {}),)
    wanted = manifest(spec("one", template(A=log_group("/a"))), spec("two", template(B=log_group("/b"))))

    found = plan(wanted, cloud, Options(), host(cloud.clock))

    assert [bool(stack.problems) for stack in found.stacks] == [False, True]
    assert "the log group /b exists already" in found.stacks[1].problems[0]


def test_an_endpoint_without_the_services_makes_nothing_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with serving(always("404 Not Found", "text/html", b"<h1>nothing here</h1>")) as endpoint:
        found = connect("us-east-1", endpoint=endpoint).taken({type_: {"a"} for type_ in NAMES})

    assert found.holders == ()
    assert found.unknown.keys() == NAMES.keys()


def _take(sandbox: Sandbox) -> set[str]:
    """Have somebody else hold names that `local` needs; returns them."""
    prefix = "local-litellm"
    client(sandbox, "logs").create_log_group(logGroupName=f"/ecs/{prefix}-proxy")
    secrets = client(sandbox, "secretsmanager")
    secrets.create_secret(Name=f"{prefix}/master-key", SecretString="x")
    secrets.create_secret(Name=f"{prefix}/salt-key", SecretString="x")
    secrets.delete_secret(SecretId=f"{prefix}/salt-key")
    client(sandbox, "ssm").put_parameter(Name=f"/{prefix}/log-level", Value="INFO", Type="String")
    client(sandbox, "ecs").create_cluster(clusterName=prefix)
    client(sandbox, "ecr").create_repository(repositoryName=prefix)
    kms = client(sandbox, "kms")
    kms.create_alias(AliasName=f"alias/{prefix}", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return {
        f"log group /ecs/{prefix}-proxy",
        f"secret {prefix}/master-key",
        f"secret {prefix}/salt-key",
        f"SSM parameter /{prefix}/log-level",
        f"ECS cluster {prefix}",
        f"ECR repository {prefix}",
        f"KMS alias alias/{prefix}",
    }


@pytest.mark.deep
def test_every_name_that_is_taken_is_told_with_a_command_that_frees_it(user: User, sandbox: Sandbox) -> None:
    names = _take(sandbox)

    refused = user.run("deploy", "local", "--yes")

    assert refused.code == 2, refused.err
    assert {name for name in names if f": the {name} " in refused.err} == names
    assert "salt-key is scheduled for deletion" in refused.err
    assert "nothing was changed" in refused.err
    assert client(sandbox, "cloudformation").describe_stacks()["Stacks"] == []
    _free(user, refused.err)

    done = user.run("deploy", "local", "--yes")

    assert done.code == 0, done.err


def _free(user: User, told: str) -> None:
    """Run every command that *told* names."""
    commands = re.findall(r"`(aws [^`]*)`", told)
    assert len(commands) == 7
    where = ("--endpoint-url", user.variables["AWS_ENDPOINT_URL"], "--region", "us-east-1")
    for command in commands:
        done = user.call(AWS, *shlex.split(command)[1:], *where)
        assert done.code == 0, (command, done.err)


def test_a_name_that_is_taken_in_the_meantime_stands_in_the_cause(user: User, sandbox: Sandbox) -> None:
    """AWS's own reason may be without it."""
    sandbox.faults.add(
        {
            "resources": [
                {"operation": "create", "type": LOG, "reason": "The specified log group already exists"}
            ]
        }
    )

    failed = user.run("deploy", "local", "--yes")

    assert failed.code == 1, failed.err
    last = failed.err.splitlines()[-1]
    assert re.search(r"The specified log group already exists \(its name: /[\w/-]*local-litellm", last), last
