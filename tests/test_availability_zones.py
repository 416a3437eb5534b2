"""Accounts whose first two zones are not what templates take for granted: a whole command, on the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User


def zone(letter: str, zone_id: str, **more: Any) -> dict[str, Any]:
    return {"name": f"us-east-1{letter}", "id": zone_id, **more}


REST = [zone("b", "use1-az2"), zone("c", "use1-az4")]
ACCOUNTS = {
    "one default subnet": (
        [zone("a", "use1-az1"), *(one | {"default_subnet": False} for one in REST)],
        "Fn::Select cannot select nonexistent value at index 1",
    ),
    "no NAT gateway": (
        [zone("a", "use1-az3", gaps=["nat"]), *REST],
        "Nat Gateway is not available in this availability zone",
    ),
    "no endpoint": (
        [zone("a", "use1-az3", gaps=["ecr.api"]), *REST],
        "com.amazonaws.us-east-1.ecr.api does not support the availability zone of the subnet",
    ),
    "no Fargate": (
        [zone("a", "use1-az3", gaps=["fargate"]), *REST],
        "unable to place a task. Reason: Capacity is unavailable at this time",
    ),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_first_two_zones_are_not_good_for_everything(name: str, user: User, sandbox: Sandbox) -> None:
    sandbox.faults.behaviour.zones, reason = ACCOUNTS[name]

    done = user.run("deploy", "local", "--yes")

    assert done.code == 1
    assert reason in done.err
