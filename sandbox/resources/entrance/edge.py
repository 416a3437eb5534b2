"""Certificates and Route 53 records of a load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources.handler import Call, Handler
from sandbox.rules.certificates import issue


def _create_certificate(call: Call) -> Provisioned:
    """
    Request the certificate; with its record CloudFormation lets ACM issue it.

    CloudFormation writes the record where an option names the hosted zone. Without one the resource waits for
    the record, until ACM gives up after 72 hours (CloudFormation Template Reference,
    "AWS::CertificateManager::Certificate"; ACM User Guide, "DNS validation"). The failure has the message of
    every resource that does not become stable.
    """
    method = call.properties.get("ValidationMethod", "EMAIL")
    proved = _proved(call) if method == "DNS" else False
    options = {"ValidationMethod": method, "DomainValidationOptions": None}
    arn = call.apply("acm", "request_certificate", **options, Tags=call.user_tags or None)["CertificateArn"]
    call.begin(arn, CertificateArn=arn)
    if not proved:
        raise ProvisionError(NEVER_ISSUED, seconds=VALIDATION_SECONDS)
    issue(call.services, arn, call.request.region)
    return Provisioned(arn, {"CertificateArn": arn})


VALIDATION_SECONDS = 72 * 3600.0
NEVER_ISSUED = (
    'Resource handler returned message: "Resource timed out waiting for completion. The certificate is in '
    'VALIDATION_TIMED_OUT." (HandlerErrorCode: NotStabilized)'
)


def _proved(call: Call) -> bool:
    """Whether the record of every name exists; raises ProvisionError if its zone does not."""
    names = {call.properties["DomainName"], *call.properties.get("SubjectAlternativeNames", ())}
    options = call.properties.get("DomainValidationOptions", ())
    zones = {one["DomainName"]: one.get("HostedZoneId", "") for one in options}
    for zone in filter(None, zones.values()):
        _check_zone(call, zone)
    return all(zones.get(name) for name in names)


def _check_zone(call: Call, zone_id: str) -> None:
    """Refuse a zone missing in this account (Route 53 API Reference, NoSuchHostedZone)."""
    found = call.ask("route53", "list_hosted_zones")["HostedZones"]
    if zone_id.removeprefix("/hostedzone/") not in {one["Id"].rsplit("/", 1)[-1] for one in found}:
        raise ProvisionError(
            f'Resource handler returned message: "No hosted zone found with ID: {zone_id} (Service: Route53, '
            'Status Code: 404)" (HandlerErrorCode: NotFound)'
        )


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
    """Return the record's hosted zone; one given only by name is created if it does not exist."""
    if call.properties.get("HostedZoneId"):
        _check_zone(call, call.properties["HostedZoneId"])
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
