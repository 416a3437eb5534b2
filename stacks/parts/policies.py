"""Building blocks of policies: ARNs of this account, trust policies, permission statements."""

from __future__ import annotations

from typing import Any

from awacs import sts
from awacs.aws import Allow, ArnLike, Condition, Deny, PolicyDocument, Principal, Statement, StringEquals
from troposphere import AccountId, Select, Split, Sub, iam

from stacks.beside import every, private_image
from stacks.settings import Settings
from stacks.wiring import Stack


def arn(service: str, resource: str) -> Sub:
    """Return the ARN of *resource* in the stack's own account and region."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def image_repositories(settings: Settings) -> list[Sub]:
    """
    Return the private repositories of ECR that sidecars' images are in, each exactly.

    One of another account has to allow it too (Amazon ECR User Guide, "Private repository policy examples").
    """
    found = dict.fromkeys(private_image(one.image) for one in every(settings))
    return [
        Sub(f"arn:${{AWS::Partition}}:ecr:{one.region}:{one.account}:repository/{one.repository}")
        for one in found
        if one
    ]


def via(*services: str) -> list[Sub]:
    """Return the values of ``kms:ViaService`` for *services* (AWS KMS Developer Guide, "kms:ViaService")."""
    return [Sub(f"{service}.${{AWS::Region}}.amazonaws.com") for service in services]


def document(*statements: Statement) -> PolicyDocument:
    """Return a policy of *statements*."""
    return PolicyDocument(Version="2012-10-17", Statement=list(statements))


def allow(sid: str, actions: list[Any], on: list[Any], condition: Condition | None = None) -> Statement:
    """Let the role that holds this statement do *actions* on *on*."""
    when = {} if condition is None else {"Condition": condition}
    return Statement(Sid=sid, Effect=Allow, Action=actions, Resource=on, **when)


def deny(sid: str, actions: list[Any], on: list[Any], condition: Condition) -> Statement:
    """Keep the role that holds this statement from doing *actions* on *on* while *condition* holds."""
    return Statement(Sid=sid, Effect=Deny, Action=actions, Resource=on, Condition=condition)


def attached(stack: Stack, title: str, name: str, policy: PolicyDocument | dict[str, Any], role: str) -> str:
    """Add *policy* to the role whose ARN the security stack exports as *role*; returns its logical id."""
    # The role has no path, so its name is what comes after the only slash of its ARN.
    roles = [Select(1, Split("/", stack.imported("security", role)))]
    stack.add(iam.PolicyType(title, PolicyName=name, PolicyDocument=policy, Roles=roles))
    return title


def role(
    stack: Stack, title: str, service: str, source: Sub | Condition | None, *statements: Statement
) -> iam.Role:
    """
    Add the role *title* that *service* assumes for sources like *source* in this account, and only for them.

    A service that names no source has None, then only who may pass the role can use it, or a condition of its
    own. The name is left to CloudFormation (it begins with the stack's): an account has one set of role names
    for all its regions. Source: IAM User Guide, "The confused deputy problem".
    """
    may_assume = Statement(
        Effect=Allow, Principal=Principal("Service", service), Action=[sts.AssumeRole], **_only_for(source)
    )
    policy = iam.Policy(PolicyName=title, PolicyDocument=document(*statements))
    may = {"Policies": [policy]} if statements else {}
    return stack.add(
        iam.Role(title, AssumeRolePolicyDocument=document(may_assume), **may),
        name=title,
    )


def _only_for(source: Sub | Condition | None) -> dict[str, Condition]:
    if source is None:
        return {}
    if isinstance(source, Condition):
        return {"Condition": source}
    account = StringEquals("aws:SourceAccount", AccountId)
    return {"Condition": Condition([account, ArnLike("aws:SourceArn", source)])}
