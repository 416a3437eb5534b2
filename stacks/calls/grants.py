"""The permissions of the tasks' role for its calls: one statement per kind. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from stacks.calls.call import ACCOUNT, PARTITION, Call, Grant


def granted(calls: Iterable[Call]) -> tuple[Grant, ...]:
    """Return what *calls* need of the tasks' own role: those of a kind united, nothing twice."""
    united: dict[str, Grant] = {}
    for one in calls:
        for need in one.needs if one.own else ():
            before = united.get(need.sid)
            united[need.sid] = _union(before, need) if before else need
    return tuple(united.values())


def _union(one: Grant, other: Grant) -> Grant:
    """Merge the grants of a kind, which have the same actions and the same key of a condition."""
    resources = tuple(dict.fromkeys([*one.resources, *other.resources]))
    if not one.when or not other.when:
        return one._replace(resources=resources)
    values = tuple(dict.fromkeys([*one.when.values, *other.when.values]))
    return one._replace(resources=resources, when=one.when._replace(values=values))


def plain(grant: Grant) -> dict[str, object]:
    """Return *grant* as a policy has it."""
    when = grant.when
    condition = {"Condition": {when.operator: {when.key: list(when.values)}}} if when else {}
    return {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": list(grant.resources),
        **condition,
    }


def characters(grants: Iterable[Grant], partition: str) -> int:
    """Return how many characters *grants* take in a policy, once CloudFormation has put in the account."""
    text = "".join(json.dumps(plain(one), separators=(",", ":")) + "," for one in grants)
    return len(text.replace(PARTITION, partition).replace(ACCOUNT, "1" * 12))
