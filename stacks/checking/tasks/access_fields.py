"""Types of values of permission keys: actions, resources, policies, groups. Independent of any key."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.checking import limits
from stacks.checking.fields import Checked, shape

MOST_MANAGED = 10
"""Managed policies of a role (IAM User Guide, "IAM and AWS STS quotas", the default; read 2026-11-28)."""
MOST_GROUPS = 5
"""Security groups of a network interface (Amazon VPC User Guide, "Amazon VPC quotas", the default)."""
OWN_GROUPS = 1
"""The tasks' own group."""

Sid = Annotated[str, shape(r"[A-Za-z0-9]{1,100}", "a statement's sid: letters and digits")]
Action = Annotated[
    str,
    shape(r"\*|[a-z0-9][a-z0-9-]*:[A-Za-z0-9*?]+", "an action of IAM's, service:Action, like s3:GetObject"),
]
Resource = Annotated[
    str,
    shape(
        r"\*|arn:(aws[a-z-]*|\*):[^\s:]*:[^\s:]*:[^\s:]*:\S{1,1600}"
        rf"|{limits.OWN_OUTPUT}\S{{0,1600}}",
        "an ARN, * for every resource, or an output of a stack of your own, like ${extras.BucketArn}/*",
    ),
]
Reason = Annotated[str, shape(r"\S.{0,255}", "a reason: a line of text")]
ManagedPolicy = Annotated[
    str,
    shape(
        r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\x21-\x7e]{1,512}",
        "the ARN of a managed policy, like arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    ),
]
SecurityGroup = Annotated[
    str, shape(r"sg-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a security group, sg- and 8 or 17 hex digits")
]


def _few(count: int, what: str) -> Checked:
    """A list of *count* entries at most, by a quota of AWS's."""

    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if len(items) > count:
            raise ValueError(f"the list has {len(items)} {what}; AWS takes {count} beside gatestack's own")
        return items

    return Checked(check, (("maxItems", count),))


ManagedPolicies = Annotated[
    tuple[ManagedPolicy, ...], Field(strict=False), _few(MOST_MANAGED, "managed policies")
]
SecurityGroups = Annotated[
    tuple[SecurityGroup, ...], Field(strict=False), _few(MOST_GROUPS - OWN_GROUPS, "security groups")
]
