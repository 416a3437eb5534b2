"""What stands before a load balancer: certificates, web ACLs and their associations, Route 53 records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources.handler import Call, Handler, unchanged


def _create_certificate(call: Call) -> Provisioned:
    method = call.properties.get("ValidationMethod", "EMAIL")
    options = {"ValidationMethod": method, "DomainValidationOptions": None}
    arn = call.apply("acm", "request_certificate", **options, Tags=call.user_tags or None)["CertificateArn"]
    return Provisioned(arn, {"CertificateArn": arn})


def _update_certificate(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    gone = {key: value for key, value in call.previous_tags.items() if key not in call.tags}
    if gone:
        call.ask("acm", "remove_tags_from_certificate", CertificateArn=current.physical_id, Tags=gone)
    if call.user_tags:
        call.ask("acm", "add_tags_to_certificate", CertificateArn=current.physical_id, Tags=call.user_tags)
    return current


def _delete_certificate(call: Call, current: Provisioned) -> None:
    call.ask("acm", "delete_certificate", CertificateArn=current.physical_id)


def _create_acl(call: Call) -> Provisioned:
    name = call.name("Name", 128)
    made = call.apply("wafv2", "create_web_acl", Name=name, Tags=call.tags or None)["Summary"]
    physical = f"{name}|{made['Id']}|{call.properties['Scope']}"
    return Provisioned(physical, _acl_attributes(call, name, made))


def _acl_attributes(call: Call, name: str, acl: Mapping[str, Any]) -> dict[str, Any]:
    label = f"awswaf:{call.request.account}:webacl:{name}:"
    return {"Arn": acl["ARN"], "Id": acl["Id"], "Capacity": 1500, "LabelNamespace": label}


def _acl(current: Provisioned) -> dict[str, str]:
    name, acl_id, scope = current.physical_id.split("|")
    return {"Name": name, "Id": acl_id, "Scope": scope}


def _update_acl(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    which = _acl(current)
    token = call.ask("wafv2", "get_web_acl", **which)["LockToken"]
    call.apply("wafv2", "update_web_acl", **which, LockToken=token)
    call.retag("wafv2", "tag_resource", "untag_resource", ResourceARN=current.attributes["Arn"])
    return current


def _delete_acl(call: Call, current: Provisioned) -> None:
    which = _acl(current)
    token = call.ask("wafv2", "get_web_acl", **which)["LockToken"]
    call.ask("wafv2", "delete_web_acl", **which, LockToken=token)


def _associate(call: Call) -> Provisioned:
    call.apply("wafv2", "associate_web_acl")
    return Provisioned(f"{call.properties['ResourceArn']}|{call.properties['WebACLArn']}")


def _disassociate(call: Call, current: Provisioned) -> None:
    call.ask("wafv2", "disassociate_web_acl", ResourceArn=current.physical_id.split("|")[0])


def _create_record(call: Call) -> Provisioned:
    _change_record(call, "UPSERT")
    return Provisioned(call.properties["Name"])


def _change_record(call: Call, action: str) -> None:
    record = {**call.properties, "ResourceRecords": None}
    if "ResourceRecords" in call.properties:
        record["ResourceRecords"] = [{"Value": value} for value in call.properties["ResourceRecords"]]
    if "AliasTarget" in call.properties:
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **call.properties["AliasTarget"]}
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    call.ask("route53", "change_resource_record_sets", HostedZoneId=_zone(call), ChangeBatch=changes)


def _zone(call: Call) -> str:
    """Return the record's hosted zone; made silently where this account does not have it."""
    wanted = call.properties.get("HostedZoneId", "").removeprefix("/hostedzone/")
    name = call.properties.get("HostedZoneName") or call.properties["Name"].split(".", 1)[-1]
    zones = call.ask("route53", "list_hosted_zones")["HostedZones"]
    ids = {zone["Id"].rsplit("/", 1)[-1]: zone["Name"].rstrip(".") for zone in zones}
    found = next((i for i, n in ids.items() if (i == wanted if wanted else n == name.rstrip("."))), None)
    return found or call.services.hosted_zone(name, wanted)


def _update_record(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _change_record(call, "UPSERT")
    return Provisioned(call.properties["Name"], current.attributes)


def _delete_record(call: Call, current: Provisioned) -> None:
    del current
    _change_record(call, "DELETE")


HANDLERS: Mapping[str, Handler] = {
    "AWS::CertificateManager::Certificate": Handler(
        _create_certificate, _update_certificate, _delete_certificate
    ),
    "AWS::WAFv2::WebACL": Handler(_create_acl, _update_acl, _delete_acl),
    "AWS::WAFv2::WebACLAssociation": Handler(_associate, unchanged, _disassociate),
    "AWS::Route53::RecordSet": Handler(_create_record, _update_record, _delete_record),
}
