"""What a plan says of a role's policies, statement by statement."""

import json
from typing import Any

import pytest

from deployer.changes.statements import changed
from deployer.states import PropertyChange


def detail(name: str, before: Any, after: Any) -> PropertyChange:
    texts = (
        None if one is None else one if isinstance(one, str) else json.dumps(one) for one in (before, after)
    )
    return PropertyChange("Properties", name, "Never", *texts)


def policies(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": "x", "PolicyDocument": {"Statement": list(statements)}}]


KEPT = {"Sid": "Kept", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
READ = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [{"Fn::Sub": "a"}]}


def test_what_is_added_and_taken_away_is_said_and_nothing_else() -> None:
    other = READ | {"Action": ["s3:PutObject"], "Condition": {"Bool": {"a": "b"}}}

    assert changed(detail("/Properties/Policies", policies(KEPT, READ), policies(KEPT, other))) == (
        '- Read: Allow s3:GetObject on {"Fn::Sub": "a"}',
        '+ Read: Allow s3:PutObject on {"Fn::Sub": "a"} when {"Bool": {"a": "b"}}',
    )
    del KEPT["Sid"]
    one = {"Statement": KEPT}
    assert changed(detail("/Properties/PolicyDocument", None, one)) == (
        "+ a statement without Sid: Allow s3:ListBucket on *",
    )


@pytest.mark.parametrize("value", [None, "[{cut", "3", '"x"', [{"PolicyDocument": 3}], ["x"]])
def test_what_is_no_policy_says_nothing(value: Any) -> None:
    assert changed(detail("/Properties/Policies", value, value)) == ()
    assert changed(detail("/Properties/Tags", None, policies(READ))) == ()
