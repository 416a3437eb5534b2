"""Requirements on existing subnets: in the VPC, in two zones, with a route out and free addresses. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from deployer.checks.facts import Facts, Problem, Problems, RouteTable, Subnet
from generator.manifest import Existing, ExistingSubnets

EVERYWHERE = "0.0.0.0/0"
HALVES = frozenset({"0.0.0.0/1", "128.0.0.0/1"})
"""Two routes that together lead everywhere."""
NO_WAY = ("pcx-", "local")
"""A peering connection leads into one VPC and not out of it (Amazon VPC, "VPC peering limitations")."""


def subnet_problems(wanted: Existing, facts: Facts) -> Problems:
    """Yield what is wrong with the subnets, kind by kind."""
    if not facts.known("subnets"):
        return
    for kind in wanted.subnets:
        found = [one for one in map(facts.subnet, kind.ids) if one]
        yield from _missing(kind, facts)
        yield from _elsewhere(wanted, kind, found, facts)
        yield from _zones(kind, found, facts.region)
        yield from _outside(wanted, kind, found)
        for index, subnet_id in enumerate(kind.ids):
            subnet = facts.subnet(subnet_id)
            if subnet and subnet.cidr and subnet.vpc_id == wanted.vpc_id:
                yield from _way_out(wanted, kind, subnet, facts)
                yield from _room(kind, index, subnet, facts)


def _missing(kind: ExistingSubnets, facts: Facts) -> Problems:
    for subnet_id in kind.ids:
        if facts.subnet(subnet_id) is None:
            yield Problem(kind.key, f"there is no subnet {subnet_id} in {facts.region}; correct the id")


def _elsewhere(wanted: Existing, kind: ExistingSubnets, found: list[Subnet], facts: Facts) -> Problems:
    if facts.known("vpc") and facts.vpc is None:
        return  # the VPC's id is wrong, and every subnet would seem to be
    for one in found:
        if one.vpc_id != wanted.vpc_id:
            text = f"{one.id} is in {one.vpc_id}, not in {wanted.vpc_id}; name a subnet of the VPC"
            yield Problem(kind.key, text)


def _zones(kind: ExistingSubnets, found: list[Subnet], region: str) -> Problems:
    """
    Require two of the region's own zones, not Local Zones, Wavelength Zones or Outposts.

    A load balancer takes zones of one kind only, and Fargate is in no Local Zone. Sources: Elastic Load
    Balancing, "Application Load Balancers"; AWS Batch API Reference, "ComputeResourceUpdate", subnets.
    """
    for one in found:
        if not one.cidr:
            yield Problem(kind.key, f"{one.id} has no IPv4 addresses; name a subnet with an IPv4 range")
        elif one.outpost:
            yield Problem(kind.key, f"{one.id} is on an Outpost; name a subnet of an availability zone")
        elif not re.fullmatch(rf"{re.escape(region)}[a-z]", one.zone):
            text = (
                f"{one.id} is in {one.zone}, which is no availability zone of the region's own; name another"
            )
            yield Problem(kind.key, text)
    if len(found) > 1 and len({one.zone for one in found}) < 2:
        ids = " and ".join(one.id for one in found)
        text = f"{ids} are both in {found[0].zone}; name two in different availability zones"
        yield Problem(kind.key, text)


def _outside(wanted: Existing, kind: ExistingSubnets, found: list[Subnet]) -> Problems:
    """Find subnets outside the VPC's range in the file: the endpoints' group admits only that range."""
    if not (wanted.endpoints and "tasks" in kind.addresses):
        return
    whole = IPv4Network(wanted.vpc_cidr)
    for one in found:
        if one.cidr and one.vpc_id == wanted.vpc_id and not IPv4Network(one.cidr).subnet_of(whole):
            text = (
                f"{one.id} ({one.cidr}) is outside network.vpc_cidr, {wanted.vpc_cidr}, which alone reaches"
            )
            yield Problem(kind.key, f"{text} the endpoints; name a subnet in it, or correct the range")


def _way_out(wanted: Existing, kind: ExistingSubnets, subnet: Subnet, facts: Facts) -> Problems:
    if not facts.known("routes"):
        return
    table = facts.table(subnet.id)
    if table is None:
        text = f"the route table of {subnet.id} cannot be seen (a shared VPC's owner sees it): not checked"
        yield Problem(kind.key, text, refused=False)
        return
    target, gone = _default(table)
    place = f"{subnet.id} ({table.id})"
    lost = f": {gone} is gone" if gone and not target else ""
    if kind.way_out == "internet":
        # A firewall's endpoint in front of the load balancer forwards to the internet gateway by itself.
        if not target.startswith(("igw-", "vpce-")):
            text = f"{place} has no default route to an internet gateway{lost}{_instead(target)}"
            yield Problem(kind.key, f"{text}; add {EVERYWHERE} to one, or name a public subnet")
    elif target.startswith("igw-"):
        yield Problem(kind.key, f"{place} {_INNER[kind.way_out]}")
    elif kind.way_out == "any" and (not target or target.startswith(NO_WAY)):
        text = (
            f"{place} has no outbound route{lost}{_instead(target)}: tasks cannot reach the model providers"
        )
        yield Problem(kind.key, f"{text}; add {EVERYWHERE} to a NAT or transit gateway")
    elif kind.way_out == "endpoints" and (not target or target.startswith(NO_WAY)):
        yield from _closed(wanted, kind, place, facts)


_UNREACHABLE = (
    "routes to an internet gateway, which resources without a public address cannot use; "
    "name a subnet whose default route is a NAT or transit gateway"
)
_INNER = {
    "any": _UNREACHABLE,
    "endpoints": _UNREACHABLE,
    "none": "routes to an internet gateway; name a subnet without that route, databases belong there",
}


def _instead(target: str) -> str:
    return f" (it routes to {target})" if target else ""


def _default(table: RouteTable) -> tuple[str, str]:
    """Return the target of the default route, and a default target that no longer exists."""
    everywhere = [one for one in table.routes if one.destination == EVERYWHERE]
    halves = [one for one in table.routes if one.destination in HALVES]
    routes = everywhere or (halves if len(halves) == len(HALVES) else [])
    gone = [one.target for one in routes if not one.active]
    active = [one.target for one in routes if one.active]
    return (active[0] if active and (everywhere or not gone) else "", gone[0] if gone else "")


def _closed(wanted: Existing, kind: ExistingSubnets, place: str, facts: Facts) -> Problems:
    """
    Without a route out, every service needs an endpoint; a warning, as names may resolve from another VPC.
    """
    if not facts.known("endpoints"):
        return
    there = {one.service for one in facts.endpoints if one.kind == "Interface" and one.private_dns}
    missing = [one for one in wanted.reached if f"com.amazonaws.{facts.region}.{one}" not in there]
    if missing:
        names = ", ".join(missing)
        text = f"{place} has no outbound route, and the VPC has no endpoint with a private name for {names}"
        yield Problem(kind.key, f"{text}; tasks and rotations need them", refused=False)


def _room(kind: ExistingSubnets, index: int, subnet: Subnet, facts: Facts) -> Problems:
    """
    Compare the free addresses with the most needed beyond those that the environment holds already.

    Only a warning if it holds some: more are needed only at times.
    """
    needs = {what: counts[index] for what, counts in kind.addresses.items() if counts[index]}
    ours = facts.interfaces.get(subnet.id, 0)
    short = sum(needs.values()) - ours - subnet.free
    if short <= 0 or not facts.known("interfaces"):
        return
    held = f" beside {ours} of the environment's own" if ours else ""
    parts = ", ".join(f"{what} {count}" for what, count in needs.items())
    text = f"{subnet.id} ({subnet.cidr}) has {subnet.free} free addresses{held}, {short} too few for {parts}"
    remedy = "name a larger subnet" + (", or lower service.max_tasks" if "tasks" in needs else "")
    yield Problem(kind.key, f"{text}; {remedy}", refused=not ours)
