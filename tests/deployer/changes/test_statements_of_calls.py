"""A plan shows what config.yaml lets the tasks call: each statement whole, whatever the names in it are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.changes.statements import changed
from deployer.scrub import scrubbed
from deployer.secrecy import hidden
from deployer.states import Change, PropertyChange
from tests.stacks.systems.litellm_files import allowed, examples, load, of_example


def policies(statements: dict[str, Any]) -> str:
    document = {"Version": "2012-10-17", "Statement": [*statements.values()]}
    return json.dumps([{"PolicyName": "TaskRole", "PolicyDocument": document}])


@pytest.mark.parametrize("name", [name for name, one in examples().items() if one["statements"]])
def test_a_statement_that_is_new_is_shown_with_its_actions_and_resources(name: str) -> None:
    after = allowed(of_example(examples()[name]))
    detail = PropertyChange(
        "Properties", "Policies", before=policies(allowed(load({}))), after=policies(after)
    )
    (shown,) = hidden(Change("Modify", "TaskRole", "AWS::IAM::Role", details=(detail,))).details
    lines = [scrubbed(line) for line in changed(shown)]

    assert [line.partition(":")[0] for line in lines] == [f"+ {sid}" for sid in after]
    for line, statement in zip(lines, after.values(), strict=True):
        assert all(text in line for text in [*statement["Action"], *statement["Resource"]])
