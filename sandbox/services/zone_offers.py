"""
Offers that differ by availability zone, in front of moto, which has everything everywhere.

Answers what a zone offers (DescribeAvailabilityZones, DescribeVpcEndpointServices, and RDS's
DescribeOrderableDBInstanceOptions), and refuses resources in a zone that does not offer them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.availability import DATABASES, ENDPOINTS, FARGATE, NAT, SUBNETS, AvailabilityZone, zones_of
from sandbox.services.reach import Reach

Form = Mapping[str, str]
_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_RDS = "http://rds.amazonaws.com/doc/2014-10-31/"
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")
_GATEWAYS = ("s3", "dynamodb")
"""Services whose endpoint may be a gateway, which has no zone."""


class ZoneOffers:
    """The zones of one account."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._answers: Mapping[str, Callable[[Form, str], Element | None]] = {
            "DescribeAvailabilityZones": self._zones,
            "DescribeVpcEndpointServices": self._endpoint_services,
            "DescribeOrderableDBInstanceOptions": self._instance_options,
            "CreateSubnet": self._subnet,
            "CreateNatGateway": self._nat,
            "CreateVpcEndpoint": self._endpoint,
        }

    def answer(self, body: bytes, authorization: str) -> tuple[str, bytes] | None:
        """Return status and XML of a query-protocol call; None to let moto answer it."""
        form = dict(parse_qsl(body.decode(errors="replace")))
        found, scope = self._answers.get(form.get("Action", "")), _SCOPE.search(authorization)
        if found is None or scope is None:
            return None
        written = found(form, scope[1])
        if written is None:
            return None
        text: bytes = tostring(written, encoding="utf-8", xml_declaration=True)
        return ("400 Bad Request" if written.tag == "Response" else "200 OK"), text

    def runs_tasks(self, region: str, subnets: Collection[str]) -> bool:
        """Whether Fargate runs tasks in the zones of all *subnets*."""
        zones = {one.name: one for one in self._all(region)}
        return all(zones[name].has(FARGATE) for name in self._zones_of(region, subnets) if name in zones)

    def _all(self, region: str) -> tuple[AvailabilityZone, ...]:
        if layout := self._reach.surroundings.faults.behaviour.zones:
            return zones_of(layout)
        from moto.ec2.models.availability_zones_and_regions import (  # noqa: PLC0415 - moto loads when it is needed
            RegionsAndZonesBackend,
        )

        found = RegionsAndZonesBackend.zones.get(region, ())
        return tuple(AvailabilityZone(one.name, one.zone_id) for one in found)

    def _zones_of(self, region: str, subnets: Collection[str]) -> list[str]:
        if not subnets:
            return []
        found = self._reach.client("ec2", region).describe_subnets(SubnetIds=list(subnets))["Subnets"]
        return [one["AvailabilityZone"] for one in found]

    def _zones(self, form: Form, region: str) -> Element | None:
        """Return the zones; moto answers if the account has none of its own."""
        if not self._reach.surroundings.faults.behaviour.zones:
            return None
        root = Element("DescribeAvailabilityZonesResponse", xmlns=_EC2)
        items = SubElement(root, "availabilityZoneInfo")
        wanted = dict(_filters(form))
        for one in self._all(region):
            told = {"zone-name": one.name, "zone-id": one.id, "zone-type": one.type, "state": "available"}
            if any(told.get(name, "") not in values for name, values in wanted.items()):
                continue
            item = SubElement(items, "item")
            fields = {"zoneName": one.name, "zoneId": one.id, "zoneType": one.type, "zoneState": "available"}
            for name, value in {**fields, "regionName": region}.items():
                SubElement(item, name).text = value
        return root

    def _endpoint_services(self, form: Form, region: str) -> Element | None:
        wanted = dict(_filters(form)).get("service-name")
        if not wanted:
            return None
        root = Element("DescribeVpcEndpointServicesResponse", xmlns=_EC2)
        details = SubElement(root, "serviceDetailSet")
        for name in sorted(wanted):
            item = SubElement(details, "item")
            SubElement(item, "serviceName").text = name
            kind = SubElement(SubElement(item, "serviceType"), "item")
            SubElement(kind, "serviceType").text = "Interface"
            zones = SubElement(item, "availabilityZoneSet")
            for zone in self._all(region):
                if zone.has(ENDPOINTS, _short(name, region)):
                    SubElement(zones, "item").text = zone.name
        return root

    def _instance_options(self, form: Form, region: str) -> Element:
        """Return one page; a class is offered unless its zone lacks it."""
        root = Element("DescribeOrderableDBInstanceOptionsResponse", xmlns=_RDS)
        options = SubElement(
            SubElement(root, "DescribeOrderableDBInstanceOptionsResult"), "OrderableDBInstanceOptions"
        )
        option = SubElement(options, "OrderableDBInstanceOption")
        for name in ("Engine", "EngineVersion", "DBInstanceClass"):
            SubElement(option, name).text = form.get(name, "")
        zones = SubElement(option, "AvailabilityZones")
        for zone in self._all(region):
            if zone.has(DATABASES, form.get("DBInstanceClass", "")):
                SubElement(SubElement(zones, "AvailabilityZone"), "Name").text = zone.name
        return root

    def _subnet(self, form: Form, region: str) -> Element | None:
        """
        Refuse a zone that is in the list, but accepts no new subnets: AWS restricts zones that are full.

        Source of the words: reports of the users of widdix/aws-cf-templates.
        """
        named = form.get("AvailabilityZone", "")
        zones = self._all(region)
        taken = [one.name for one in zones if one.has(SUBNETS)]
        if not named or named in taken or named not in {one.name for one in zones}:
            return None
        text = f"Value ({named}) for parameter availabilityZone is invalid. Subnets can currently only be "
        places = f"created in the following availability zones: {', '.join(taken)}."
        return _refused("InvalidParameterValue", text + places)

    def _nat(self, form: Form, region: str) -> Element | None:
        """Source of the words: reports of AWS CDK's users."""
        if not self._without(region, [form.get("SubnetId", "")], NAT):
            return None
        return _refused("NotAvailableInZone", "Nat Gateway is not available in this availability zone")

    def _endpoint(self, form: Form, region: str) -> Element | None:
        """Source: AWS PrivateLink Guide, "Create an interface endpoint", considerations about zones."""
        name = form.get("ServiceName", "")
        subnets = [value for key, value in form.items() if key.startswith("SubnetId.")]
        if _short(name, region) in _GATEWAYS or not self._without(
            region, subnets, ENDPOINTS, _short(name, region)
        ):
            return None
        text = f"The VPC endpoint service {name} does not support the availability zone of the subnet: "
        return _refused("InvalidParameter", f"{text}{subnets[0]}.")

    def _without(self, region: str, subnets: Collection[str], *what: str) -> bool:
        """Whether one of *subnets* is in a zone that lacks some of *what*."""
        lacking = {one.name for one in self._all(region) if not one.has(*what)}
        return bool(lacking) and not lacking.isdisjoint(self._zones_of(region, subnets))


def _short(service: str, region: str) -> str:
    return service.removeprefix(f"com.amazonaws.{region}.")


def _filters(form: Form) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the filters of an EC2 call, by name."""
    for number in range(1, 20):
        if name := form.get(f"Filter.{number}.Name"):
            values = (value for key, value in form.items() if key.startswith(f"Filter.{number}.Value."))
            yield name, frozenset(values)


def _refused(code: str, message: str) -> Element:
    root = Element("Response")
    error = SubElement(SubElement(root, "Errors"), "Error")
    SubElement(error, "Code").text, SubElement(error, "Message").text = code, message
    SubElement(root, "RequestID").text = "sandbox"
    return root
