"""IAM's policy simulation for a role or user, one call per batch of requests. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask, emulated
from deployer.aws.paging import pages
from deployer.errors import CloudError, NotOffered
from deployer.preflight.account import Decision, Request

AT_ONCE = 1000
"""Results of a page, the most that IAM gives (SimulatePrincipalPolicy, MaxItems)."""
UNKNOWN = frozenset({"InvalidInput", "NoSuchEntity"})
"""Codes for an unknown ARN: emulated accounts have callers that IAM does not know."""
LISTS = frozenset({"aws:CalledVia", "aws:TagKeys"})
"""Condition keys with several values (IAM User Guide, "AWS global condition context keys")."""


def simulated(
    client: Any, source: str, requests: Sequence[Request], context: Mapping[str, tuple[str, ...]]
) -> tuple[Decision, ...]:
    """
    Return IAM's decisions on *requests* of *source*, in their order.

    IAM judges each action on each resource; only the pairs that were asked for are returned.

    Raises:
        NotAllowed: iam:SimulatePrincipalPolicy is missing.
        NotOffered: an emulated endpoint has no simulation, or none of this caller.
        CloudError: anything else that went wrong.

    """
    question = partial(
        ask,
        client,
        "simulate_principal_policy",
        PolicySourceArn=source,
        ActionNames=sorted({one.action for one in requests}),
        ResourceArns=sorted({one.resource for one in requests}),
        ContextEntries=[_entry(key, values) for key, values in sorted(context.items())],
        MaxItems=AT_ONCE,
    )
    found: dict[tuple[str, str], Decision] = {}
    try:
        for page in pages(question, "iam simulate_principal_policy", "Marker"):
            for result in page["EvaluationResults"]:
                found |= {(one.action, one.resource): one for one in _decisions(result)}
    except CloudError as error:
        if error.code in UNKNOWN and emulated(client):
            raise NotOffered(
                "this endpoint knows no policies of who is logged in", code=error.code
            ) from error
        raise
    return tuple(_answer_to(one, found) for one in requests)


def _answer_to(request: Request, found: Mapping[tuple[str, str], Decision]) -> Decision:
    """Return the decision on *request*; IAM answers for ``*`` where the action knows no resource."""
    for resource in (request.resource, "*"):
        if decision := found.get((request.action, resource)):
            return replace(decision, resource=request.resource)
    raise CloudError(f"iam SimulatePrincipalPolicy: no answer for {request.action} on {request.resource}")


def _entry(key: str, values: tuple[str, ...]) -> Mapping[str, Any]:
    kind = "boolean" if key == "aws:SecureTransport" else "string"
    kind += "List" if key in LISTS else ""
    return {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": kind}


def _decisions(result: Mapping[str, Any]) -> Iterator[Decision]:
    """Yield the decision on each resource of one action: for several, they are nested (API Reference)."""
    inside = result.get("ResourceSpecificResults")
    if not inside:
        yield _decision(result, result, result.get("EvalResourceName", "*"), result["EvalDecision"])
        return
    for one in inside:
        yield _decision(result, one, one["EvalResourceName"], one["EvalResourceDecision"])


def _decision(result: Mapping[str, Any], one: Mapping[str, Any], resource: str, decision: str) -> Decision:
    organization = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    bounds = one.get("PermissionsBoundaryDecisionDetail") or result.get(
        "PermissionsBoundaryDecisionDetail", {}
    )
    policies = {match.get("SourcePolicyId", "") for match in one.get("MatchedStatements", ())} - {""}
    return Decision(
        action=result["EvalActionName"],
        resource=resource,
        allowed=decision == "allowed",
        explicit=decision == "explicitDeny",
        organization=bool(organization),
        boundary=bool(bounds.get("AllowedByPermissionsBoundary", True)),
        missing=tuple(one.get("MissingContextValues", ())),
        policies=tuple(sorted(policies)),
    )
