"""Permissions that a team's own stacks need and the deploy role of `gatestack bootstrap` lacks. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from deployer.preflight.handlers import actions_of
from generator.manifest import StackSpec

HANDLERS = ("create", "read", "update", "delete")


@dataclass(frozen=True)
class Ungranted:
    """A type that the deploy role could not make."""

    stack: str
    type: str
    actions: tuple[str, ...]
    """Those that no statement of the role allows, on any resource."""


def ungranted(stacks: Collection[StackSpec], account: str) -> tuple[Ungranted, ...]:
    """
    Return the types in a team's own *stacks* that the role of *account* may not create.

    *account*: the template of the account's stack. Only the actions of its statements count; `gatestack
    preflight` checks their resources.
    """
    allowed = re.compile("|".join(_patterns(json.loads(account))), re.IGNORECASE)

    def missing_of(type_: str) -> tuple[str, ...]:
        return tuple(sorted(one for one in actions_of(type_, *HANDLERS) if not allowed.fullmatch(one)))

    return tuple(
        Ungranted(spec.name, type_, missing)
        for spec in stacks
        for type_ in sorted({one["Type"] for one in json.loads(spec.template)["Resources"].values()})
        if (missing := missing_of(type_))
    )


def policy(found: tuple[Ungranted, ...]) -> str:
    """Return a policy that allows all of it on every resource; only its author can narrow it."""
    actions = sorted({action for one in found for action in one.actions})
    statement = {"Sid": "OwnStacks", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _patterns(template: dict[str, Any]) -> Iterator[str]:
    resources = template["Resources"]
    for arn in resources["DeployRole"]["Properties"]["ManagedPolicyArns"]:
        for statement in resources[arn["Ref"]]["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                yield from (translate(one) for one in ([actions] if isinstance(actions, str) else actions))
