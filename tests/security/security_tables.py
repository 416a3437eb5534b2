"""
The security-group tables of the four documents, as data, and what differs from them in our environments.

Each row has the document's own words (`said`) and what they mean as rules, in which our groups stand by their
logical ids. A difference says on which side it is, in which environments, and why; `docs/security-groups.md`
shows all of it. S3 has no table: its rows are its sentences and its figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from generator.render import render
from generator.traffic import Rule, Traffic, traffic
from stacks.environment import load
from tests.places import ROOT

ALB, ECS, RDS = "AlbSecurityGroup", "EcsSecurityGroup", "RdsSecurityGroup"
LAMBDA, REDIS, ENDPOINT = "LambdaSecurityGroup", "RedisSecurityGroup", "EndpointSecurityGroup"
WEB = "0.0.0.0/0"
VPC = "10.0.0.0/16"


@dataclass(frozen=True)
class Row:
    """One row of a document's table."""

    name: str
    """The group's name in the document."""
    group: str
    """Our group's logical id."""
    said: str
    """The document's text of the row."""
    rules: tuple[str, ...]
    """Its meaning: ``in TCP 80 from 0.0.0.0/0``; no rule in a direction means no traffic."""


@dataclass(frozen=True)
class Difference:
    """Rules that only one side has."""

    side: Literal["document", "ours"]
    group: str
    rules: tuple[str, ...]
    environments: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Document:
    """A document with its table, and the environments compared with it."""

    name: str
    title: str
    environments: tuple[str, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


NO_CERTIFICATE = "no certificate here, so no listener answers on 443; the port opens with one"
REDIRECT = "redirects to 443"
FROM_ROTATION = "the login's rotation function connects to the database from a security group of its own"
LEAST = "least privilege, as the document's security section asks: only required outbound traffic is allowed"
ROTATION_IS_NEW = "the document has no rotation functions; gatestack's connect to the database and AWS's APIs"
HAND_OVER = (
    "the rotation function of the master key registers the old key with a running task (docs/rotation.md)"
)
SHARED = "production has Redis, so that tasks share limits, budgets and deleted keys (docs/sizing.md)"
ENDPOINTS = (
    "endpoints are optional (`network.vpc_endpoints`); without them the group exists and nothing uses it"
)

S1 = Document(
    "S1",
    "LiteLLM architecture guide, Security Groups",
    ("dev", "prod"),
    (
        Row(
            "ALB",
            ALB,
            "TCP 80, 443 from 0.0.0.0/0; out: TCP 4000 to ECS SG",
            (f"in TCP 80 from {WEB}", f"in TCP 443 from {WEB}", f"out TCP 4000 to {ECS}"),
        ),
        Row(
            "ECS",
            ECS,
            "TCP 4000 from ALB SG; out: TCP 443 to 0.0.0.0/0; TCP 5432 to RDS SG",
            (f"in TCP 4000 from {ALB}", f"out TCP 443 to {WEB}", f"out TCP 5432 to {RDS}"),
        ),
        Row(
            "RDS",
            RDS,
            "TCP 5432 from ECS SG, Lambda SG",
            (f"in TCP 5432 from {ECS}", f"in TCP 5432 from {LAMBDA}"),
        ),
        Row(
            "Lambda Rotation",
            LAMBDA,
            "out: TCP 5432 to RDS SG; TCP 443 to 0.0.0.0/0",
            (f"out TCP 5432 to {RDS}", f"out TCP 443 to {WEB}"),
        ),
        Row("VPC Endpoints", ENDPOINT, "TCP 443 from VPC CIDR", (f"in TCP 443 from {VPC}",)),
    ),
    (
        Difference("document", ALB, (f"in TCP 443 from {WEB}",), ("dev",), NO_CERTIFICATE),
        Difference("ours", ECS, (f"in TCP 4000 from {LAMBDA}",), ("dev", "prod"), HAND_OVER),
        Difference("ours", LAMBDA, (f"out TCP 4000 to {ECS}",), ("dev", "prod"), HAND_OVER),
        Difference("ours", ECS, (f"out TCP 6379 to {REDIS}",), ("prod",), SHARED),
        Difference("ours", REDIS, (f"in TCP 6379 from {ECS}",), ("prod",), SHARED),
    ),
)

BENCHMARKS = ("litellm-benchmark", "litellm-benchmark-production")
S2 = Document(
    "S2",
    "LiteLLM benchmark, Security Groups (a figure)",
    BENCHMARKS,
    (
        Row(
            "ALB Security Group",
            ALB,
            "Inbound: 80 (HTTP), 443 (HTTPS) from 0.0.0.0; Outbound: All",
            (f"in TCP 80 from {WEB}", f"in TCP 443 from {WEB}", f"out all to {WEB}"),
        ),
        Row(
            "ECS Security Group",
            ECS,
            "Inbound: 4000 (HTTP) from ALB SG; Outbound: All",
            (f"in TCP 4000 from {ALB}", f"out all to {WEB}"),
        ),
        Row(
            "RDS Security Group",
            RDS,
            "Inbound: 5432 (PG) from ECS SG; Outbound: All",
            (f"in TCP 5432 from {ECS}", f"out all to {WEB}"),
        ),
    ),
    (
        Difference("document", ALB, (f"in TCP 443 from {WEB}",), ("litellm-benchmark",), NO_CERTIFICATE),
        Difference("document", ALB, (f"out all to {WEB}",), BENCHMARKS, LEAST),
        Difference("ours", ALB, (f"out TCP 4000 to {ECS}",), BENCHMARKS, "all that it needs"),
        Difference("document", ECS, (f"out all to {WEB}",), BENCHMARKS, LEAST),
        Difference(
            "ours",
            ECS,
            (f"out TCP 443 to {WEB}", f"out TCP 5432 to {RDS}"),
            BENCHMARKS,
            "what it needs: model providers, AWS's APIs and the database",
        ),
        Difference("ours", ECS, (f"in TCP 4000 from {LAMBDA}",), BENCHMARKS, HAND_OVER),
        Difference(
            "ours",
            ECS,
            (f"out TCP 6379 to {REDIS}",),
            ("litellm-benchmark-production",),
            "the document's production variant has Redis, its figure does not",
        ),
        Difference("document", RDS, (f"out all to {WEB}",), BENCHMARKS, LEAST),
        Difference("ours", RDS, (f"in TCP 5432 from {LAMBDA}",), BENCHMARKS, FROM_ROTATION),
        Difference(
            "ours",
            LAMBDA,
            (f"out TCP 443 to {WEB}", f"out TCP 5432 to {RDS}"),
            BENCHMARKS,
            ROTATION_IS_NEW,
        ),
        Difference("ours", LAMBDA, (f"out TCP 4000 to {ECS}",), BENCHMARKS, HAND_OVER),
        Difference(
            "ours",
            REDIS,
            (f"in TCP 6379 from {ECS}",),
            ("litellm-benchmark-production",),
            "the document's production variant has Redis, its figure does not",
        ),
        Difference("ours", ENDPOINT, (f"in TCP 443 from {VPC}",), ("litellm-benchmark",), ENDPOINTS),
        Difference(
            "ours",
            ENDPOINT,
            (f"in TCP 443 from {VPC}",),
            ("litellm-benchmark-production",),
            'the document advises endpoints ("Consider VPC endpoints"); production has them',
        ),
    ),
)

PROXIES = ("llm-proxy-dev", "llm-proxy-production")
S0 = Document(
    "S0",
    "LLM Proxy on AWS, Network Security Groups",
    PROXIES,
    (
        Row(
            "ALB",
            ALB,
            "443 from 0.0.0.0/0; out: 8080 to ECS",
            (f"in TCP 443 from {WEB}", f"out TCP 8080 to {ECS}"),
        ),
        Row(
            "ECS",
            ECS,
            "8080 from ALB; out: 5432, 6379 to Data; 443 to Internet",
            (
                f"in TCP 8080 from {ALB}",
                f"out TCP 5432 to {RDS}",
                f"out TCP 6379 to {REDIS}",
                f"out TCP 443 to {WEB}",
            ),
        ),
        Row("Aurora", RDS, "5432 from ECS; out: None", (f"in TCP 5432 from {ECS}",)),
        Row("Redis", REDIS, "6379 from ECS; out: None", (f"in TCP 6379 from {ECS}",)),
    ),
    (
        Difference("document", ALB, (f"in TCP 443 from {WEB}",), ("llm-proxy-dev",), NO_CERTIFICATE),
        Difference(
            "ours",
            ALB,
            (f"in TCP 80 from {WEB}",),
            ("llm-proxy-dev",),
            "HTTP only, the document's third option, for development",
        ),
        Difference("ours", ALB, (f"in TCP 80 from {WEB}",), ("llm-proxy-production",), REDIRECT),
        Difference("ours", RDS, (f"in TCP 5432 from {LAMBDA}",), PROXIES, FROM_ROTATION),
        Difference(
            "ours",
            LAMBDA,
            (f"out TCP 443 to {WEB}", f"out TCP 5432 to {RDS}"),
            PROXIES,
            ROTATION_IS_NEW,
        ),
        Difference("ours", ENDPOINT, (f"in TCP 443 from {VPC}",), PROXIES, ENDPOINTS),
    ),
)

S3 = Document(
    "S3",
    "LLM testing framework, Components and its figure",
    ("llm-testing",),
    (
        Row(
            "load balancer",
            ALB,
            "Internet-facing ALB for routing traffic; curl http://… (no table)",
            (f"in TCP 80 from {WEB}", f"out TCP 3000 to {ECS}"),
        ),
        Row(
            "tasks",
            ECS,
            "Restrict traffic to load balancer and tasks; NAT Gateway: for private subnet internet access",
            (f"in TCP 3000 from {ALB}", f"out TCP 443 to {WEB}"),
        ),
    ),
    (Difference("ours", ENDPOINT, (f"in TCP 443 from {VPC}",), ("llm-testing",), ENDPOINTS),),
)

DOCUMENTS = (S0, S1, S2, S3)


def ours(environment: str) -> Traffic:
    """Return the traffic of a shipped environment."""
    return traffic(render(load(ROOT / "environments" / f"{environment}.yaml")))


def rules_of(found: Traffic) -> set[tuple[str, str]]:
    """Return (group, rule) of all that allows traffic, in the form of `Row.rules`."""
    names = {group.key: group.logical_id for group in found.groups}
    return {(names[rule.group], _words(rule, names)) for rule in found.rules if not rule.matches_nothing}


def _words(rule: Rule, names: dict[str, str]) -> str:
    end = "from" if rule.direction == "in" else "to"
    return f"{rule.direction} {rule.service} {end} {names.get(rule.peer.value, rule.peer.value)}"


def explained(
    document: Document, environment: str, side: Literal["document", "ours"]
) -> set[tuple[str, str]]:
    """Return (group, rule) of every difference that is explained for *environment*."""
    return {
        (difference.group, rule)
        for difference in document.differences
        if difference.side == side and environment in difference.environments
        for rule in difference.rules
    }


def compared(document: Document, environment: str, found: Traffic) -> list[str]:
    """Return differences without a reason, and reasons without a difference, as sentences."""
    theirs = {(row.group, rule) for row in document.rows for rule in row.rules}
    here = rules_of(found)
    problems = []
    for side, only in (("document", theirs - here), ("ours", here - theirs)):
        known = explained(document, environment, "document" if side == "document" else "ours")
        where = f"{document.name}, {environment}"
        problems += [
            f"{where}: {group} {rule}: only in {side}, unexplained" for group, rule in sorted(only - known)
        ]
        problems += [
            f"{where}: {group} {rule}: explained as only in {side}, and is not"
            for group, rule in sorted(known - only)
        ]
    return problems


# --- the page ------------------------------------------------------------------------------------

HEAD = """# Security groups: the documents and gatestack

Generated by `make golden` from the templates of the named environments. `test_security_tables.py` fails if a
difference has no reason here, or a reason has no difference. `gatestack graph ENV --format security` prints
the rules of any environment. A group without a rule in a direction allows no traffic in it: an outbound rule
that matches nothing replaces AWS's default, which allows all.
"""


def page() -> str:
    """Return docs/security-groups.md."""
    return "\n".join([HEAD, *(line for document in DOCUMENTS for line in _section(document))])


def _section(document: Document) -> Iterator[str]:
    yield f"## {document.name}: {document.title}\n"
    found = {environment: rules_of(ours(environment)) for environment in document.environments}
    ends = " | ".join(f"gatestack, `{environment}`" for environment in document.environments)
    yield f"| security group | the document says | {ends} |"
    yield "|" + "---|" * (2 + len(found))
    said = {row.group: row for row in document.rows}
    groups = list(dict.fromkeys([*said, *(group for rules in found.values() for group, _ in sorted(rules))]))
    for group in groups:
        row = said.get(group)
        cells = [_cell(group, rules) for rules in found.values()]
        name = f"{row.name}: `{group}`" if row else f"`{group}`"
        yield f"| {name} | {row.said if row else '-'} | {' | '.join(cells)} |"
    yield ""
    yield "| difference | only in | environments | reason |"
    yield "|---|---|---|---|"
    for one in document.differences:
        side = "the document" if one.side == "document" else "gatestack"
        where = ", ".join(f"`{environment}`" for environment in one.environments)
        yield f"| `{one.group}` {', '.join(one.rules)} | {side} | {where} | {one.why} |"
    yield ""


def _cell(group: str, rules: set[tuple[str, str]]) -> str:
    return "; ".join(sorted(rule for owner, rule in rules if owner == group)) or "-"
