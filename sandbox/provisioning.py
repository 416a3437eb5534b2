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
    """
    Whether nothing waits until the resource is ready: the operation ends with its configuration applied.
    """


@dataclass(frozen=True)
class Provisioned:
    """One resource as it is: the result of `Ref`, and of `Fn::GetAtt` by attribute name."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class ProvisionError(Exception):
    """A resource cannot be made, changed or removed; the text is the reason shown in the stack's events."""

    def __init__(self, reason: str, *, seconds: float = 0.0, in_use: bool = False) -> None:
        """
        *seconds*: additional time until the error is known.

        *in_use*: whether the deletion would succeed without another resource that uses it.
        """
        super().__init__(reason)
        self.seconds = seconds
        self.in_use = in_use


class Gone(Exception):  # noqa: N818 - named after what was found
    """A resource no longer exists: it was deleted outside CloudFormation."""


class Caller(Protocol):
    """The caller whose credentials an operation uses until its end, if not an administrator."""

    def provisions(self, operation: str, asked: Request, current: Provisioned | None, /) -> None:
        """Authorize ``create``, ``update`` or ``delete`` in the caller's name; raises ProvisionError."""


class Provisioner(Protocol):
    """Creates resources; called under the account's lock, one call at a time."""

    def create(self, request: Request) -> Provisioned:
        """Create the resource; raises ProvisionError."""

    def adopt(self, request: Request, identifier: str) -> Provisioned:
        """Import the existing resource *identifier*; raises ProvisionError."""

    def update(
        self, request: Request, old_properties: Mapping[str, Any], current: Provisioned
    ) -> Provisioned:
        """Change the resource in place (never called for a replacement); raises ProvisionError."""

    def awaits(self, request: Request, current: Provisioned, told: Callable[[str | None], None]) -> bool:
        """
        Whether the created or changed resource is not ready yet.

        *told* is then called, under the account's lock, with the reason of its failure; None when it is
        ready.
        """

    def snapshot(self, request: Request, current: Provisioned, name: str) -> None:
        """Take the snapshot *name* before the deletion, if its type supports it; raises ProvisionError."""

    def delete(self, request: Request, current: Provisioned) -> None:
        """Delete the resource, whose properties are the last deployed; a missing one is no error."""

    def read(self, request: Request, current: Provisioned) -> Mapping[str, Any] | None:
        """
        Return the live values of the resource's readable properties.

        None if its type has none; raises Gone, ProvisionError.
        """

    def duration(self, type_name: str, /) -> float:
        """Virtual seconds to create or delete a resource of this type."""

    def resolve(self, reference: str) -> str:
        """Return the value of a dynamic reference, e.g. `{{resolve:ssm:/name}}`; raises ProvisionError."""


@dataclass(frozen=True)
class Refused:
    """A schema's error about a value."""

    path: str
    """Place below the properties: ``/Engine``, empty for the properties as a whole."""
    told: str
    """The message in an operation: ``#/Engine: failed validation constraint for keyword [enum]``."""
    early: str
    """The message of the validation before an operation."""


class Schemas(Protocol):
    """The provider schemas' facts on resource types."""

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
        """Errors of the type's schema in *region* about values; unknown values have none."""
