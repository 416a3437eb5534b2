"""
Validates `service.task_policy`, `service.managed_policies` and `service.security_group_ids`. Pure, except
for the list of IAM's actions, which is read for a file that lists any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from stacks.calls.bedrock import INVOKE
from stacks.calls.grants import characters as called_characters
from stacks.calls.grants import granted
from stacks.calls.reading import reading
from stacks.checking.limits import OWN_OUTPUT
from stacks.checking.problems import Finding
from stacks.checking.regions import partition_of
from stacks.checking.tasks import iam_actions
from stacks.sections.access import Allowed
from stacks.settings import Settings

KEY: Final = "service.task_policy"
POLICY_NAME: Final = "FromEnvironmentFile"
"""Of the inline policy that holds the statements."""
OWN_POLICY_NAME: Final = "OnOwnStacks"
"""Of the one that holds those on what the team's own stacks make."""
LONGEST_OUTPUT: Final = "x" * 100
"""What an output is taken for where characters are counted: an ARN with a name as CloudFormation makes it."""
MOST_CHARACTERS: Final = 10_240
"""Of all inline policies of a role, white space aside (IAM User Guide, "IAM and AWS STS quotas")."""
OWN_CHARACTERS: Final = 1_600
"""What gatestack's own statements of the tasks' role take at the most, those of its calls aside."""
BOUNDARY_CHARACTERS: Final = 1_500
"""
What is left of a managed policy's 6,144 characters in the boundary that `gatestack bootstrap` makes.
"""
CONDITION_OPERATORS: Final = (
    "String",
    "Numeric",
    "Date",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "Arn",
    "Null",
    "ForAllValues:",
    "ForAnyValue:",
)
"""What operators begin with (IAM User Guide, "IAM JSON policy elements: Condition operators")."""
ADMINISTRATORS: Final = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


def task_policy_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what IAM refuses, what allows nothing, and what is wider than anybody has given a reason for."""
    statements = settings.service.task_policy
    for index, one in enumerate(statements):
        if one.sid in [other.sid for other in statements[:index]]:
            yield _at(f"{one.sid} stands twice; IAM takes each once", index, "sid")
        for number, action in enumerate(one.actions):
            if wrong := iam_actions.objection(action):
                yield _at(wrong, index, "actions", number)
        yield from _width(index, one)
        for operator in one.conditions:
            if not operator.startswith(CONDITION_OPERATORS):
                message = f"IAM knows no operator {operator}; write one like StringEquals or ArnLike"
                yield _at(message, index, "conditions", operator)
    yield from _size(settings)
    yield from _twice("service.managed_policies", settings.service.managed_policies)
    yield from _twice("service.security_group_ids", settings.service.security_group_ids)


def task_policy_advice(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each right that is wider than it seems, or that a boundary keeps back."""
    for one in settings.service.task_policy:
        wide = [action for action in one.actions if iam_actions.know_resources(action)]
        if one.effect == "Allow" and "*" in one.resources and wide:
            yield (
                f"{KEY}: {one.sid}: {', '.join(wide)} on every resource of the account; name those that are "
                "meant"
            )
    for arn in settings.service.managed_policies:
        if arn.rpartition("/")[2] in ADMINISTRATORS:
            yield f"service.managed_policies: {arn}: who gets into a task has these rights over the account"
    yield from boundary_advice(settings)


def boundary_advice(settings: Settings) -> Iterator[str]:
    """Yield what no boundary of gatestack's lets through, whatever the tasks' role is given."""
    boundary = settings.pipelines.boundary
    if boundary and settings.service.managed_policies:
        yield (
            f"service.managed_policies: the tasks' role is limited by the boundary {boundary}, and what that "
            "does not allow, no policy allows; gatestack's own boundary takes up service.task_policy, not "
            "what is in a managed policy"
        )
    if boundary not in {None, "gatestack"}:
        if settings.service.task_policy:
            yield f"{KEY}: only what the boundary {boundary} allows as well"
        if called := granted(reading(settings).calls):
            names = ", ".join(action for one in called for action in one.actions[:1])
            yield f"service.config: only what the boundary {boundary} allows as well: {names}"


def characters(statements: tuple[Allowed, ...]) -> int:
    """Return how many characters *statements* take in a policy."""
    texts = (json.dumps(statement(one), separators=(",", ":")) for one in statements)
    return sum(len(longest(text)) + 1 for text in texts)


def longest(text: str) -> str:
    """Return *text* with an ARN in the place of each output that it names."""
    return re.sub(OWN_OUTPUT, LONGEST_OUTPUT, text)


def statement(one: Allowed) -> dict[str, object]:
    """Return *one* as a policy has it."""
    when = {"Condition": one.conditions} if one.conditions else {}
    return {
        "Sid": one.sid,
        "Effect": one.effect,
        "Action": list(one.actions),
        "Resource": list(one.resources),
        **when,
    }


def at_the_most(one: Allowed, settings: Settings) -> dict[str, object]:
    """
    Return *one* for a boundary, which is made before any stack, so that no output is known.

    What own stacks make has a name that begins with the environment's prefix: pipelines make no other. `*`
    would let a pipeline make a role for everything that the account has of the kind.
    """
    services = dict.fromkeys(action.partition(":")[0] for action in one.actions)
    mine = [_named_like(service, settings) for service in services]
    resources = [
        found
        for text in one.resources
        for found in (
            mine if re.match(OWN_OUTPUT, text) else [re.sub(OWN_OUTPUT, f"{settings.prefix}-*", text)]
        )
    ]
    return statement(one) | {"Resource": list(dict.fromkeys(resources))}


def _named_like(service: str, settings: Settings) -> str:
    """Return the ARN of everything of *service* with a name of the environment's; S3's know no account."""
    place = "::" if service == "s3" else "*:*:*"
    return f"arn:{partition_of(settings.region)}:{service}:{place}{settings.prefix}-*"


def _at(message: str, *below: str | int, also: tuple[str, ...] = ()) -> Finding:
    return Finding(KEY, message, also, below)


def _width(index: int, one: Allowed) -> Iterator[Finding]:
    """A wildcard of actions on every resource gives what nobody has read; so does every action there is."""
    if one.effect == "Deny" or one.reason:
        return
    for number, action in enumerate(one.actions):
        if action == "*" or ("*" in one.resources and set("*?") & set(action)):
            message = f"{action} on {', '.join(one.resources)}; name the actions, or say why as its reason"
            yield _at(message, index, "actions", number)


def _size(settings: Settings) -> Iterator[Finding]:
    called, partition = granted(reading(settings).calls), partition_of(settings.region)
    found = characters(settings.service.task_policy)
    room = MOST_CHARACTERS - OWN_CHARACTERS - called_characters(called, partition)
    limited = called_characters((one for one in called if one.actions != INVOKE), partition)
    if room < 0:
        message = (
            f"what it calls AWS for takes {-room} characters more than a role's inline policies have room "
            "for; let a role of your own call some of it (aws_role_name), which has the permissions then"
        )
        yield Finding("service.config", message, ("service.bedrock_models",))
    elif found > room:
        message = (
            f"{found} characters, and the role's inline policies have room for {room} beside gatestack's "
            "own; put them into a managed policy and name it in service.managed_policies"
        )
        yield _at(message, also=("service.bedrock_models", "service.config"))
    elif found + limited > BOUNDARY_CHARACTERS and settings.pipelines.boundary == "gatestack":
        message = (
            f"{found + limited} characters with what service.config needs, and the boundary that bootstrap "
            f"makes has room for {BOUNDARY_CHARACTERS}; write fewer, or a boundary of your own as "
            "pipelines.permissions_boundary"
        )
        yield _at(message, also=("pipelines.permissions_boundary", "service.config"))


def _twice(key: str, items: tuple[str, ...]) -> Iterator[Finding]:
    for index, one in enumerate(items):
        if one in items[:index]:
            yield Finding(key, f"{one} stands twice; keep one of them", below=(index,))
