"""Availability zones of a region, from EC2 and RDS in parallel. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.checks.zone_needs import InstanceClass, Needs
from deployer.checks.zones import Zone, ZoneFacts
from deployer.errors import CloudError, LostSight, Transient
from deployer.run.concurrency import Workers

WORKERS = 2
Part = Mapping[str, Any]
"""Fields of `ZoneFacts`."""


def look(clients: Clients, needs: Needs, subnets: tuple[str, ...]) -> ZoneFacts:
    """
    Return the zones of the clients' region, and which of them offer what *needs* names.

    *subnets*: ids of subnets whose zones are read too. Other failed queries are reported as unknown.

    Raises:
        CloudError: the zones, or those of *subnets*, cannot be asked.

    """
    ec2 = partial(_pages, clients, "ec2", "NextToken")
    zones = tuple(
        Zone(one["ZoneName"], one["ZoneId"])
        for page in ec2("describe_availability_zones")
        for one in page["AvailabilityZones"]
        if one.get("ZoneType", "availability-zone") == "availability-zone"
        and one.get("State", "available") == "available"
    )
    there: dict[str, str] = {}
    if subnets:
        by_id = [{"Name": "subnet-id", "Values": list(subnets)}]
        found = (one for page in ec2("describe_subnets", Filters=by_id) for one in page["Subnets"])
        there = {one["SubnetId"]: one["AvailabilityZone"] for one in found}
    questions: list[Callable[[], Part]] = []
    if needs.endpoints:
        questions.append(lambda: {"endpoints": _endpoints(clients, needs)})
    if needs.classes:
        questions.append(lambda: {"classes": _classes(clients, needs)})
    with Workers(WORKERS) as workers:
        parts = workers.each(_known, questions)
    answers = {name: value for part in parts for name, value in part.items() if name != "unknown"}
    unknown = tuple(part["unknown"] for part in parts if "unknown" in part)
    return ZoneFacts(zones, subnets=there, unknown=unknown, **answers)


def _known(question: Callable[[], Part]) -> Part:
    try:
        return question()
    except (LostSight, Transient):
        raise
    except CloudError as error:
        return {"unknown": str(error)}


def _endpoints(clients: Clients, needs: Needs) -> Mapping[str, frozenset[str]]:
    """Query with a filter: an unknown name would make the whole call fail."""
    by_name = [{"Name": "service-name", "Values": sorted(needs.endpoints)}]
    found = _pages(clients, "ec2", "NextToken", "describe_vpc_endpoint_services", Filters=by_name)
    details = (one for page in found for one in page.get("ServiceDetails", ()))
    return {one["ServiceName"]: frozenset(one.get("AvailabilityZones", ())) for one in details}


def _classes(clients: Clients, needs: Needs) -> Mapping[InstanceClass, frozenset[str]]:
    """RDS returns nothing for a version that it no longer offers; another rule chooses its replacement."""
    found: dict[InstanceClass, frozenset[str]] = {}
    for one in needs.classes:
        version = {"EngineVersion": one.version} if one.version else {}
        what = {"Engine": one.engine, "DBInstanceClass": one.name, "Vpc": True, **version}
        options = _pages(clients, "rds", "Marker", "describe_orderable_db_instance_options", **what)
        zones = {
            zone["Name"]
            for page in options
            for option in page.get("OrderableDBInstanceOptions", ())
            for zone in option.get("AvailabilityZones", ())
        }
        if zones:
            found[one] = frozenset(zones)
    return found


def _pages(clients: Clients, service: str, token: str, method: str, **parameters: Any) -> list[Any]:
    asked = partial(ask, clients(service), method, **parameters)
    return list(pages(asked, f"{service} {method}", token))
