"""What stands before a load balancer: certificates, Route 53 records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources.handler import Call, Handler


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
    "AWS::Route53::RecordSet": Handler(_create_record, _update_record, _delete_record),
}
