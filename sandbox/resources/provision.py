"""
Creates the resources of stacks: in moto where the type has a handler, as placeholders elsewhere.

Has the registry of handlers and converts the services' errors to reasons. Independent of the types' details.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from sandbox.provisioning import Gone, Provisioned, ProvisionError, Request
from sandbox.resources import (
    balancing,
    compute,
    database,
    encryption,
    gateways,
    identity,
    images,
    lambda_functions,
    live,
    messages,
    network,
    observe,
    rotation_schedules,
    scaling,
    security_groups,
    storage,
    typed,
)
from sandbox.resources.durations import seconds
from sandbox.resources.entrance import edge, firewall, trust_stores
from sandbox.resources.handler import Call, Handler
from sandbox.resources.schema import ProviderSchemas
from sandbox.services.dynamic_values import resolve
from sandbox.services.services import Services

HANDLERS: Mapping[str, Handler] = {
    **encryption.HANDLERS,
    **identity.HANDLERS,
    **lambda_functions.HANDLERS,
    **rotation_schedules.HANDLERS,
    **storage.HANDLERS,
    **messages.HANDLERS,
    **network.HANDLERS,
    **gateways.HANDLERS,
    **security_groups.HANDLERS,
    **balancing.HANDLERS,
    **edge.HANDLERS,
    **firewall.HANDLERS,
    **trust_stores.HANDLERS,
    **database.HANDLERS,
    **images.HANDLERS,
    **compute.HANDLERS,
    **scaling.HANDLERS,
    **observe.HANDLERS,
}
"""The types that become real resources; every other known type is typed (`typed.HANDLER`)."""

_REFUSALS = (ClientError, ParamValidationError, ProvisionError, ValueError, KeyError, NotImplementedError)
_GONE = re.compile(
    r"NotFound|NoSuch|NotExist|Nonexistent|DoesNotExist|NotAttached|Inactive|NotActive", re.IGNORECASE
)
_GONE_WORDS = re.compile(r"^No scal(?:able target|ing policy) found")
_IN_USE = re.compile(r"DependencyViolation|^InvalidIPAddress\.InUse$")
_TAKEN = re.compile(
    r"AlreadyExists|EntityExists|^Duplicate|\.Duplicate$|AlreadyOwned|ResourceExists|ResourceInUse"
)


class MotoProvisioner:
    """Creates resources in moto's services; fulfils `provisioning.Provisioner`."""

    def __init__(self, services: Services, schemas: ProviderSchemas, region: str = "us-east-1") -> None:
        self._services = services
        self._schemas = schemas
        self._region = region

    def create(self, request: Request) -> Provisioned:
        """Create the resource; raises ProvisionError."""
        call = self._call(request)
        try:
            self._services.quotas.check(request)
            made = _handler(request.type).create(call)
        except _REFUSALS as error:
            self._undo(call)
            raise _reason(call, error) from error
        return self._complete(call, made)

    def adopt(self, request: Request, identifier: str) -> Provisioned:
        """Import an existing resource, unchanged; raises ProvisionError."""
        call = self._call(request)
        find = _handler(request.type).adopt
        if find is None:
            raise ProvisionError(f"Resource type {request.type} is not supported for import by this sandbox")
        try:
            return self._complete(call, find(call, identifier))
        except _REFUSALS as error:
            raise _reason(call, error) from error

    def update(
        self, request: Request, old_properties: Mapping[str, Any], current: Provisioned
    ) -> Provisioned:
        """Change the resource in place; raises ProvisionError."""
        tags = self._services.tagged.last(request.type, current.physical_id)
        call = replace(self._call(request), previous_tags=tags)
        try:
            self._services.quotas.check(request, old_properties)
            changed = _handler(request.type).update(call, old_properties, current)
        except _REFUSALS as error:
            raise _reason(call, error) from error
        return self._complete(call, changed)

    def awaits(self, request: Request, current: Provisioned, told: Callable[[str | None], None]) -> bool:
        """Whether the resource is not ready; *told* is called when it is, or fails."""
        find = _handler(request.type).awaits
        return find is not None and find(self._call(request), current, told)

    def snapshot(self, request: Request, current: Provisioned, name: str) -> None:
        """Take the snapshot *name* of the resource; raises ProvisionError."""
        take, call = _handler(request.type).snapshot, self._call(request)
        if take is None:
            return
        try:
            take(call, current, name)
        except _REFUSALS as error:
            raise _reason(call, error) from error

    def delete(self, request: Request, current: Provisioned) -> None:
        """Delete the resource; a missing one is no error; raises ProvisionError."""
        call = self._call(request)
        try:
            _handler(request.type).delete(call, current)
        except ClientError as error:
            if not _gone({**error.response["Error"]}):
                raise _reason(call, error) from error
        self._services.tagged.forget(request.type, current.physical_id)

    def read(self, request: Request, current: Provisioned) -> Mapping[str, Any] | None:
        """Return the live values of the readable properties; raises Gone, ProvisionError."""
        call = self._call(request)
        try:
            return live.read(call, current)
        except _REFUSALS as error:
            if isinstance(error, ClientError) and _missing({**error.response["Error"]}):
                raise Gone(current.physical_id) from error
            raise _reason(call, error) from error

    def duration(self, type: str) -> float:  # noqa: A002 - CloudFormation's own word
        """Virtual seconds to create or delete a resource of this type."""
        return seconds(type)

    def resolve(self, reference: str, region: str | None = None) -> str:
        """Return the value of a dynamic reference in *region* (an ARN has its own); raises ProvisionError."""
        return resolve(reference, self._services, region or self._region)

    def _call(self, request: Request) -> Call:
        if not self._schemas.known(request.type):
            raise ProvisionError(f"Template format error: Unrecognized resource types: [{request.type}]")
        return Call(request, self._services, self._schemas)

    def _undo(self, call: Call) -> None:
        """Delete what a failed create has created; what remains then also remains on AWS."""
        for begun in call.begun:
            with suppress(*_REFUSALS):
                _handler(call.request.type).delete(call, begun)

    def _complete(self, call: Call, made: Provisioned) -> Provisioned:
        attributes = {**typed.attributes(call, made.physical_id), **made.attributes}
        arn, now = str(attributes.get("Arn", made.physical_id)), self._services.surroundings.now()
        self._services.tagged.note(call.request.type, made.physical_id, arn, call.tags, now)
        return Provisioned(made.physical_id, attributes)


def _handler(type_name: str) -> Handler:
    return HANDLERS.get(type_name, typed.HANDLER)


def _gone(details: Mapping[str, Any]) -> bool:
    return bool(_GONE.search(details["Code"]) or _GONE_WORDS.search(details.get("Message", "")))


def _missing(details: Mapping[str, Any]) -> bool:
    """Whether a service reports that something is missing; S3 answers HEAD with the bare status."""
    return _gone(details) or details["Code"] == "404"


def _reason(call: Call, error: Exception) -> ProvisionError:
    if isinstance(error, ProvisionError):
        return error
    if isinstance(error, KeyError):
        return ProvisionError(
            f"Properties validation failed for resource {call.request.logical_id}:"
            f" required key {error} not found"
        )
    if isinstance(error, NotImplementedError):
        return ProvisionError(f"This sandbox cannot do this to {call.request.type}: {error}")
    if not isinstance(error, ClientError):
        return ProvisionError(f"Properties validation failed for resource {call.request.logical_id}: {error}")
    details: dict[str, Any] = {**error.response["Error"]}
    code, message = details["Code"], details.get("Message", "")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    service = call.request.type.split("::")[1]
    handler_code = (
        "AlreadyExists" if _TAKEN.search(code) else "NotFound" if _gone(details) else "InvalidRequest"
    )
    exists = (
        f"Resource of type '{call.request.type}' already exists. " if handler_code == "AlreadyExists" else ""
    )
    return ProvisionError(
        f'Resource handler returned message: "{exists}{message} (Service: {service}, Status Code: {status})"'
        f" (HandlerErrorCode: {handler_code})",
        in_use=bool(_IN_USE.search(code)),
    )
