"""Requirements on an existing VPC, and which endpoints it may already have. Pure: facts in, problems out."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from deployer.checks.facts import Endpoint, Facts, Problem, Problems, Vpc
from generator.manifest import Existing

VPC = "network.existing_vpc.vpc_id"
CIDR = "network.vpc_cidr"
ENDPOINTS = "network.vpc_endpoints"


def vpc_problems(wanted: Existing, facts: Facts, tags: Mapping[str, str]) -> Problems:
    """Yield what is wrong with the VPC; *tags* are those of everything that the environment has made."""
    if wanted.vpc_id is None:
        return
    if facts.known("vpc"):
        yield from _vpc(wanted, facts)
    if facts.known("dns"):
        yield from _dns(wanted, facts)
    if facts.known("endpoints") and (facts.vpc or not facts.known("vpc")):
        yield from _collisions(wanted, facts, tags)
        yield from _gateway(wanted, facts)


def _vpc(wanted: Existing, facts: Facts) -> Problems:
    vpc = facts.vpc
    if vpc is None:
        named = {one.vpc_id for one in facts.subnets}
        hint = f" (the subnets are in {', '.join(sorted(named))})" if named else ""
        where = f"there is no VPC {wanted.vpc_id} in {facts.region}"
        yield Problem(VPC, f"{where}, for these credentials{hint}; correct the id, the region or the login")
        return
    if vpc.state != "available":
        yield Problem(VPC, f"{vpc.id} is {vpc.state}; wait until it is available")
    if vpc.tenancy == "dedicated":
        text = f"{vpc.id} has dedicated tenancy, in which the rotation functions cannot be; name another VPC"
        yield Problem(VPC, text)
    yield from _range(wanted.vpc_cidr, vpc)


def _range(cidr: str, vpc: Vpc) -> Problems:
    """Check the VPC's range: security groups admit the one in the file."""
    if not any(IPv4Network(cidr).subnet_of(IPv4Network(one)) for one in vpc.cidrs):
        text = f"{cidr} is not in {vpc.id}, which has {', '.join(vpc.cidrs)}; write {' or '.join(vpc.cidrs)}"
        yield Problem(CIDR, text)


def _dns(wanted: Existing, facts: Facts) -> Problems:
    """Source: Amazon EC2 API Reference, "CreateVpcEndpoint", PrivateDnsEnabled."""
    if facts.dns is None or not wanted.endpoints:
        return
    attributes = {"enableDnsSupport": facts.dns.support, "enableDnsHostnames": facts.dns.hostnames}
    off = [name for name, on in attributes.items() if not on]
    if off:
        text = f"{' and '.join(off)} of {wanted.vpc_id} must be on for private names of the endpoints"
        yield Problem(ENDPOINTS, f"{text}; switch it on in the VPC, or write false")


def _collisions(wanted: Existing, facts: Facts, tags: Mapping[str, str]) -> Problems:
    """
    Find private names that are taken: a VPC allows one per service ("… already a conflicting DNS domain …").
    """
    ours = tags.items()
    there = {
        one.service: one
        for one in facts.endpoints
        if one.kind == "Interface" and one.private_dns and not ours <= one.tags.items()
    }
    taken = [there[name] for name in (_full(facts, one) for one in wanted.endpoints) if name in there]
    if taken:
        names = ", ".join(f"{one.service} ({one.id}{_owner(one)})" for one in taken)
        text = f"{wanted.vpc_id} has endpoints with private names for {names}, and one VPC takes no second"
        yield Problem(ENDPOINTS, f"{text}; write false, and let those admit {wanted.vpc_cidr} on port 443")


def _owner(endpoint: Endpoint) -> str:
    """Name the other environment of gatestack's that created an endpoint."""
    if endpoint.tags.get("ManagedBy") != "gatestack":
        return ""
    return " of {Environment}-{System}".format_map({"Environment": "?", "System": "?", **endpoint.tags})


def _gateway(wanted: Existing, facts: Facts) -> Problems:
    """Check for S3's gateway endpoint: it is free, and keeps image layers off the NAT gateway."""
    if not facts.known("routes", "subnets"):
        return
    found = {
        table
        for one in facts.endpoints
        if one.kind == "Gateway" and one.service == _full(facts, "s3")
        for table in one.tables
    }
    private = next(one for one in wanted.subnets if one.key.endswith("private_subnet_ids"))
    tables = {table.id for table in map(facts.table, private.ids) if table}
    if without := sorted(tables - found):
        text = f"no gateway endpoint of S3 in {', '.join(without)}: image layers take the route that costs"
        yield Problem(VPC, f"{text}; its owner can add one", refused=False)


def _full(facts: Facts, service: str) -> str:
    return f"com.amazonaws.{facts.region}.{service}"
