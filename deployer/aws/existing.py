"""Reads an existing VPC, certificate, CA bundle and hosted zone, in parallel. Read-only."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from deployer.aws import existing_stores as stores
from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.checks.facts import (
    Asked,
    Bundle,
    Certificate,
    Dns,
    Endpoint,
    Facts,
    Record,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    Zone,
)
from deployer.errors import CloudError, LostSight, Transient
from deployer.run.concurrency import Workers
from generator.manifest import Existing

WORKERS = 4
ENDED = frozenset({"deleting", "deleted", "rejected", "failed", "expired"})
"""States of an endpoint whose private name is free (Amazon EC2 API Reference, "VpcEndpoint")."""
CLASHING = frozenset({"A", "CNAME", "NS"})
"""Record types that exclude an A record of the same name (NS: another zone answers for the name)."""
RECORDS_AT_ONCE = "20"
NO_FILE = frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchVersion", "404"})
MOST_BUNDLE_BYTES = 1_000_000
"""More than 25 certificates of 16 KB, the most of a trust store (User Guide for Application Load Balancers,
"Before you begin configuring mutual TLS")."""
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)
"""Fields for a route's target; a route has one (Amazon EC2 API Reference, "Route")."""

Answer = dict[str, Any]
"""Fields of `Facts`."""


def look(clients: Clients, region: str, wanted: Existing, tags: Mapping[str, str]) -> Facts:
    """
    Return the facts about the resources that *wanted* names; *tags* mark the environment's own.

    What cannot be asked (a missing permission, an endpoint without the service) is reported as unknown.

    Raises:
        LostSight, Transient: nothing can be asked, or not now.

    """
    questions = _Questions(clients, region, wanted, tags).all()

    def one(asked: Asked) -> Answer:
        try:
            return questions[asked]()
        except (LostSight, Transient):
            raise
        except CloudError as error:
            return {"unknown": {asked: str(error)}}

    with Workers(WORKERS) as workers:
        answers = workers.each(one, questions)
    unknown = {asked: why for answer in answers for asked, why in answer.pop("unknown", {}).items()}
    known = {name: value for answer in answers for name, value in answer.items()}
    return replace(Facts(region, unknown=unknown), **known)


class _Questions:
    """The queries, each for some fields of `Facts`."""

    def __init__(self, clients: Clients, region: str, wanted: Existing, tags: Mapping[str, str]) -> None:
        self._clients = clients
        self._region = region
        self._wanted = wanted
        self._tags = tags
        self._subnets = [one for kind in wanted.subnets for one in kind.ids]

    def all(self) -> dict[Asked, Callable[[], Answer]]:
        """Return the queries that the environment needs."""
        found: dict[Asked, Callable[[], Answer]] = {}
        if self._wanted.vpc_id:
            found |= {"vpc": self._vpc, "subnets": self._subnet, "routes": self._routes}
            found |= {"endpoints": self._endpoints, "interfaces": self._interfaces}
        if self._wanted.endpoints:
            found["dns"] = self._dns
        if self._wanted.security_groups:
            found["groups"] = self._groups
        if self._wanted.certificate_arn:
            found["certificate"] = self._certificate
        if self._wanted.bundle:
            found["bundle"] = self._bundle
        if self._wanted.hosted_zone_id:
            found |= {"zone": self._zone, "records": self._records}
        if self._wanted.stores:
            found |= stores.questions(self._clients, self._region, self._wanted)
        return found

    def _vpc(self) -> Answer:
        """Query with a filter, as everywhere here: an unknown id would make the whole call fail."""
        pages = self._pages("describe_vpcs", {"vpc-id": [self._wanted.vpc_id]})
        return {"vpc": next((_vpc(one) for page in pages for one in page["Vpcs"]), None)}

    def _dns(self) -> Answer:
        support, hostnames = (self._attribute(name) for name in ("enableDnsSupport", "enableDnsHostnames"))
        return {"dns": None if support is None or hostnames is None else Dns(support, hostnames)}

    def _attribute(self, name: str) -> bool | None:
        try:
            answer = self._ec2("describe_vpc_attribute", VpcId=self._wanted.vpc_id, Attribute=name)
        except CloudError as error:
            if error.code == "InvalidVpcID.NotFound":
                return None
            raise
        return bool(answer[name[0].upper() + name[1:]]["Value"])

    def _subnet(self) -> Answer:
        pages = self._pages("describe_subnets", {"subnet-id": self._subnets})
        return {"subnets": tuple(_subnet(one) for page in pages for one in page["Subnets"])}

    def _routes(self) -> Answer:
        pages = self._pages("describe_route_tables", {"vpc-id": [self._wanted.vpc_id]})
        return {"tables": tuple(_table(one) for page in pages for one in page["RouteTables"])}

    def _endpoints(self) -> Answer:
        pages = self._pages("describe_vpc_endpoints", {"vpc-id": [self._wanted.vpc_id]})
        found = (one for page in pages for one in page["VpcEndpoints"])
        return {"endpoints": tuple(_endpoint(one) for one in found if one["State"].lower() not in ENDED)}

    def _interfaces(self) -> Answer:
        """Count the addresses in the environment's security groups, which all its interfaces have."""
        own = {f"tag:{key}": [value] for key, value in self._tags.items()}
        pages = self._pages("describe_security_groups", {"vpc-id": [self._wanted.vpc_id], **own})
        groups = [one["GroupId"] for page in pages for one in page["SecurityGroups"]]
        if not groups:
            return {"interfaces": {}}
        held: Counter[str] = Counter()
        mine = {"subnet-id": self._subnets, "group-id": groups}
        for page in self._pages("describe_network_interfaces", mine):
            for one in page["NetworkInterfaces"]:
                held[one["SubnetId"]] += len(one.get("PrivateIpAddresses", ())) or 1
        return {"interfaces": dict(held)}

    def _groups(self) -> Answer:
        """Query with a filter, as for the VPC; the environment's own VPC is known by its tags."""
        wanted = {"group-id": list(self._wanted.security_groups)}
        found = [
            one for page in self._pages("describe_security_groups", wanted) for one in page["SecurityGroups"]
        ]
        groups = {one["GroupId"]: one.get("VpcId", "") for one in found}
        if self._wanted.vpc_id:
            return {"groups": groups}
        own = {f"tag:{key}": [value] for key, value in self._tags.items()}
        vpcs = [one["VpcId"] for page in self._pages("describe_vpcs", own) for one in page["Vpcs"]]
        return {"groups": groups, "own_vpc": next(iter(vpcs), None)}

    def _certificate(self) -> Answer:
        arn = self._wanted.certificate_arn
        try:
            answer = ask(self._clients("acm"), "describe_certificate", CertificateArn=arn)
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return {"certificate": None}
            raise
        return {"certificate": _certificate(answer["Certificate"])}

    def _bundle(self) -> Answer:
        bucket, _, key = (self._wanted.bundle or "").removeprefix("s3://").partition("/")
        version = self._wanted.bundle_version
        which = {"VersionId": version} if version else {}
        try:
            found = ask(self._clients("s3"), "get_object", Bucket=bucket, Key=key, **which)
        except CloudError as error:
            if error.code in NO_FILE:
                return {"bundle": None}
            raise
        return {"bundle": _bundle(found["Body"].read(MOST_BUNDLE_BYTES))}

    def _zone(self) -> Answer:
        try:
            answer = ask(self._clients("route53"), "get_hosted_zone", Id=self._wanted.hosted_zone_id)
        except CloudError as error:
            if error.code == "NoSuchHostedZone":
                return {"zone": None}
            raise
        return {"zone": _zone(answer)}

    def _records(self) -> Answer:
        """List from the environment's own name on, so that its records come first."""
        name = self._wanted.domain
        where = {"HostedZoneId": self._wanted.hosted_zone_id, "StartRecordName": name}
        try:
            answer = ask(
                self._clients("route53"), "list_resource_record_sets", **where, MaxItems=RECORDS_AT_ONCE
            )
        except CloudError as error:
            if error.code == "NoSuchHostedZone":
                return {"records": ()}
            raise
        found = (one for one in answer["ResourceRecordSets"] if one["Name"].rstrip(".") == name)
        return {"records": tuple(_record(one) for one in found if one["Type"] in CLASHING)}

    def _ec2(self, method: str, **parameters: Any) -> Any:
        return ask(self._clients("ec2"), method, **parameters)

    def _pages(self, method: str, filters: Mapping[str, list[Any]]) -> Iterator[Mapping[str, Any]]:
        wanted = [{"Name": name, "Values": values} for name, values in filters.items()]
        return pages(partial(self._ec2, method, Filters=wanted), f"ec2 {method}")


def _vpc(answer: Mapping[str, Any]) -> Vpc:
    blocks = [
        one["CidrBlock"]
        for one in answer.get("CidrBlockAssociationSet", ())
        if one.get("CidrBlockState", {}).get("State") == "associated"
    ]
    cidrs = tuple(dict.fromkeys([answer["CidrBlock"], *blocks]))
    return Vpc(answer["VpcId"], answer["State"], cidrs, answer.get("InstanceTenancy", "default"))


def _subnet(answer: Mapping[str, Any]) -> Subnet:
    return Subnet(
        id=answer["SubnetId"],
        vpc_id=answer["VpcId"],
        zone=answer["AvailabilityZone"],
        cidr=answer.get("CidrBlock", ""),
        free=int(answer["AvailableIpAddressCount"]),
        outpost=bool(answer.get("OutpostArn")),
    )


def _table(answer: Mapping[str, Any]) -> RouteTable:
    associations = answer.get("Associations", ())
    routes = (_route(one) for one in answer.get("Routes", ()) if one.get("DestinationCidrBlock"))
    return RouteTable(
        id=answer["RouteTableId"],
        main=any(one.get("Main") for one in associations),
        subnets=tuple(one["SubnetId"] for one in associations if one.get("SubnetId")),
        routes=tuple(routes),
    )


def _route(answer: Mapping[str, Any]) -> Route:
    target = next((answer[name] for name in _TARGETS if answer.get(name)), "")
    return Route(answer["DestinationCidrBlock"], target, active=answer.get("State") != "blackhole")


def _endpoint(answer: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        id=answer["VpcEndpointId"],
        service=answer.get("ServiceName", ""),
        kind=answer.get("VpcEndpointType", ""),
        private_dns=bool(answer.get("PrivateDnsEnabled")),
        tags={one["Key"]: one["Value"] for one in answer.get("Tags", ())},
        tables=tuple(answer.get("RouteTableIds", ())),
    )


def _certificate(answer: Mapping[str, Any]) -> Certificate:
    names = (answer["DomainName"], *answer.get("SubjectAlternativeNames", ()))
    return Certificate(
        status=answer["Status"],
        names=tuple(dict.fromkeys(names)),
        algorithm=answer.get("KeyAlgorithm", "").replace("-", "_"),
        ends=answer.get("NotAfter"),
        imported=answer.get("Type") == "IMPORTED",
    )


def _bundle(content: bytes) -> Bundle:
    """Read certificates with OpenSSL, which also tells whether one may sign others."""
    text = content.decode("latin-1")
    count, has_key = text.count("-----BEGIN CERTIFICATE-----"), "PRIVATE KEY-----" in text
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text.encode("ascii").decode())
    except (ssl.SSLError, ValueError):
        return Bundle(count, None, has_key)
    ends = (ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs())
    return Bundle(count, tuple(datetime.fromtimestamp(one, UTC) for one in ends), has_key)


def _zone(answer: Mapping[str, Any]) -> Zone:
    zone = answer["HostedZone"]
    return Zone(
        name=zone["Name"].rstrip("."),
        private=bool(zone.get("Config", {}).get("PrivateZone")),
        vpcs=tuple(one["VPCId"] for one in answer.get("VPCs", ())),
        servers=tuple(answer.get("DelegationSet", {}).get("NameServers", ())),
    )


def _record(answer: Mapping[str, Any]) -> Record:
    values = [one["Value"] for one in answer.get("ResourceRecords", ())]
    if alias := answer.get("AliasTarget"):
        values = [alias["DNSName"]]
    return Record(answer["Type"], values[0] if len(values) == 1 else "")
