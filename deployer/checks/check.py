"""
Checks what an environment depends on; refuses with all problems at once.

Runs for every plan and every deployment. Resources that the environment itself has created are recognized by
tags and stacks, and are never reported as a problem.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from deployer.checks.delegation import asks_dns, delegation_problems
from deployer.checks.domain import domain_problems
from deployer.checks.facts import Facts, Problem
from deployer.checks.groups import group_problems
from deployer.checks.stores import store_problems
from deployer.checks.subnets import subnet_problems
from deployer.checks.vpc import vpc_problems
from deployer.cloud import Cloud
from deployer.errors import Refused
from deployer.run.leftovers import tags_of_environment
from generator.manifest import Existing, Manifest

RECORD = "AWS::Route53::RecordSet"
ALB = "alb"
WORDS = {
    "vpc": "the VPC",
    "dns": "the VPC's DNS attributes",
    "subnets": "the subnets",
    "routes": "the routes",
    "endpoints": "the VPC's endpoints",
    "interfaces": "the free addresses",
    "groups": "the tasks' further security groups",
    "certificate": "the certificate",
    "bundle": "the file of the clients' authorities",
    "zone": "the hosted zone",
    "records": "the hosted zone's records",
    "servers": "the existing servers",
    "secrets": "their secrets",
    "names": "their names in the VPC's hosted zones",
}


def check_existing(manifest: Manifest, cloud: Cloud, only: Collection[str] = ()) -> tuple[str, ...]:
    """
    Return warnings about existing resources that *manifest* depends on; without *only*, for all stacks.

    Sends no request if there are none.

    Raises:
        Refused: one does not exist, or does not fit; the message has a line for each problem.
        CloudError: AWS could not be asked at all.

    """
    found, unchecked = existing_problems(manifest, cloud, only)
    if refused := [str(one) for one in found if one.refused]:
        raise Refused(_told(manifest.environment, refused))
    return (*unchecked, *(str(one) for one in found))


def existing_problems(
    manifest: Manifest, cloud: Cloud, only: Collection[str] = ()
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """
    Return what differs from the assumptions of *manifest*, and what could not be checked.

    Raises:
        CloudError: AWS could not be asked at all.

    """
    wanted = manifest.existing
    if wanted is None:
        return (), ()
    tags = tags_of_environment(manifest)
    facts = cloud.existing(wanted, tags)
    ours = bool(facts.records) and _owns_record(manifest, wanted, cloud)
    found = [
        *vpc_problems(wanted, facts, tags),
        *subnet_problems(wanted, facts),
        *group_problems(wanted, facts),
        *store_problems(wanted, facts),
        *domain_problems(wanted, facts, datetime.now(UTC), ours=ours),
        *(() if ours else _delegation(wanted, facts, cloud)),
    ]
    return tuple(one for one in found if _concerns(one, only)), _unchecked(facts)


def _delegation(wanted: Existing, facts: Facts, cloud: Cloud) -> Iterator[Problem]:
    """Yield what is wrong with the zone's delegation, before a certificate waits for it."""
    zone = facts.zone
    if zone is None or not asks_dns(wanted, zone):
        return
    found = cloud.delegation(zone.name, zone.servers)
    if found is not None:
        yield from delegation_problems(zone.name, zone.servers, found)


def _concerns(problem: Problem, only: Collection[str]) -> bool:
    """Whether a problem is one of the chosen stacks': certificate and zone are the load balancer's alone."""
    return not only or ALB in only or not problem.key.startswith("alb.")


def _told(environment: str, refused: list[str]) -> str:
    if len(refused) == 1:
        return f"{refused[0]} (nothing was changed)"
    head = f"{environment} has unmet prerequisites, {len(refused)} problems; nothing was changed:"
    return "\n  ".join([head, *refused])


def _unchecked(facts: Facts) -> tuple[str, ...]:
    """Say what was not checked and why, once for each reason."""
    why: dict[str, list[str]] = {}
    for asked, reason in facts.unknown.items():
        why.setdefault(reason, []).append(WORDS[asked])
    return tuple(f"not checked: {', '.join(what)}: {reason}" for reason, what in why.items())


def _owns_record(manifest: Manifest, wanted: Existing, cloud: Cloud) -> bool:
    """Whether the record is one that the load balancer's stack has made."""
    names = [spec.stack_name for spec in manifest.stacks if spec.name == ALB]
    return any(
        one.type == RECORD and one.physical_id.rstrip(".") == wanted.domain
        for state in cloud.stacks(names)
        for one in cloud.resources(state.id)
    )
