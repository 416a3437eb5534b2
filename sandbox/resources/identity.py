"""Identities and permissions: IAM roles, managed and inline policies, providers of identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources.handler import Call, Handler, difference


def _create_role(call: Call) -> Provisioned:
    name = call.name("RoleName")
    made = call.apply("iam", "create_role", RoleName=name, Tags=call.tags)["Role"]
    begun = call.begin(name, Arn=made["Arn"], RoleId=made["RoleId"])
    _grant(call, name, {})
    return begun


def _update_role(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    name = current.physical_id
    if call.changed(old, "AssumeRolePolicyDocument"):
        trust = call.properties["AssumeRolePolicyDocument"]
        call.ask("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
    if call.changed(old, "PermissionsBoundary"):
        _bound(call, name)
    if call.changed(old, "Description", "MaxSessionDuration"):
        described = {"Description": call.properties.get("Description", "")}
        seconds = call.properties.get("MaxSessionDuration", 3600)
        call.ask("iam", "update_role", RoleName=name, MaxSessionDuration=seconds, **described)
    _grant(call, name, old)
    call.retag("iam", "tag_role", "untag_role", RoleName=name)
    return current


def _bound(call: Call, name: str) -> None:
    boundary = call.properties.get("PermissionsBoundary")
    if boundary:
        call.ask("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
    else:
        call.ask("iam", "delete_role_permissions_boundary", RoleName=name)


def _grant(call: Call, name: str, old: Mapping[str, Any]) -> None:
    attached, before = call.properties.get("ManagedPolicyArns", []), old.get("ManagedPolicyArns", [])
    for arn in difference(attached, before):
        call.ask("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
    for arn in difference(before, attached):
        call.ask("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)
    inline, inline_before = _inline(call.properties), _inline(old)
    for policy in inline_before.keys() - inline.keys():
        call.ask("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
    for policy, document in inline.items():
        if document != inline_before.get(policy):
            call.ask("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=document)


def _inline(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}


def _delete_role(call: Call, current: Provisioned) -> None:
    name = current.physical_id
    held = call.ask("iam", "list_attached_role_policies", RoleName=name)["AttachedPolicies"]
    for policy in held:
        if policy["PolicyArn"] in call.properties.get("ManagedPolicyArns", []):
            call.ask("iam", "detach_role_policy", RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy_name in call.ask("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
        if policy_name in _inline(call.properties):
            call.ask("iam", "delete_role_policy", RoleName=name, PolicyName=policy_name)
    call.ask("iam", "delete_role", RoleName=name)


def _create_managed(call: Call) -> Provisioned:
    name = call.name("ManagedPolicyName", 128)
    made = call.apply("iam", "create_policy", PolicyName=name, Tags=None)["Policy"]
    begun = call.begin(made["Arn"], PolicyArn=made["Arn"], PolicyId=made["PolicyId"])
    _attach_managed(call, made["Arn"], [])
    return begun


def _update_managed(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    arn = current.physical_id
    if call.changed(old, "PolicyDocument"):
        _drop_versions(call, arn, keep=1)
        document = call.properties["PolicyDocument"]
        call.ask("iam", "create_policy_version", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    _attach_managed(call, arn, old.get("Roles", []))
    return current


def _attach_managed(call: Call, arn: str, before: list[str]) -> None:
    roles = call.properties.get("Roles", [])
    for role in difference(roles, before):
        call.ask("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
    for role in difference(before, roles):
        call.ask("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)


def _drop_versions(call: Call, arn: str, keep: int) -> None:
    versions = call.ask("iam", "list_policy_versions", PolicyArn=arn)["Versions"]
    spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    for version in spare[max(keep - 1, 0) :]:
        call.ask("iam", "delete_policy_version", PolicyArn=arn, VersionId=version)


def _delete_managed(call: Call, current: Provisioned) -> None:
    arn = current.physical_id
    for role in call.ask("iam", "list_entities_for_policy", PolicyArn=arn)["PolicyRoles"]:
        call.ask("iam", "detach_role_policy", RoleName=role["RoleName"], PolicyArn=arn)
    _drop_versions(call, arn, keep=0)
    call.ask("iam", "delete_policy", PolicyArn=arn)


_HOLDERS = {
    "Roles": ("put_role_policy", "delete_role_policy", "RoleName"),
    "Users": ("put_user_policy", "delete_user_policy", "UserName"),
    "Groups": ("put_group_policy", "delete_group_policy", "GroupName"),
}


def _create_policy(call: Call) -> Provisioned:
    _hold(call, {})
    return Provisioned(call.properties["PolicyName"], {"Id": call.properties["PolicyName"]})


def _update_policy(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    _hold(call, old)
    name = call.properties["PolicyName"]
    return Provisioned(name, {**current.attributes, "Id": name})


def _hold(call: Call, old: Mapping[str, Any]) -> None:
    for holders, (put, remove, parameter) in _HOLDERS.items():
        wanted = call.properties.get(holders, [])
        kept = wanted if old.get("PolicyName") == call.properties["PolicyName"] else []
        for holder in wanted:
            call.apply("iam", put, **{parameter: holder})
        for holder in difference(old.get(holders, []), kept):
            call.ask("iam", remove, **{parameter: holder, "PolicyName": old["PolicyName"]})


def _delete_policy(call: Call, current: Provisioned) -> None:
    for holders, (_, remove, parameter) in _HOLDERS.items():
        for holder in call.properties.get(holders, []):
            call.ask("iam", remove, **{parameter: holder, "PolicyName": current.physical_id})


def _create_provider(call: Call) -> Provisioned:
    """Create it with a thumbprint of zeros if the template has none: IAM determines it itself."""
    thumbprints = call.properties.get("ThumbprintList") or ["0" * 40]
    made = call.apply(
        "iam",
        "create_open_id_connect_provider",
        Url=call.properties["Url"],
        ThumbprintList=thumbprints,
        Tags=call.tags,
    )
    arn = made["OpenIDConnectProviderArn"]
    return call.begin(arn, Arn=arn)


def _update_provider(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Update moto's record: its API cannot change the audiences."""
    del old
    where = {"OpenIDConnectProviderArn": current.physical_id}
    provider = call.services.backend("iam", "aws").open_id_providers[current.physical_id]
    provider.client_id_list = list(call.properties.get("ClientIdList", []))
    call.retag("iam", "tag_open_id_connect_provider", "untag_open_id_connect_provider", **where)
    return current


def _delete_provider(call: Call, current: Provisioned) -> None:
    call.ask("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=current.physical_id)


HANDLERS: Mapping[str, Handler] = {
    "AWS::IAM::Role": Handler(_create_role, _update_role, _delete_role),
    "AWS::IAM::ManagedPolicy": Handler(_create_managed, _update_managed, _delete_managed),
    "AWS::IAM::OIDCProvider": Handler(_create_provider, _update_provider, _delete_provider),
    "AWS::IAM::Policy": Handler(_create_policy, _update_policy, _delete_policy),
}
