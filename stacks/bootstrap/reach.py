"""The scope of the pipelines' roles: ARNs by environment names, conditions on gatestack's tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from awacs.aws import (
    Action,
    Condition,
    ConditionElement,
    ForAnyValueStringEquals,
    StringEquals,
    StringLike,
)
from troposphere import AccountId, Sub

from stacks.checking.limits import KEPT_OF_STACK
from stacks.settings import Settings, System


def actions(service: str, names: str) -> list[Action]:
    """Return the actions of *service* whose *names* stand in a text."""
    return [Action(service, name) for name in names.split()]


def arn_of(service: str, resource: str, *, regional: bool = True) -> Sub:
    """Return the ARN of *resource* in this account; ``cloudwatch`` dashboards and IAM know no region."""
    region = "${AWS::Region}" if regional else ""
    return Sub(f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}")


@dataclass(frozen=True)
class Reach:
    """The environments that a role is for."""

    prefixes: tuple[str, ...]
    """``dev-litellm``, or ``*-litellm`` for all environments of a system."""

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """Return what *settings* say; by default their own environment."""
        return cls(tuple(sorted(settings.pipelines.deploys)) or (settings.prefix,))

    def arns(self, service: str, *resources: str, regional: bool = True) -> list[Sub]:
        """Return the ARNs of *resources*, with ``{p}`` replaced by each of the prefixes."""
        return [
            arn_of(service, resource.format(p=prefix), regional=regional)
            for resource in resources
            for prefix in self.prefixes
        ]

    def globally(self, service: str, *resources: str) -> list[Sub]:
        """Return the ARNs without region and account: buckets."""
        return [
            Sub(f"arn:${{AWS::Partition}}:{service}:::{resource.format(p=prefix)}")
            for resource in resources
            for prefix in self.prefixes
        ]

    def generated(self) -> list[str]:
        """
        Return the prefixes of the names that CloudFormation generates for the stacks' roles and buckets.

        A pattern for a whole system stays whole: an environment that it would miss is refused
        (`stacks.checking.pipelines`).
        """
        return [f"{one}-" if "*" in one else f"{one}-"[:KEPT_OF_STACK] for one in self.prefixes]

    def roles(self) -> list[Sub]:
        """Return the ARNs of the stacks' roles."""
        return [arn_of("iam", f"role/{one}*", regional=False) for one in self.generated()]

    def buckets(self, within: str = "") -> list[Sub]:
        """Return the ARNs of the stacks' buckets, or with ``/*`` of what is in them."""
        return [Sub(f"arn:${{AWS::Partition}}:s3:::{one}*{within}") for one in self.generated()]

    def owned(self) -> list[StringEquals]:
        """Return the conditions of a resource that is ours, by tags that only its creator can have set."""
        return [StringEquals({f"aws:ResourceTag/{tag}": value for tag, value in self._tags().items()})]

    def tagged(self) -> list[StringEquals]:
        """Return the conditions of a request that creates a resource of ours."""
        return [StringEquals({f"aws:RequestTag/{tag}": value for tag, value in self._tags().items()})]

    def change_sets(self, names: str) -> StringLike:
        """
        Return the condition that a change set is called like *names*.

        A request names it by its name or by its ARN, and which of them the key has then is not documented
        (Service Authorization Reference, "Condition keys for AWS CloudFormation", November 2026).
        """
        return StringLike(
            {"cloudformation:ChangeSetName": [names, arn_of("cloudformation", f"changeSet/{names}")]}
        )

    def _tags(self) -> dict[str, str | list[str]]:
        systems, environments = zip(*(_split(prefix) for prefix in self.prefixes), strict=True)
        tags: dict[str, str | list[str]] = {"ManagedBy": "gatestack", "System": _values(systems)}
        return tags if "*" in environments else tags | {"Environment": _values(environments)}


def when(*conditions: ConditionElement) -> Condition:
    """
    Return the condition that all of *conditions* hold.

    An operator stands once in a statement, with every key that it compares: of two of a kind awacs would keep
    the last one alone.
    """
    kinds: dict[type[ConditionElement], dict[str, object]] = {}
    for one in conditions:
        kinds.setdefault(type(one), {}).update(_keys(one))
    return Condition([kind(keys) for kind, keys in kinds.items()])


def _keys(element: ConditionElement) -> dict[str, object]:
    """Return what *element* compares: awacs takes one key and its value, or a mapping."""
    if element.cond_dict is not None:
        return dict(element.cond_dict)
    return {str(element.key): element.value}


BY_CLOUDFORMATION = ForAnyValueStringEquals("aws:CalledVia", ["cloudformation.amazonaws.com"])
"""
Only requests of CloudFormation in the role's name (IAM User Guide, "AWS global condition context keys").
"""


HERE = StringEquals("aws:ResourceAccount", AccountId)
"""Only in this account: names of buckets are unique worldwide, so one like ours may be somebody else's."""


def _split(prefix: str) -> tuple[str, str]:
    """Return system and environment of *prefix*; no system's name ends with another's."""
    system = next(one for one in get_args(System) if prefix.endswith(f"-{one}"))
    return system, prefix.removesuffix(f"-{system}")


def _values(found: Iterable[str]) -> str | list[str]:
    values = sorted(set(found))
    return values[0] if len(values) == 1 else values
