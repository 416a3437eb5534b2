"""One row of the provisioning table: a type, how it is made, what its service shows, and a change to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.provisioning import Provisioned
from tests.sandbox.provision_world import World

ARN = r"arn:aws:{}:us-east-1:\d{{12}}:"


@dataclass(frozen=True)
class Case:
    """One type: its properties, its service's data on it, and a change."""

    type: str
    properties: Callable[[World], Mapping[str, Any]]
    read: Callable[[World, Provisioned], Any]
    shows: Any
    ref: str
    """Pattern of `Ref`."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Patterns of `Fn::GetAtt`."""
    change: Callable[[World], Mapping[str, Any]] | None = None
    then_shows: Any = None


def tags_of(pairs: Any) -> str:
    return {pair.get("Key", pair.get("key")): pair.get("Value", pair.get("value")) for pair in pairs}[
        "ManagedBy"
    ]


def first(world: World, service: str, operation: str, of: str, /, **which: Any) -> Any:
    return getattr(world.api(service), operation)(**which)[of][0]
