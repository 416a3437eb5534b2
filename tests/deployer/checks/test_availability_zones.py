"""Accounts whose first two zones are not what templates take for granted: whole commands, on the sandbox."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployer.aws.account import connect
from deployer.changes.preview import plan
from deployer.deploy import deploy
from deployer.options import Host, Options
from generator.render import render
from sandbox.server import Sandbox
from stacks.environment import load
from tests.command import LOGIN, User
from tests.sandbox.sandbox_account import client

FILE = "environments/local.yaml"


def zone(letter: str, zone_id: str, **more: Any) -> dict[str, Any]:
    return {"name": f"us-east-1{letter}", "id": zone_id, **more}


REST = [zone("b", "use1-az2"), zone("c", "use1-az4")]
PICKED = "us-east-1b (use1-az2), us-east-1c (use1-az4); left out: us-east-1a (use1-az1): "
LOCAL_ZONE = {"name": "us-east-1-bos-1a", "id": "use1-bos1-az1", "type": "local-zone"}
ACCOUNTS = {
    "one default subnet": (
        [zone("a", "use1-az1"), *(one | {"default_subnet": False} for one in REST)],
        "us-east-1a (use1-az1), us-east-1b (use1-az2); left out: us-east-1c (use1-az4): not needed",
    ),
    "no endpoint, and a Local Zone": (
        [LOCAL_ZONE, zone("a", "use1-az1", gaps=["ecr.api", "logs"]), *REST],
        f"{PICKED}no endpoint of ecr.api, logs",
    ),
    "no class": (
        [zone("a", "use1-az1", gaps=["db.t3.micro"]), *REST],
        f"{PICKED}no db.t3.micro of postgres",
    ),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_plan_shows_which_zones_are_picked_and_why_others_are_not(
    name: str, user: User, sandbox: Sandbox
) -> None:
    sandbox.faults.behaviour.zones, told = ACCOUNTS[name]

    done = user.run("plan", "local", "--only", "network")

    assert done.code == 0, done.err
    assert f"network: availability zones: {told}" in done.out


@pytest.mark.parametrize("command", [("plan", "local"), ("deploy", "local", "--yes")])
def test_too_few_zones_are_refused_before_anything_is_touched(
    command: tuple[str, ...], user: User, sandbox: Sandbox
) -> None:
    sandbox.faults.behaviour.zones = [zone("a", "use1-az1", gaps=["db.t3.micro"]), REST[0]]

    done = user.run(*command)

    assert done.code == 2
    assert "the network needs 2 availability zones, and 1 of 2 in us-east-1 have what it needs" in done.err
    assert "us-east-1a (use1-az1): no db.t3.micro of postgres" in done.err
    assert "CreateChangeSet" not in {call.action for call in sandbox.calls}


def zones_of(sandbox: Sandbox) -> set[str]:
    found = client(sandbox, "ec2").describe_subnets()["Subnets"]
    return {one["AvailabilityZone"] for one in found if not one["DefaultForAz"]}


def test_a_network_is_made_where_everything_is_and_stays_there(user: User, sandbox: Sandbox) -> None:
    sandbox.faults.behaviour.zones = [zone("a", "use1-az3", gaps=["nat", "ecr.api"]), *REST]
    done = user.run("deploy", "local", "--only", "security", "--only", "network", "--yes")
    assert done.code == 0, done.err
    assert zones_of(sandbox) == {"us-east-1b", "us-east-1c"}

    # AWS lists others first, and one of ours no longer offers what it did
    sandbox.faults.behaviour.zones = [zone("d", "use1-az1"), *reversed(REST), zone("a", "use1-az3")]
    again = user.run("plan", "local", "--only", "network")
    assert "local: nothing changes" in again.out, again.out

    text = (user.folder / FILE).read_text().replace("network:\n", "network:\n  availability_zones: [{}]\n")
    (user.folder / FILE).write_text(text.format("us-east-1d, use1-az2"))
    refused = user.run("deploy", "local", "--only", "network", "--yes")
    assert refused.code == 2
    assert "the existing subnets are in us-east-1b, us-east-1c" in refused.err
    (user.folder / FILE).write_text(text.format("us-east-1b, us-east-1c"))
    assert user.run("deploy", "local", "--only", "network", "--yes").code == 0


def test_a_network_of_an_older_gatestack_changes_nothing_when_it_learns_its_zones(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    sandbox.faults.behaviour.zones = [zone("c", "use1-az6"), zone("a", "use1-az4"), *REST[:1]]
    wanted = render(load(Path(FILE)))
    network = next(one for one in wanted.stacks if one.name == "network")
    document = json.loads(network.template.replace('"Ref": "AvailabilityZones"', '"Fn::GetAZs": ""'))
    del document["Parameters"], document["Metadata"]
    before = replace(network, template=json.dumps(document), lookups=())
    aws, clock = connect("us-east-1", endpoint=sandbox.endpoint), time.monotonic
    host = Host(lambda _: None, clock, lambda seconds: time.sleep(seconds / 1000), "r", lambda: 0)

    assert deploy(replace(wanted, stacks=(before,)), aws, Options(), host).exit_code == 0
    assert zones_of(sandbox) == {"us-east-1c", "us-east-1a"}
    sandbox.faults.behaviour.zones = list(reversed(sandbox.faults.behaviour.zones))
    found = plan(replace(wanted, stacks=(network,)), aws, Options(), host)

    assert [(one.action, one.changes, one.problems) for one in found.stacks] == [("none", (), ())]


def test_zones_that_take_no_subnets_are_told_by_aws_alone_and_the_file_names_others(
    user: User, sandbox: Sandbox
) -> None:
    sandbox.faults.behaviour.zones = [zone("a", "use1-az1", gaps=["subnets"]), *REST]
    done = user.run("deploy", "local", "--only", "security", "--only", "network", "--yes")
    assert done.code == 1
    assert "name zones that have it as `network.availability_zones`" in done.err

    text = (user.folder / FILE).read_text()
    (user.folder / FILE).write_text(
        text.replace("network:\n", "network:\n  availability_zones: [use1-az2, use1-az4]\n")
    )
    assert user.run("deploy", "local", "--only", "network", "--yes").code == 0
    assert zones_of(sandbox) == {"us-east-1b", "us-east-1c"}
