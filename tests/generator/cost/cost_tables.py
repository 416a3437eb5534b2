"""
The documents' cost tables, row by row, and what of our estimates stands beside each row.

``python -m tests.generator.cost.cost_tables`` rewrites our figures and the differences in docs/costs.md; the
explanations there are written by people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from generator.cost.estimate import Estimate
from tests.generator.cost.costs import shipped
from tests.places import ROOT

PAGE = ROOT / "docs" / "costs.md"
TOLERANCE = 0.10
"""A difference up to a tenth of the document's figure needs no explanation."""
EVERYTHING = ("*",)
NAT = ("NAT gateway", "NAT data", "data between zones", "public IPv4 address")
ALB = ("load balancer", "capacity units (LCU)", "public IPv4 addresses", "data to the internet")
FARGATE = ("Fargate *",)
RDS = ("database *",)
AURORA = ("Aurora *",)
LOGS = ("log ingestion", "log storage")
WATCHING = (*LOGS, "alarm", "scaling alarms", "dashboard", "Container Insights metrics")
WAF = ("web ACL", "firewall rules", "requests looked at")
ENDPOINTS = ("interface endpoint", "endpoint data")


@dataclass(frozen=True)
class Line:
    """One row of a document's table."""

    says: str
    """The document's text, as the page repeats it."""
    low: float
    """US dollars a month."""
    items: tuple[str, ...]
    """Items of our estimate that belong to it."""
    high: float | None = None
    """Where the document gives a range: its upper end."""
    environment: str = ""
    """The shipped file of the row, if it is not the table's."""


@dataclass(frozen=True)
class Table:
    """One cost table of a document."""

    title: str
    """The page's heading."""
    environment: str
    lines: tuple[Line, ...]
    less: str = ""
    """The environment that the figures are additions to."""


TABLES = (
    Table(
        "S1: development",
        "dev",
        (
            Line("NAT gateway, 1 AZ: ~$32", 32, NAT),
            Line("RDS PostgreSQL, db.t3.micro, 20 GB gp3: ~$13", 13, RDS),
            Line("ECS Fargate, 1 task, 0.5 vCPU, 1 GB (Spot): ~$15", 15, FARGATE),
            Line("ALB, internet-facing: ~$16", 16, ALB),
            Line("KMS, 1 customer key: ~$1", 1, ("customer key",)),
            Line("Secrets Manager, 4 secrets: ~$2", 2, ("secret",)),
            Line("CloudWatch Logs, ~5 GB a month: ~$3", 3, LOGS),
            Line("VPC endpoints, 4 interface endpoints: ~$29", 29, ENDPOINTS),
            Line("total: ~$111", 111, EVERYTHING),
        ),
    ),
    Table(
        "S1: what production adds",
        "prod",
        (
            Line("RDS, db.t3.small + Multi-AZ: +$25", 25, RDS),
            Line("ECS, 2+ tasks, on demand: +$15", 15, FARGATE),
            Line("ACM, certificate: $0", 0, ("certificate",)),
            Line("WAF, rate limiting + OWASP rules: ~$10", 10, WAF),
        ),
        less="dev",
    ),
    Table("S1: what production must have", "prod", (Line("NAT gateway, required: ~$32", 32, NAT),)),
    Table(
        "S0: the services",
        "llm-proxy-low",
        (
            Line("ECS Fargate, 2 tasks: ~$18", 18, FARGATE),
            Line("Aurora PostgreSQL Serverless v2, 0.5 ACU min: ~$43", 43, AURORA),
            Line("ElastiCache Redis, t4g.micro: ~$12", 12, ("cache nodes",)),
            Line("ALB: ~$18", 18, ALB),
            Line("NAT gateway, single: ~$32", 32, NAT),
            Line("Secrets Manager: ~$2", 2, ("secret",)),
            Line("SSM Parameter Store: free", 0, ("parameter",)),
            Line("ACM: free", 0, ("certificate",)),
            Line("Route 53: ~$1", 1, ("DNS queries",)),
        ),
    ),
    Table(
        "S0: low traffic",
        "llm-proxy-low",
        (
            Line("Aurora Serverless v2, 0.5 ACU min: ~$43", 43, AURORA),
            Line("NAT gateway, single: ~$32", 32, NAT),
            Line("ECS Fargate, 2 tasks x ARM64: ~$18", 18, FARGATE),
            Line("ALB, base + requests: ~$18", 18, ALB),
            Line("ElastiCache Redis, t4g.micro x 1: ~$12", 12, ("cache nodes",)),
            Line("CloudWatch, logs (14 days): ~$5", 5, WATCHING),
            Line("Secrets Manager, 5 secrets: ~$2", 2, ("secret",)),
            Line("ACM + Route 53, certificate + DNS: ~$1", 1, ("DNS queries",)),
            Line("total: ~$130", 130, EVERYTHING),
        ),
    ),
    Table(
        "S0: four tiers",
        "",
        (
            Line("Dev, single task, minimal resources: ~$130", 130, EVERYTHING, environment="llm-proxy-dev"),
            Line("Low Traffic, 1-2 tasks, auto-scaling: ~$150", 150, EVERYTHING, environment="llm-proxy-low"),
            Line(
                "Medium, 2+ tasks, 2 NATs, Redis replica: ~$300",
                300,
                EVERYTHING,
                environment="llm-proxy-medium",
            ),
            Line(
                "Production, full HA, monitoring enabled: ~$600+",
                600,
                EVERYTHING,
                environment="llm-proxy-production",
            ),
        ),
    ),
    Table(
        "S2: two configurations",
        "",
        (
            Line(
                "lower cost (dev/test), 2 tasks x 2 vCPU x 4 GB, db.t3.micro: ~$150-200",
                150,
                EVERYTHING,
                200,
                "litellm-benchmark-dev-test",
            ),
            Line(
                "production, 8 tasks x 4 vCPU x 8 GB, db.r6g.large Multi-AZ, Redis: ~$1,200-1,500",
                1200,
                EVERYTHING,
                1500,
                "litellm-benchmark-production",
            ),
        ),
    ),
    Table(
        "S3: monthly costs",
        "llm-testing",
        (
            Line("ECS Fargate, 2 tasks x 0.5 vCPU x 1 GB x 24/7: ~$30", 30, FARGATE),
            Line("ALB, 1 load balancer + data: ~$20", 20, ALB),
            Line("NAT gateway, 1 gateway + data: ~$35", 35, NAT),
            Line("Bedrock, 100K requests x 200 tokens avg: ~$45", 45, ("Bedrock *",)),
            Line("CloudWatch Logs, 10 GB: ~$5", 5, LOGS),
            Line("ECR, storage + data transfer: ~$2", 2, ("image storage",)),
            Line("total: ~$137", 137, EVERYTHING),
        ),
    ),
)


@dataclass(frozen=True)
class Compared:
    """One row of the page."""

    title: str
    says: str
    environment: str
    ours: float
    difference: float
    """Part of the document's figure, nearest end of a range: 0.1 is a tenth more."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The generated cells."""
        return self.says, f"`{self.environment}`", f"{self.ours:,.2f}", self.shown

    @property
    def shown(self) -> str:
        """The difference as shown on the page."""
        if self.difference == float("inf"):
            return "new"
        return f"{self.difference * 100:+.0f} %" if round(self.difference * 100) else "0 %"

    @property
    def needs_words(self) -> bool:
        """Whether the difference has to be explained."""
        return abs(self.difference) > TOLERANCE


def compared() -> Iterator[Compared]:
    """Yield the rows of the page."""
    for table in TABLES:
        for line in table.lines:
            name = line.environment or table.environment
            ours = _ours(shipped(name), line.items)
            if table.less:
                ours -= _ours(shipped(table.less), line.items)
            yield Compared(table.title, line.says, name, round(ours, 2), _difference(ours, line))


def _ours(found: Estimate, items: tuple[str, ...]) -> float:
    return sum(
        row.monthly_usd or 0 for row in found.rows if any(fnmatchcase(row.item, pattern) for pattern in items)
    )


def _difference(ours: float, line: Line) -> float:
    high = line.high or line.low
    nearest = min(max(ours, line.low), high)
    if nearest == ours:
        return 0.0
    return (ours - nearest) / nearest if nearest else float("inf")


def written(text: str) -> str:
    """Return the page *text* with our current figures."""
    for row in compared():
        says, *figures = row.cells
        below = rf"## {re.escape(row.title)}\n(?:(?!\n## ).|\n)*?"
        pattern = rf"({below}\| {re.escape(says)} )\|[^|\n]*\|[^|\n]*\|[^|\n]*\|"
        text, count = re.subn(
            pattern, lambda found, new=figures: f"{found[1]}| {' | '.join(new)} |", text, count=1
        )
        if not count:
            raise LookupError(f"{PAGE.name} has no row {says!r} below {row.title!r}")
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
