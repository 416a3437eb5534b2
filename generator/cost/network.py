"""Cost of traffic: gateways, endpoints, addresses, the load balancer, its firewall and DNS name. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from generator.cost.case import Case, Row, amount
from generator.cost.template import target

BOTH_WAYS = 2
"""Traffic between zones is charged to its sender and its receiver (Amazon EC2 on-demand pricing)."""


def nat_gateway(case: Case) -> Iterator[Row]:
    """Yield its hours, its share of the traffic, and what of that comes from other zones."""
    yield case.priced("NAT gateway", "nat-hour", case.hours, f"{amount(case.hours)} h")
    share = case.usage.nat_gb / max(case.totals.nat_gateways, 1)
    yield case.priced("NAT data", "nat-gb", share, f"{amount(share)} GB")
    users = sum(
        target(one.properties.get("NatGatewayId")) == case.resource.logical_id
        for one in case.template.of_type("AWS::EC2::Route")
    )
    if users > 1:
        crossing = share * (users - 1) / users
        words, note = f"{amount(crossing)} GB x {BOTH_WAYS}", "from the other zone, charged both ways"
        yield case.priced("data between zones", "between-zones-gb", crossing * BOTH_WAYS, words, note=note)


def endpoint(case: Case) -> Iterator[Row]:
    """Yield an interface endpoint's hours by zone and its share of traffic; gateway endpoints are free."""
    if case.value("VpcEndpointType") != "Interface":
        yield case.free("gateway endpoint", "gateway endpoints are free")
        return
    zones = len(case.resource.properties.get("SubnetIds") or ()) or 1
    words = f"{zones} {'zone' if zones == 1 else 'zones'} x {amount(case.hours)} h"
    yield case.priced("interface endpoint", "endpoint-hour", zones * case.hours, words)
    share = case.usage.endpoint_gb / max(case.totals.endpoints, 1)
    yield case.priced("endpoint data", "endpoint-gb", share, f"{amount(share)} GB")


def address(case: Case) -> Iterator[Row]:
    """Yield an Elastic IP address, in use or not."""
    yield case.priced("public IPv4 address", "ipv4-hour", case.hours, f"{amount(case.hours)} h")


def load_balancer(case: Case) -> Iterator[Row]:
    """Yield an Application Load Balancer's hours, capacity units, public addresses, and what clients get."""
    if case.value("Type") not in {None, "application"}:
        yield case.open("load balancer", f"no price of the type {case.value('Type')}")
        return
    yield case.priced("load balancer", "alb-hour", case.hours, f"{amount(case.hours)} h")
    units = case.usage.lcu_average
    words = f"{amount(units)} on average x {amount(case.hours)} h"
    yield case.priced("capacity units (LCU)", "alb-lcu-hour", units * case.hours, words)
    if case.value("Scheme") == "internal":
        return
    zones = len(case.resource.properties.get("Subnets") or ())
    words, note = f"{zones} x {amount(case.hours)} h", "one in each subnet"
    yield case.priced("public IPv4 addresses", "ipv4-hour", zones * case.hours, words, note=note)
    out = case.usage.internet_gb
    yield case.priced("data to the internet", "internet-gb", out, f"{amount(out)} GB")


def trust_store(case: Case) -> Iterator[Row]:
    """Yield a trust store's hours, charged while a listener uses it."""
    yield case.priced("trust store", "alb-trust-store-hour", case.hours, f"{amount(case.hours)} h")


def web_acl(case: Case) -> Iterator[Row]:
    """Yield the firewall, its rules (a managed group is one), and the requests that it looks at."""
    rules = len(case.resource.properties.get("Rules") or ())
    yield case.priced("web ACL", "waf-acl-month", 1, "1")
    yield case.priced("firewall rules", "waf-rule-month", rules, f"{rules} rules and managed groups")
    requests = case.usage.requests_million
    words = f"{amount(requests)} million"
    yield case.priced("requests looked at", "waf-million-requests", requests, words)


def record_set(case: Case) -> Iterator[Row]:
    """Yield a name's queries: those for an alias to a load balancer are free."""
    if "AliasTarget" in case.resource.properties:
        yield case.free(
            "DNS queries", "free for an alias to a load balancer; the hosted zone is yours already"
        )
    else:
        yield case.open("DNS queries", "usage-based")


def flow_log(case: Case) -> Iterator[Row]:
    """Yield what flow logs are charged for being delivered."""
    size = case.usage.flow_log_gb
    yield case.priced("flow logs", "flow-log-gb", size, f"{amount(size)} GB")
