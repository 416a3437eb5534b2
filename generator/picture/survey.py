"""Derives a diagram's content from an environment's templates. Pure: decides what is shown, not where."""

from __future__ import annotations

from collections.abc import Mapping

from generator.manifest import Manifest
from generator.picture.landscape import Landscape, Subnet, Thing, WayOut
from generator.picture.outside import internet, services
from generator.picture.things import things
from generator.references import References, Resource

EVERYWHERE = "0.0.0.0/0"


def survey(manifest: Manifest) -> Landscape:
    """Return what a picture of the environment shows."""
    found = References(manifest)
    drawn = things(found)
    subnets = _made(found) or _existing(found, drawn)
    gateway, gateway_stack = _gateway(found)
    (vpc, vpc_stack) = _vpc(found)
    balancers = found.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
    inside = {key for thing in drawn if thing.kind in {"service", "function"} for key in thing.subnets}
    way_out = any(one.way_out in {"NAT", "internet", "unknown"} for one in subnets if one.key in inside)
    return Landscape(
        name=f"{manifest.environment}-{manifest.system}",
        system=manifest.system,
        region=manifest.region,
        production=manifest.production,
        stacks=tuple(stack.name for stack in manifest.stacks),
        patches={
            stack.name: tuple(f"{one.resource} {one}" for one in stack.patched)
            for stack in manifest.stacks
            if stack.patched
        },
        vpc=vpc,
        vpc_stack=vpc_stack,
        subnets=subnets,
        things=drawn,
        gateway=gateway if gateway_stack or way_out else "",
        gateway_stack=gateway_stack,
        internal=any(one.get("Scheme") == "internal" for one in balancers),
        internet=internet(found) if way_out else (),
        services=services(found, drawn, way_out=way_out),
    )


def _vpc(found: References) -> tuple[str, str]:
    for one in found.of_type("AWS::EC2::VPC"):
        return f"VPC {found.text(one.stack, one.get('CidrBlock'))}", one.stack
    existing = found.manifest.existing
    return (existing.vpc_id or "VPC") if existing else "VPC", ""


def _gateway(found: References) -> tuple[str, str]:
    for one in found.of_type("AWS::EC2::InternetGateway"):
        return "Internet gateway", one.stack
    return "The VPC's own way out", ""


def _made(found: References) -> tuple[Subnet, ...]:
    """Return the subnets that the templates create."""
    made = found.of_type("AWS::EC2::Subnet")
    ways = _ways_out(found)
    return tuple(
        Subnet(
            one.key,
            one.logical_id,
            found.text(one.stack, one.get("CidrBlock")),
            _zone(one, place),
            ways.get(one.key, "none"),
            one.stack,
        )
        for place, one in enumerate(made, start=1)
    )


def _zone(one: Resource, place: int) -> int:
    """Return which of the region's zones it is in, by Fn::Select of Fn::GetAZs; else its own place."""
    chosen = one.get("AvailabilityZone", "Fn::Select")
    return int(chosen[0]) + 1 if chosen else place


def _ways_out(found: References) -> Mapping[str, WayOut]:
    """Return subnet -> where the default route of its table leads."""
    tables: dict[str, WayOut] = {}
    for route in found.of_type("AWS::EC2::Route"):
        if route.get("DestinationCidrBlock") == EVERYWHERE:
            (table,) = found.keys(route.stack, [route.get("RouteTableId")])
            tables[table] = "NAT" if route.get("NatGatewayId") else "internet"
    ways: dict[str, WayOut] = {}
    for link in found.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        subnet, table = found.keys(link.stack, [link.get("SubnetId"), link.get("RouteTableId")])
        ways[subnet] = tables.get(table, "none")
    return ways


def _existing(found: References, drawn: tuple[Thing, ...]) -> tuple[Subnet, ...]:
    """Return the existing subnets: the manifest's data on them, and their users."""
    lists = found.manifest.existing.subnets if found.manifest.existing else ()
    told: dict[str, WayOut] = {
        "internet": "internet",
        "any": "unknown",
        "endpoints": "unknown",
        "none": "none",
    }
    named = {
        key: Subnet(key, key, "", zone, told[one.way_out])
        for one in lists
        for zone, key in enumerate(one.ids, start=1)
    }
    for thing in drawn:
        for zone, key in enumerate(thing.subnets, start=1):
            named.setdefault(key, Subnet(key, key, "", zone, "unknown"))
    return tuple(named.values())
