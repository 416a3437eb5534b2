"""
IAM's SimulatePrincipalPolicy for roles: the result of `verdict` as a response of the query protocol.

Source: IAM API Reference, "SimulatePrincipalPolicy": context keys are those that the caller gives, and of the
principal itself; `MissingContextValues` is always empty here. A boundary counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from sandbox.access.policies import Request, Values
from sandbox.access.roles import Roles
from sandbox.access.sessions import Session
from sandbox.errors import ApiError

_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/(?:.*/)?([^/]+)")
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def simulated(roles: Roles, form: Mapping[str, str], account: str) -> str:
    """Return the answer to a call with *form*; raises ApiError."""
    arn = form.get("PolicySourceArn", "")
    found = _ROLE.fullmatch(arn)
    if found is None or f"::{account}:" not in arn:
        raise ApiError("InvalidInput", f"Invalid Entity Arn: {arn} does not identify a role.")
    if not roles.exists(found[1]):
        raise ApiError("NoSuchEntity", f"The role with name {found[1]} cannot be found.", 404)
    session, context = Session(arn, "simulation"), dict(_context(form))
    results = "".join(
        _result(action, resource, roles.verdict(session, Request(action, resource, context)))
        for action in _members(form, "ActionNames")
        for resource in [*_members(form, "ResourceArns")] or ["*"]
    )
    return (
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        "</SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>"
        "00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )


def _result(action: str, resource: str, decision: str) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>{decision}</EvalDecision>"
        "<MatchedStatements/><MissingContextValues/></member>"
    )


def _members(form: Mapping[str, str], name: str) -> Iterator[str]:
    number = 1
    while (key := f"{name}.member.{number}") in form:
        yield form[key]
        number += 1


def _context(form: Mapping[str, str]) -> Iterator[tuple[str, Values]]:
    number = 1
    while (key := f"ContextEntries.member.{number}") + ".ContextKeyName" in form:
        values = [*_members(form, f"{key}.ContextKeyValues")]
        many = form.get(f"{key}.ContextKeyType", "").endswith("List")
        yield form[f"{key}.ContextKeyName"], values if many or not values else values[0]
        number += 1
