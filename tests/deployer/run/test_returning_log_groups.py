"""Log groups that a service makes again after their stack is gone: removed at the end of a destruction."""

from __future__ import annotations

import pytest

from deployer.checks.names import Holder
from deployer.errors import CloudError
from deployer.progress import Notice
from deployer.run.returning import TYPE
from sandbox.server import Sandbox
from tests.command import User
from tests.deployer.fakes import manifest, spec, template
from tests.deployer.run.runs import World
from tests.stacks.functions.rotations import client_of

GROUP = {"Type": TYPE, "Properties": {"LogGroupName": "Log-id"}}


@pytest.mark.parametrize(
    ("tags", "policy", "removed"),
    [({}, "Delete", ["Log-id"]), ({"team": "other"}, "Delete", []), (None, "Delete", []), ({}, "Retain", [])],
)
def test_only_an_untagged_group_that_the_run_has_deleted_goes(
    tags: dict[str, str] | None, policy: str, removed: list[str]
) -> None:
    world = World()
    wanted = manifest(spec("a", template({"Log": {**GROUP, "DeletionPolicy": policy}})))
    world.deploy(wanted)
    world.cloud.holders = (Holder(TYPE, "Log-id", tags), Holder(TYPE, "other", {}))

    assert world.destroy(wanted).exit_code == 0
    assert world.cloud.acts("delete_log_group") == removed


def test_that_it_cannot_be_looked_for_again_does_not_fail_the_destruction() -> None:
    world = World()
    wanted = manifest(spec("a", template({"Log": GROUP})))
    world.deploy(wanted)
    world.cloud.raises["taken"] = [CloudError("denied")]

    assert world.destroy(wanted).exit_code == 0
    assert "whether log groups came back" in world.said(Notice)[-1].text


@pytest.mark.deep
def test_what_comes_back_is_removed_and_the_environment_deployed_again(user: User, sandbox: Sandbox) -> None:
    assert user.run("deploy", "local", "--yes").code == 0
    sandbox.faults.add({"behaviour": {"logs_return": 20.0}})

    gone = user.run("destroy", "local", "--yes")

    assert gone.code == 0, gone.err
    assert "came back after its deletion" in gone.err
    groups = client_of(sandbox, "logs").describe_log_groups()["logGroups"]
    assert [one["logGroupName"] for one in groups if "local-litellm" in one["logGroupName"]] == []
    again = user.run("deploy", "local", "--yes")
    assert again.code == 0, again.err
