"""
What the handlers of resource types share: one call, its names and tags, and the service's API.

A handler is three functions. They raise botocore's exceptions; `provision.py` converts these to reasons.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError, Request
from sandbox.resources.durations import seconds
from sandbox.resources.schema import ProviderSchemas
from sandbox.resources.shapes import fit
from sandbox.services.services import Services

_ALPHABET = string.ascii_uppercase + string.digits
_RANDOM = 12


@dataclass(frozen=True)
class Call:
    """One resource to create, change or delete: the request, and the services for it."""

    request: Request
    services: Services
    schemas: ProviderSchemas
    previous_tags: Mapping[str, str] = field(default_factory=dict)
    """`tags` at the last creation or change of the resource."""
    begun: list[Provisioned] = field(default_factory=list)
    """The resource once it exists, before it is complete."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties that the template gives."""
        return self.request.properties

    @property
    def tags(self) -> dict[str, str]:
        """The stack's tags with the resource's own over them."""
        own = self.properties.get(self.schemas.tag_property(self.request.type) or "", ())
        pairs = own if isinstance(own, Mapping) else {pair["Key"]: pair["Value"] for pair in own}
        return {**self.request.tags, **{key: str(value) for key, value in pairs.items()}}

    @property
    def user_tags(self) -> dict[str, str]:
        """`tags` without AWS's own: for services of moto that refuse those also from CloudFormation."""
        return {key: value for key, value in self.tags.items() if not key.startswith("aws:")}

    def client(self, service: str) -> Any:
        """Return the botocore client of *service* in the request's region."""
        return self.services.client(service, self.request.region)

    def becomes(
        self,
        thing: Any,
        attribute: str,
        first: str,
        ready: str,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """
        Set *attribute* of moto's *thing* to *first*, and to *ready* at the end of the resource's time.

        *told* is then called with the region. Without a running clock it is *ready* at once.
        """
        around = self.services.surroundings
        if not around.endpoint:
            return
        setattr(thing, attribute, first)

        def end() -> None:
            setattr(thing, attribute, ready)
            told(self.request.region)

        around.after(seconds(self.request.type) - 2.0, end)

    def ask(self, service: str, operation: str, /, **parameters: Any) -> Any:
        """Call *operation* with *parameters*, fitted to the API's types; None is left out."""
        client = self.client(service)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        return getattr(client, operation)(**fit(parameters, model.input_shape))

    def apply(self, service: str, operation: str, /, **parameters: Any) -> Any:
        """Call *operation* with every property that it has a parameter for, and *parameters* over them."""
        return self.ask(service, operation, **_over(self.properties, parameters))

    def name(self, name_property: str, limit: int = 64, *, lower: bool = False) -> str:
        """Return the template's name, else one as CloudFormation generates it."""
        given = self.properties.get(name_property)
        if given:
            return str(given)
        made = generated_name(self.request.stack_name, self.request.logical_id, limit)
        return made.lower() if lower else made

    def begin(self, physical_id: str, **attributes: Any) -> Provisioned:
        """Record that the resource exists: if a later step fails, it is deleted."""
        self.begun.append(Provisioned(physical_id, attributes))
        return self.begun[-1]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of *resource* of *service* in this account and region."""
        return f"arn:aws:{service}:{self.request.region}:{self.request.account}:{resource}"

    def changed(self, old: Mapping[str, Any], *names: str) -> bool:
        """Whether one of the properties *names* differs from *old*."""
        return any(self.properties.get(name) != old.get(name) for name in names)

    def already_exists(self, identifier: str) -> ProvisionError:
        """Return the error for a taken name."""
        return ProvisionError(
            f"Resource of type '{self.request.type}' with identifier '{identifier}' already exists."
            " (HandlerErrorCode: AlreadyExists)"
        )

    def not_found(self, kind: str, identifier: str) -> ProvisionError:
        """Return the error for a reference to something missing."""
        return ProvisionError(
            f"The {kind} '{identifier}' does not exist (resource {self.request.logical_id} of type"
            f" {self.request.type}) (HandlerErrorCode: NotFound)"
        )

    def retag(self, service: str, tag: str, untag: str, /, **target: Any) -> None:
        """Set the tags of *target* to `tags`: *tag* and *untag* are the service's operations."""
        gone = sorted(self.previous_tags.keys() - self.tags.keys())
        if gone:
            self.ask(service, untag, **target, TagKeys=gone, TagKeyList=gone)
        if self.tags and self.tags != self.previous_tags:
            self.ask(service, tag, **target, Tags=self.tags, TagsList=self.tags)


Create = Callable[[Call], Provisioned]
Update = Callable[[Call, Mapping[str, Any], Provisioned], Provisioned]
Delete = Callable[[Call, Provisioned], None]
Adopt = Callable[[Call, str], Provisioned]


@dataclass(frozen=True)
class Handler:
    """
    The functions of a resource type: create, update (call, old properties, current), delete, and import.
    """

    create: Create
    update: Update
    delete: Delete
    adopt: Adopt | None = None
    """Finds an existing resource (call, identifier); None if the sandbox imports none."""
    snapshot: Callable[[Call, Provisioned, str], None] | None = None
    """Takes the snapshot of that name before the deletion; None for types without snapshots."""
    awaits: Callable[[Call, Provisioned, Callable[[str | None], None]], bool] | None = None
    """Whether it is not ready, and whom to call when it is; None for types that are ready at once."""


def unchanged(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Change nothing: for types with create-only properties only."""
    del call, old
    return current


def nothing(call: Call, current: Provisioned) -> None:
    """Delete nothing: for types that are deleted with their parent."""
    del call, current


def generated_name(stack_name: str, logical_id: str, limit: int) -> str:
    """Return `stack-LogicalId-RANDOM`, cut to *limit* characters where it must be (AWS docs, "Name type")."""
    room = limit - _RANDOM - 2
    logical = logical_id[: max(room // 2, room - len(stack_name))]
    stack = stack_name[: room - len(logical)].rstrip("-")
    return f"{stack}-{logical}-{random_text(_RANDOM)}"


def random_text(length: int, alphabet: str = _ALPHABET) -> str:
    """Return *length* random characters of *alphabet*."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def difference(new: Iterable[Any], old: Iterable[Any]) -> list[Any]:
    """Return the items of *new* missing in *old*, in order."""
    there = list(old)
    return [entry for entry in new if entry not in there]


def _over(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    spelled = {name.lower() for name in parameters}
    return {key: value for key, value in properties.items() if key.lower() not in spelled} | dict(parameters)
