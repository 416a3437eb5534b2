"""What a role's session may do: by its policies, its boundary, and the key policy of the KMS key in use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote

from botocore.exceptions import ClientError

from sandbox.access.policies import Document, Request, Verdict, check, matches, statements, verdict
from sandbox.access.sessions import Session
from sandbox.services.services import Services

Kind = Literal["identity-based policy", "permissions boundary", "resource-based policy"]


@dataclass(frozen=True)
class Judgement:
    """The result for a request, and the kind of policy that is the cause of a denial."""

    verdict: Verdict
    policy: Kind = "identity-based policy"

    def why(self, action: str) -> str:
        """Return the end of AWS's message (IAM User Guide, "Troubleshoot access denied error messages")."""
        if self.verdict == "explicitDeny":
            return f"with an explicit deny in a{'n' if self.policy[0] == 'i' else ''} {self.policy}"
        return f"because no {self.policy} allows the {action} action"


class Roles:
    """The roles of the sandbox's IAM."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def exists(self, name: str) -> bool:
        """Whether there is a role of that name: a missing one gives an administrator's session."""
        return self._role(name) is not None

    def longest(self, name: str) -> int:
        """Return the role's MaxSessionDuration, in seconds."""
        return int(getattr(self._role(name), "max_session_duration", None) or 3600)

    def boundary(self, name: str) -> str | None:
        """Return the ARN of the role's boundary."""
        found = getattr(self._role(name), "permissions_boundary_arn", None)
        return str(found) if found else None

    def names(self) -> list[str]:
        """Return the names of all roles."""
        return sorted(str(one.name) for one in self._services.backend("iam", "aws").roles.values())

    def arn(self, name: str) -> str:
        """Return the ARN of the role of that name."""
        return str(self._role(name).arn)

    def trusts(self, name: str, service: str) -> bool:
        """Whether the role exists, and its trust policy allows *service* to assume it."""
        role = self._role(name)
        if role is None:
            return False
        found = statements(_read(role.assume_role_policy_document))
        allowing = [one for one in found if one["Effect"] == "Allow"]
        return any(service in _listed(one.get("Principal", {}), "Service") for one in allowing)

    def check(self, name: str) -> None:
        """Raise ValueError where a policy of the role, or its boundary, holds what is not evaluated here."""
        role = self._role(name)
        for document in [*_documents(role), *self._boundary(role)]:
            check(document)

    def verdict(self, session: Session, request: Request) -> Verdict:
        """Return the result for *request* of *session*."""
        return self.judged(session, request).verdict

    def judged(self, session: Session, request: Request, key_policy: Document | None = None) -> Judgement:
        """
        Evaluate *request* of *session*; with *key_policy* of its KMS key.

        Sources: IAM User Guide, "Policy evaluation logic"; AWS KMS Developer Guide, "Determining access to
        KMS keys": a key's policy decides first whether the account's own policies count at all.
        """
        role = self._role(session.role)
        request = replace(request, context={**_who(session), **request.context})
        own = verdict(request, _documents(role))
        limit = self._limit(role, request)
        by_key = _by_key(key_policy, session, request) if key_policy is not None else ("delegates",)
        denying: tuple[tuple[Kind, bool], ...] = (
            ("identity-based policy", own == "explicitDeny"),
            ("resource-based policy", "Deny" in by_key),
            ("permissions boundary", limit == "explicitDeny"),
        )
        for policy, denies in denying:
            if denies:
                return Judgement("explicitDeny", policy)
        if limit == "implicitDeny":
            return Judgement("implicitDeny", "permissions boundary")
        if "Allow" in by_key or (own == "allowed" and "delegates" in by_key):
            return Judgement("allowed")
        return Judgement(
            "implicitDeny", "resource-based policy" if own == "allowed" else "identity-based policy"
        )

    def key_policy(self, key: str, region: str) -> Document:
        """
        Return the policy of the key by ARN or id; for an unknown key, one that delegates to the account.
        """
        with suppress(ClientError):
            client = self._services.client("kms", region)
            return _read(client.get_key_policy(KeyId=key.rpartition("/")[2], PolicyName="default")["Policy"])
        return delegating(self._services.account)

    def _limit(self, role: Any, request: Request) -> Verdict:
        if not getattr(role, "permissions_boundary_arn", None):
            return "allowed"
        return verdict(request, self._boundary(role))

    def _boundary(self, role: Any) -> list[Document]:
        """Return the boundary's policy; none if the role has no boundary, or it was deleted."""
        arn = getattr(role, "permissions_boundary_arn", None)
        policy = self._services.backend("iam", "aws").managed_policies.get(arn)
        return [_default(policy)] if policy else []

    def _role(self, name: str) -> Any:
        found = self._services.backend("iam", "aws").roles.values()
        return next((role for role in found if role.name == name), None)


def delegating(account: str) -> Document:
    """Return the default policy of a key (AWS KMS Developer Guide, "Default key policy")."""
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    return {"Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}]}


def _documents(role: Any) -> Iterator[Document]:
    for policy in role.managed_policies.values():
        yield _default(policy)
    for text in role.policies.values():
        yield _read(text)


def _default(policy: Any) -> Document:
    return next(_read(one.document) for one in policy.versions if one.is_default)


@lru_cache(maxsize=256)
def _read(text: str) -> Document:
    document: Document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return document


def _who(session: Session) -> Mapping[str, str]:
    return {
        "aws:PrincipalArn": session.role_arn,
        "aws:PrincipalAccount": session.account,
        "aws:PrincipalType": "AssumedRole",
        "kms:CallerAccount": session.account,
    }


def _by_key(policy: Document, session: Session, request: Request) -> tuple[str, ...]:
    """Return the effects of a key's policy; ``delegates`` if it leaves *request* to the account."""
    effects = []
    request = replace(request, resource="*")
    for statement in statements(policy):
        whom = _listed(statement.get("Principal", {}), "AWS")
        if not matches(statement, request):
            continue
        if whom & {"*", session.role_arn, session.arn}:
            effects.append(str(statement["Effect"]))
        elif whom & {session.account, f"arn:aws:iam::{session.account}:root"}:
            effects.append("delegates" if statement["Effect"] == "Allow" else "Deny")
    return tuple(effects)


def _listed(principal: Any, kind: str) -> frozenset[str]:
    """Return the principals of a *kind*, ``AWS`` or ``Service``; ``*`` is everybody."""
    if isinstance(principal, str):
        return frozenset({principal})
    found = principal.get(kind, [])
    return frozenset(found if isinstance(found, list) else [found])
