"""Current usage of quotas, each counted from one list call. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.errors import CloudError
from deployer.preflight.account import Limit, Metric

WINDOW = timedelta(hours=1)
"""What CloudWatch is asked about: usage metrics come every five minutes, some with delay."""
PERIOD_SECONDS = 300


def limit(clients: Clients, service: str, code: str) -> Limit | None:
    """Return a quota as the account has it; None if Service Quotas has only AWS's default."""
    try:
        quota = ask(clients("service-quotas"), "get_service_quota", ServiceCode=service, QuotaCode=code)[
            "Quota"
        ]
    except CloudError as error:
        if error.code == "NoSuchResourceException":
            return None
        raise
    return Limit(float(quota["Value"]), _metric(quota.get("UsageMetric")))


def _metric(found: Mapping[str, Any] | None) -> Metric | None:
    if not found or "MetricNamespace" not in found:
        return None
    return Metric(
        found["MetricNamespace"],
        found["MetricName"],
        found.get("MetricDimensions", {}),
        found.get("MetricStatisticRecommendation", "Maximum"),
    )


def used(clients: Clients, what: str, metric: Metric | None) -> float | None:
    """Return the usage of *what*; None if it is not counted."""
    if what in _LISTS:
        return _LISTS[what](clients)
    return _by_metric(clients, metric) if metric else None


def _by_metric(clients: Clients, metric: Metric) -> float | None:
    now = datetime.now(UTC)
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(metric.dimensions.items())]
    which = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    query = {
        "Id": "used",
        "MetricStat": {"Metric": which, "Period": PERIOD_SECONDS, "Stat": metric.statistic},
    }
    answer = ask(
        clients("cloudwatch"),
        "get_metric_data",
        MetricDataQueries=[query],
        StartTime=now - WINDOW,
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    values = [value for one in answer["MetricDataResults"] for value in one.get("Values", ())]
    return float(values[0]) if values else None


def _list(service: str, method: str, member: str, **asked: Any) -> Callable[[Clients], float]:
    """Return a counter of the items in one list of a service."""
    names = ("NextMarker", "Marker") if service == "elbv2" else ("NextToken", "")

    def count(clients: Clients) -> float:
        question = partial(ask, clients(service), method, **asked)
        return sum(len(page.get(member, ())) for page in pages(question, f"{service} {method}", *names))

    return count


def _filter(name: str, *values: str) -> list[Mapping[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


_LISTS: Mapping[str, Callable[[Clients], float]] = {
    "vpcs": _list("ec2", "describe_vpcs", "Vpcs"),
    "internet gateways": _list("ec2", "describe_internet_gateways", "InternetGateways"),
    "addresses": _list("ec2", "describe_addresses", "Addresses"),
    "gateway endpoints": _list(
        "ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=_filter("vpc-endpoint-type", "Gateway")
    ),
    "security groups": _list("ec2", "describe_security_groups", "SecurityGroups", MaxResults=1000),
    "load balancers": _list("elbv2", "describe_load_balancers", "LoadBalancers"),
    "target groups": _list("elbv2", "describe_target_groups", "TargetGroups"),
}
"""Name in `deployer.preflight.quota_table` -> its counter."""
