"""Which secrets' rotations are looked at before a schedule is made or changed, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.day2.secret_rotation import Rotating
from deployer.errors import CloudError, Refused
from deployer.kept import Kept
from deployer.observed import Desired
from deployer.progress import Event, Notice
from deployer.run.rotations import SCHEDULE, check_rotations, rescheduled
from deployer.run.work import Work
from deployer.states import Change
from tests.deployer.fakes import Clock, FakeCloud, spec

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:dev/key-AbCdEf"
IMPORTED: dict[str, Any] = {"Fn::ImportValue": "dev-security-Key"}


def template(secret: Any) -> str:
    return json.dumps({"Resources": {"Schedule": {"Type": SCHEDULE, "Properties": {"SecretId": secret}}}})


@pytest.mark.parametrize(
    ("found", "secret", "asked"),
    [
        (None, IMPORTED, ["value of dev-security-Key"]),
        (None, {"Ref": "Secret"}, []),
        (None, ARN, []),
        ((Change("Modify", "Schedule", SCHEDULE, ARN),), IMPORTED, [ARN]),
        ((Change("Add", "Schedule", SCHEDULE),), IMPORTED, ["value of dev-security-Key"]),
        ((Change("Add", "Schedule", SCHEDULE),), {"Ref": "Secret"}, []),
        ((Change("Remove", "Schedule", SCHEDULE, ARN),), IMPORTED, []),
        ((Change("Modify", "Function", "AWS::Lambda::Function", "f"),), IMPORTED, []),
        ((), IMPORTED, []),
    ],
)
def test_only_a_schedule_that_is_made_or_changed_is_asked_about(
    found: tuple[Change, ...] | None, secret: Any, asked: list[str]
) -> None:
    assert list(rescheduled(found, template(secret), lambda export: f"value of {export}")) == asked


def test_a_secret_that_an_earlier_destroy_has_kept_in_the_middle_of_its_rotation_is_seen() -> None:
    output = {"Value": {"Ref": "KeySecret"}, "Export": {"Name": "dev-security-Key"}}
    kept = {"Resources": {}, "Outputs": {"Key": output}}
    security, service = (
        Work(spec(name, text), Desired(f"dev-{name}", {}), "deploy")
        for name, text in {"security": json.dumps(kept), "service": template(IMPORTED)}.items()
    )
    cloud = FakeCloud(Clock())
    cloud.rotates_until = float("inf")
    told: list[Event] = []

    check_rotations([service, security], cloud, lambda _: ARN, told.append, "dev")  # it is yet to be made
    assert cloud.calls == []
    with pytest.raises(Refused):
        check_rotations(
            [service], cloud, lambda _: ARN, told.append, "dev"
        )  # it is there, in no stack of this run
    cloud.calls.clear()

    security.to_import = (Kept("KeySecret", "AWS::SecretsManager::Secret", ARN),)
    with pytest.raises(Refused, match=r"^service: the rotation of .* is not complete"):
        check_rotations([service, security], cloud, lambda _: None, told.append, "dev")
    assert cloud.calls == [("rotating", ARN)]

    cloud.raises["rotating"] = [CloudError("denied")]
    check_rotations([service, security], cloud, lambda _: None, told.append, "dev")
    assert told == [Notice("pending rotations could not be checked: denied", "service", warning=True)]


def test_both_ways_out_are_told_as_commands() -> None:
    text = Rotating("dev-litellm/master-key", "v2").refusal("dev")

    assert "`gatestack rotate dev master-key`" in text
    assert "`aws secretsmanager cancel-rotate-secret --secret-id dev-litellm/master-key`" in text
    assert "--version-stage AWSPENDING --remove-from-version-id v2`" in text
