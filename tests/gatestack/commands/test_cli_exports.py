"""Exports in use, as a user meets them: refused with the flag that allows it, and done with it."""

import json

from deployer.changes.export_impact import FLAG
from tests.command import User

IN_USE = ("--only", "network", "--only", "alb")
"""What is imported, and who imports it."""


def test_another_range_of_the_vpc_is_refused_before_anything_is_touched(user: User) -> None:
    user.edit("dev", "network:\n", "network:\n  vpc_cidr: 10.0.0.0/16\n")
    assert user.run("deploy", "dev", "--yes", *IN_USE).code == 0
    user.edit("dev", "10.0.0.0/16", "10.8.0.0/16")
    told = (
        "it would replace Vpc (AWS::EC2::VPC), and InternetAttachment attaches an internet gateway that "
        "cannot leave the old VPC first: give the VPC its old range again; another range needs a new "
        "environment"
    )
    for consent in [], ["--migrate-exports"]:
        assert told in user.run("plan", "dev", *IN_USE, *consent).out
        done = user.run("deploy", "dev", "--yes", *IN_USE, *consent)
        assert (done.code, told in done.err, "UPDATE_IN_PROGRESS" in done.err) == (4, True, False), done.err

    user.edit("dev", "10.8.0.0/16", "10.0.0.0/16")
    again = user.run("deploy", "dev", "--yes", *IN_USE)
    assert (again.code, "dev: nothing changes" in again.err) == (0, True), again.err


def test_a_replaced_group_in_use_and_lost_data_need_one_command_that_does_both(user: User) -> None:
    assert user.run("generate", "llm-testing", "--out", "built").code == 0
    assert user.run("deploy", "built", "--yes").code == 0
    path = user.folder / "built" / "network.json"
    template = json.loads(path.read_text())
    group = template["Resources"]["AlbSecurityGroup"]["Properties"]
    group["GroupDescription"] += " (new)"
    path.write_text(json.dumps(template))
    path = user.folder / "built" / "service.json"
    template = json.loads(path.read_text())
    del template["Resources"]["TaskLog"]
    text = json.dumps(template).replace('{"Ref": "TaskLog"}', '"elsewhere"').replace('"TaskLog"', '"Cluster"')
    path.write_text(text)

    refused = user.run("deploy", "built", "--yes")
    assert (refused.code, "--migrate-exports" in refused.err.splitlines()[-1]) == (4, True), refused.err
    named = [line.partition("#")[0].strip() for line in refused.err.splitlines()]
    assert f"gatestack deploy built {FLAG} --allow-replace TaskLog" in named
    allows = f"gatestack deploy built --allow-replace TaskLog {FLAG}"
    asked = user.at_a_terminal("y\n", "deploy", "built")
    assert (asked.code, asked.err.count("which AWS refuses"), "Deploy this" in asked.err) == (4, 1, False)
    assert asked.err.splitlines()[-1].endswith(f"nothing was changed; to allow it: {allows}")
    planned = user.run("plan", "built", "--migrate-exports")
    group = "test-llm-testing-network-AlbSecurityGroupId"
    assert f"note: phase 1 of 3: alb are pinned to the current values of {group}" in planned.out

    done = user.run(*allows.split()[1:], "--yes")
    assert done.code == 0, done.err
    assert "phase 3 of 3: everything as it should be" in done.err
    again = user.run("deploy", "built", "--yes")
    assert (again.code, "test: nothing changes" in again.err) == (0, True), again.err
