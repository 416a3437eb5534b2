"""
Callers with a role: their own requests, and those that CloudFormation makes on their behalf.

Without a service role CloudFormation's handlers use the credentials of the caller of the operation, which it
keeps until the operation ends; with one they use that role, in this and in every later operation of the stack
(CloudFormation User Guide, "CloudFormation service role").
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from sandbox.access.needs import Resource
from sandbox.access.policies import Document, Request
from sandbox.access.roles import Roles
from sandbox.access.sessions import EXPIRED, Session
from sandbox.access.tagged import Tagged
from sandbox.errors import ApiError
from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.provisioning import Request as Asked
from sandbox.resources.schema import ProviderSchemas
from sandbox.surroundings import Surroundings

KEY = "AWS::KMS::Key"
LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


_CODES = {"sns": "AuthorizationError"}
"""Codes of query services that are not AccessDenied (Amazon SNS API Reference, "Common errors")."""
_NAMES_NONE = frozenset({"ec2", "s3"})
"""Services whose messages name no resource if the action has none."""
_IN_FORMS = frozenset(
    {
        *("cloudformation", "cloudwatch", "ec2", "elasticache", "elasticloadbalancing", "iam"),
        *("lambda", "rds", "route53", "s3", "sns"),
    }
)
"""Services whose denials have the HTTP status 403; those with JSON alone have 400 (their API references)."""
_EC2 = ("You are not authorized to perform this operation.", "Encoded authorization failure message:")
"""What EC2 adds (AWS STS API Reference, "DecodeAuthorizationMessage")."""


@dataclass(frozen=True)
class Known:
    """Data on the account when a caller is authorized; fulfils `needs.Surroundings`."""

    roles: Roles
    tagged: Tagged
    schemas: ProviderSchemas
    around: Callable[[], Surroundings]

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """Return the effective tags of the resource *arn*."""
        around = self.around()
        return self.tagged.counting(arn, around.now(), around.faults.behaviour.tag_delay)

    def boundary(self, role: str) -> str | None:
        """Return the ARN of the role's boundary."""
        return self.roles.boundary(role)


@dataclass(frozen=True)
class RoleCaller:
    """A session of a role; fulfils `provisioning.Caller`."""

    session: Session
    known: Known

    def asks(self, request: Request, region: str) -> None:
        """Authorize *request* of the caller; raises ApiError."""
        tags = self.known.tags(request.resource) or {}
        context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()} | dict(request.context)
        if refusal := self._refusal(replace(request, context=context), region):
            raise ApiError(_CODES.get(_service(request), "AccessDenied"), refusal, 403)

    def provisions(self, operation: str, asked: Asked, current: Provisioned | None) -> None:
        """
        Authorize CloudFormation's *operation* (``create``, ``update``, ``delete``) in the caller's name.

        Raises:
            ProvisionError: the session has ended, or lacks a permission of the type's handler.

        """
        if self.session.ended(self.known.around().now()):
            raise ProvisionError(_said(asked, EXPIRED, 403, "InvalidCredentials"))
        if not self.known.schemas.known(asked.type):
            return  # the provisioner reports what is wrong with it
        resource = self._resource(operation, asked, current)
        policy = _policy(asked) if asked.type == KEY and operation == "create" else None
        if asked.type == KEY and operation in {"create", "update"}:
            self._check_lockout(resource, asked)
        for one in resource.needs(operation, self.known.schemas.schema(asked.type)):
            if refusal := self._refusal(_through_service(one, asked), asked.region, policy):
                raise ProvisionError(_said(asked, refusal, _status(one), "AccessDenied"))

    def _resource(self, operation: str, asked: Asked, current: Provisioned | None) -> Resource:
        physical = current.physical_id if current else ""
        tags = {**asked.tags, **_own_tags(asked, self.known.schemas)}
        there = self.known.tags(physical) if current else None
        if operation == "create" and asked.type != KEY:
            there = tags  # what is created with its tags has them at its handler's next call
        return Resource(
            *(asked.type, asked.logical_id, asked.stack_name, asked.properties, tags, there),
            *(self.known, asked.account, asked.region),
            physical_id=physical,
        )

    def _refusal(self, request: Request, region: str, key_policy: Document | None = None) -> str | None:
        if request.action.startswith("kms:") and ":key/" in request.resource and key_policy is None:
            key_policy = self.known.roles.key_policy(request.resource, region)
        policy = key_policy if ":key/" in request.resource else None
        try:
            found = self.known.roles.judged(self.session, request, policy)
        except ValueError as error:  # an incomplete evaluation would be worse than none
            return f"This sandbox cannot judge {request.action} on {request.resource}: {error}"
        if found.verdict == "allowed":
            return None
        named = request.resource != "*" or _service(request) not in _NAMES_NONE
        where = f" on resource: {request.resource}" if named else ""
        what = f"{request.action}{where} {found.why(request.action)}"
        text = f"User: {self.session.arn} is not authorized to perform: {what}"
        return f"{_EC2[0]} {text}. {_EC2[1]} {_encoded(text)}" if _service(request) == "ec2" else text

    def _check_lockout(self, resource: Resource, asked: Asked) -> None:
        """
        Refuse a key whose policy its creator could not change afterwards.

        KMS asks whether the caller, by the new policy, the caller's own, and the tags that count on the key
        now, could call PutKeyPolicy; a key that is being made has none (AWS KMS API Reference, CreateKey,
        "BypassPolicyLockoutSafetyCheck"; AWS KMS Developer Guide, "Default key policy").
        """
        if str(asked.properties.get("BypassPolicyLockoutSafetyCheck", False)).lower() == "true":
            return
        for one in resource.requests("kms:PutKeyPolicy", "update"):
            if self._refusal(one, asked.region, _policy(asked)):
                raise ProvisionError(_said(asked, LOCKED_OUT, 400, "InvalidRequest"))


def _through_service(request: Request, asked: Asked) -> Request:
    """Return *request*; for a key, as coming through the service whose resource is encrypted with it."""
    service = asked.type.split("::")[1].lower()
    if not request.action.startswith("kms:") or service == "kms":
        return request
    through = {
        "kms:ViaService": f"{service}.{asked.region}.amazonaws.com",
        "kms:GrantIsForAWSResource": "true",
    }
    return replace(request, context={**request.context, **through})


def _service(request: Request) -> str:
    return request.action.partition(":")[0]


def _status(request: Request) -> int:
    return 403 if _service(request) in _IN_FORMS else 400


def _encoded(text: str) -> str:
    """Return a placeholder for an encoded message: nothing decodes it here."""
    return urlsafe_b64encode(sha256(text.encode()).digest() * 3).decode()


def _policy(asked: Asked) -> Document:
    document: Document = asked.properties.get("KeyPolicy") or {"Statement": []}
    return document


def _own_tags(asked: Asked, schemas: ProviderSchemas) -> dict[str, str]:
    own: Any = asked.properties.get(schemas.tag_property(asked.type) or "", ())
    return dict(own) if isinstance(own, Mapping) else {one["Key"]: str(one["Value"]) for one in own}


def _said(asked: Asked, message: str, status: int, code: str) -> str:
    service = asked.type.split("::")[1]
    return (
        f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status})"'
        f" (HandlerErrorCode: {code})"
    )
