"""The documents' security-group tables against the templates: differences have reasons, and none is stale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.diagram import security
from generator.traffic import Peer, Rule, Traffic
from tests.places import ROOT
from tests.security.security_tables import (
    DOCUMENTS,
    ENDPOINTS,
    S1,
    S2,
    Document,
    compared,
    ours,
    page,
    rules_of,
)

CASES = [(document, environment) for document in DOCUMENTS for environment in document.environments]


@pytest.mark.parametrize(("document", "environment"), CASES, ids=lambda value: getattr(value, "name", value))
def test_each_difference_from_a_document_is_explained_and_no_explanation_is_stale(
    document: Document, environment: str
) -> None:
    assert compared(document, environment, ours(environment)) == []


def test_a_rule_that_is_opened_without_a_reason_is_noticed() -> None:
    found = ours("prod")
    opened = Rule("network/RdsSecurityGroup", "in", "TCP", "5432", Peer("cidr", "0.0.0.0/0"))

    problems = compared(S1, "prod", Traffic(found.groups, (*found.rules, opened)))

    assert problems == ["S1, prod: RdsSecurityGroup in TCP 5432 from 0.0.0.0/0: only in ours, unexplained"]


def test_a_rule_of_a_document_that_is_lost_is_noticed() -> None:
    found = ours("prod")
    rest = tuple(
        rule for rule in found.rules if (rule.group, rule.ports) != ("network/RdsSecurityGroup", "5432")
    )

    problems = compared(S1, "prod", Traffic(found.groups, rest))

    assert [problem.partition(": ")[2] for problem in problems] == [
        "RdsSecurityGroup in TCP 5432 from EcsSecurityGroup: only in document, unexplained",
        "RdsSecurityGroup in TCP 5432 from LambdaSecurityGroup: only in document, unexplained",
    ]


def test_a_reason_without_a_difference_is_noticed() -> None:
    stale = replace(S1.differences[0], environments=("dev", "prod"))

    problems = compared(replace(S1, differences=(stale, *S1.differences[1:])), "prod", ours("prod"))

    assert problems == [
        "S1, prod: AlbSecurityGroup in TCP 443 from 0.0.0.0/0: explained as only in document, and is not"
    ]


def test_what_the_benchmark_lets_out_to_everywhere_is_refused() -> None:
    """S2 lets its load balancer, its tasks and its database out to all of the internet."""
    theirs = {row.group for row in S2.rows if "out all to 0.0.0.0/0" in row.rules}

    assert len(theirs) == 3
    for environment in S2.environments:
        assert not {rule for _, rule in rules_of(ours(environment)) if rule.startswith("out all")}


def test_a_group_that_is_said_to_be_worn_by_nothing_is() -> None:
    said = [
        (environment, difference.group)
        for document in DOCUMENTS
        for difference in document.differences
        if difference.why == ENDPOINTS
        for environment in difference.environments
    ]

    worn = [
        (*one, group.worn_by) for one in said for group in ours(one[0]).groups if group.logical_id == one[1]
    ]

    assert len(worn) == len(said) > 3
    assert [one for one in worn if one[2]] == []


def test_every_shipped_system_is_compared() -> None:
    assert {environment for _, environment in CASES} >= {
        "dev",
        "prod",
        "litellm-benchmark",
        "llm-proxy-dev",
        "llm-proxy-production",
        "llm-testing",
    }


def test_the_command_prints_every_rule_that_was_compared() -> None:
    found = ours("prod")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in security(found).splitlines()]
    printed = {
        (
            group.rpartition("/")[2],
            f"{direction} {protocol} {ports} {'from' if direction == 'in' else 'to'} {peer}",
        )
        for group, direction, protocol, ports, peer, _ in (line for line in lines if len(line) == 6)
        if ports and ports[0].isdigit()
    }

    assert {(group, rule.replace("network/", "")) for group, rule in printed} == rules_of(found)


def test_the_page_is_what_the_templates_give() -> None:
    there = (ROOT / "docs" / "security-groups.md").read_text(encoding="utf-8")

    assert there == page(), "an intended change? run `make golden` and read the diff"
