"""IAM statements for the tasks' AWS calls: for their role, and for its permissions boundary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awacs import aws
from awacs.aws import Action, Condition, Statement
from troposphere import Sub

from stacks.calls.call import Grant
from stacks.parts.policies import allow


def statements(grants: Iterable[Grant]) -> list[Statement]:
    """Return a statement for each of *grants*."""
    return [
        allow(
            one.sid,
            [Action(*action.split(":")) for action in one.actions],
            _filled(one.resources),
            _condition(one),
        )
        for one in grants
    ]


def _condition(grant: Grant) -> Condition | None:
    if grant.when is None:
        return None
    values = _filled(grant.when.values)
    operator = getattr(aws, grant.when.operator)
    return Condition(operator(grant.when.key, values if values[1:] else values[0]))


def _filled(texts: tuple[str, ...]) -> list[Any]:
    """Let CloudFormation put in account and partition."""
    return [Sub(one) if "${" in one else one for one in texts]
