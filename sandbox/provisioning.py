"""The interface between CloudFormation's control plane and resources.

The control plane asks a `Provisioner` to create, update and delete one resource at a time, and `Schemas` for
what it must know about a type first. Types only; nothing here has an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One resource as the template asks for it, every function resolved."""

    type: str
    logical_id: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str]  # the stack's tags and aws:cloudformation:*: merge them where the type has tags
    stack_name: str
    stack_id: str
    account: str
    region: str
    express: bool = False
    """Whether nobody waits until the resource is ready: the operation ends with its configuration applied."""


@dataclass(frozen=True)
class Provisioned:
    """One resource as it is: what `Ref` gives, and what `Fn::GetAtt` gives by attribute name."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class ProvisionError(Exception):
    """A resource cannot be made, changed or removed; the text is the reason shown in the stack's events."""

    def __init__(self, reason: str, *, seconds: float = 0.0, in_use: bool = False) -> None:
        """
        *seconds*: how much longer than its usual time it takes until that is known.

        *in_use*: whether it would go if something else, which still uses it, were gone.
        """
        super().__init__(reason)
        self.seconds = seconds
        self.in_use = in_use


class Gone(Exception):  # noqa: N818 - named after what was found
    """A resource is no longer there: somebody deleted it behind the stack's back."""


class Caller(Protocol):
    """Whose credentials an operation uses until it is over, where they are not an administrator's."""

    def provisions(self, operation: str, asked: Request, current: Provisioned | None, /) -> None:
        """Let ``create``, ``update`` or ``delete`` be done in the caller's name; raises ProvisionError."""


class Provisioner(Protocol):
    """Makes resources; called under the account's lock, one call at a time."""

    def create(self, request: Request) -> Provisioned:
        """Make the resource; raises ProvisionError."""

    def adopt(self, request: Request, identifier: str) -> Provisioned:
        """Import the existing resource *identifier*; raises ProvisionError."""

    def update(
        self, request: Request, old_properties: Mapping[str, Any], current: Provisioned
    ) -> Provisioned:
        """Change the resource in place (never called for a replacement); raises ProvisionError."""

    def awaits(self, request: Request, current: Provisioned, told: Callable[[str | None], None]) -> bool:
        """
        Whether the resource, made or changed, is not yet what it is to be.

        *told* is then called, under the account's lock, with why it does not come to be; None when it has.
        """

    def snapshot(self, request: Request, current: Provisioned, name: str) -> None:
        """Take the snapshot *name* of what goes, where its type has such; raises ProvisionError."""

    def delete(self, request: Request, current: Provisioned) -> None:
        """Remove the resource, whose properties are the last deployed; gone already is no error."""

    def read(self, request: Request, current: Provisioned) -> Mapping[str, Any] | None:
        """
        Give the live values of those of the resource's properties that can be told.

        None where nothing can be told of its type; raises Gone, ProvisionError.
        """

    def duration(self, type_name: str, /) -> float:
        """Virtual seconds that making or removing a resource of this type takes."""

    def resolve(self, reference: str) -> str:
        """Give the value of a dynamic reference, e.g. `{{resolve:ssm:/name}}`; raises ProvisionError."""


@dataclass(frozen=True)
class Refused:
    """What a schema has against a value."""

    path: str
    """Where, from the properties on: ``/Engine``, empty for the properties as a whole."""
    told: str
    """What an operation says: ``#/Engine: failed validation constraint for keyword [enum]``."""
    early: str
    """What validation before an operation says."""


class Schemas(Protocol):
    """What the provider schemas say of resource types."""

    def known(self, type_name: str, /) -> bool:
        """Whether CloudFormation has the type."""

    def create_only(self, type_name: str, /) -> frozenset[str]:
        """Properties whose change replaces the resource, as dotted paths (`Tags`, `Settings.Name`)."""

    def identifier(self, type_name: str, /) -> tuple[str, ...]:
        """The properties that identify a resource of the type, in order, as dotted paths."""

    def attributes(self, type_name: str, /) -> frozenset[str]:
        """Names that `Fn::GetAtt` accepts, dotted where nested (`Endpoint.Address`)."""

    def required(self, type_name: str, /) -> frozenset[str]:
        """Top-level properties that must be given."""

    def tag_property(self, type_name: str, /) -> str | None:
        """Name of the property that carries the resource's tags, or None."""

    def refused(self, type_name: str, properties: Mapping[str, Any], region: str, /) -> Sequence[Refused]:
        """What the type's schema in *region* has against values; those that are not known yet say nothing."""
