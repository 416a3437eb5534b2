"""What an environment expects to exist, from its settings and templates. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from generator.manifest import Existing, ExistingStore, ExistingSubnets, StackSpec
from stacks.application import FromSecret
from stacks.beside import from_outside
from stacks.calls.reach import AWS_PROVIDERS
from stacks.network import endpoints
from stacks.settings import ExistingVpc, Settings
from stacks.systems import application

Resources = tuple[Mapping[str, Any], ...]
"""The resources of all templates."""
Addresses = Mapping[str, tuple[int, int]]

BALANCER = "load balancer"
BALANCER_ADDRESSES = 8
"""
Free addresses in each of its subnets, whatever it uses; with 7 it is not made ("requires at least 8 free IP
addresses in each subnet"). Source: Elastic Load Balancing, "Application Load Balancers", Subnets.
"""


def taken_for_granted(settings: Settings, stacks: tuple[StackSpec, ...]) -> Existing | None:
    """Return what must exist before; None if *stacks* create everything themselves."""
    vpc, alb = settings.network.existing_vpc, settings.alb
    groups = settings.service.security_group_ids
    stores = tuple(_stores(settings))
    clients = alb.mutual_authentication
    bundle = clients.ca_certificates_bundle if clients and clients.authorities else None
    if not (vpc or groups or alb.certificate_arn or alb.hosted_zone_id or stores or bundle):
        return None
    templates = (json.loads(stack.template) for stack in stacks)
    resources = tuple(one for template in templates for one in template["Resources"].values())
    migrates = any(stack.migration for stack in stacks)
    made = tuple(_endpoints(resources, settings.region)) if vpc else ()
    return Existing(
        vpc_id=vpc.vpc_id if vpc else None,
        vpc_cidr=settings.network.vpc_cidr if vpc else "",
        subnets=_subnets(vpc, settings, resources, migrates=migrates) if vpc else (),
        endpoints=made,
        reached=tuple(one for one in _reached(settings) if one not in made) if vpc else (),
        certificate_arn=alb.certificate_arn,
        domain=alb.domain_name,
        hosted_zone_id=alb.hosted_zone_id,
        security_groups=groups,
        internal=alb.internal,
        stores=stores,
        bundle=bundle,
        bundle_version=clients.ca_certificates_bundle_version if clients and bundle else None,
    )


def _stores(settings: Settings) -> Iterator[ExistingStore]:
    """Yield the existing database and cache, with the keys that some program reads of their secrets."""
    given, read = settings.given, set(_read(settings))
    for key, one in settings.existing_stores.items():
        keys = {
            source.key
            for source in read
            if given.get((source.secret.stack, source.secret.output)) == one.secret_arn
        }
        yield ExistingStore(
            key,
            one.host,
            one.port,
            settings.network.vpc_cidr,
            one.secret_arn,
            tuple(sorted(keys)),
            one.kms_key_arn,
        )


def _read(settings: Settings) -> Iterator[FromSecret]:
    """Yield the secret values that programs get when their tasks start."""
    for program in application(settings.system).programs(settings):
        yield from (one for one in program.injected(settings).values() if isinstance(one, FromSecret))


def _subnets(
    vpc: ExistingVpc, settings: Settings, resources: Resources, *, migrates: bool
) -> tuple[ExistingSubnets, ...]:
    """Return the subnets with resources: the first two of each kind."""
    balancer = {BALANCER: (BALANCER_ADDRESSES, BALANCER_ADDRESSES)}
    data, inside = _data(resources), _private(settings, resources, migrates=migrates)
    inside |= balancer if settings.alb.internal else {}
    inside |= {} if settings.network.data_subnets else data
    key = "network.existing_vpc"
    way: Literal["any", "endpoints"] = "any" if _needs_internet(settings) else "endpoints"
    found = [ExistingSubnets(f"{key}.private_subnet_ids", vpc.private_subnet_ids[:2], way, inside)]
    if not settings.alb.internal:
        public = ExistingSubnets(f"{key}.public_subnet_ids", vpc.public_subnet_ids[:2], "internet", balancer)
        found.insert(0, public)
    if settings.network.data_subnets:
        found.append(ExistingSubnets(f"{key}.data_subnet_ids", vpc.data_subnet_ids[:2], "none", data))
    return tuple(found)


def _private(settings: Settings, resources: Resources, *, migrates: bool) -> dict[str, tuple[int, int]]:
    """
    Return what needs addresses in the private subnets, with the most for each.

    A task has an address of its own, and while it is deployed the service that gets the requests has twice
    its tasks; ECS spreads them over the subnets. A service beside it replaces its one task. Functions share
    one interface for a subnet and a set of security groups (AWS Lambda Developer Guide, "Giving Lambda
    functions access to resources in an Amazon VPC", Hyperplane elastic network interfaces).
    """
    service = settings.service
    beside = sum(1 for one in resources if one["Type"] == "AWS::ECS::Service") - 1
    tasks = max(service.max_tasks, service.desired_count) + max(beside, 0) + migrates
    found = {"tasks": (tasks, tasks)}
    if any("VpcConfig" in one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::Function"):
        found["functions"] = (1, 1)
    zones = [len(one["Properties"]["SubnetIds"]) for one in _interfaces(resources)]
    if zones:
        found["endpoints"] = (len(zones), sum(1 for count in zones if count > 1))
    return found


def _data(resources: Resources) -> Addresses:
    """Return the needs of a database and a cache: each of their nodes may be placed in either subnet."""
    servers = sum(1 for one in resources if one["Type"] == "AWS::RDS::DBInstance")
    caches = (one for one in resources if one["Type"] == "AWS::ElastiCache::ReplicationGroup")
    nodes = sum(one["Properties"].get("NumCacheClusters", 1) for one in caches)
    wanted = {"database": servers, "cache": nodes}
    return {what: (count, count) for what, count in wanted.items() if count}


def _endpoints(resources: Resources, region: str) -> Iterator[str]:
    for one in _interfaces(resources):
        if one["Properties"].get("PrivateDnsEnabled"):
            yield one["Properties"]["ServiceName"].removeprefix(f"com.amazonaws.{region}.")


def _interfaces(resources: Resources) -> Iterator[Mapping[str, Any]]:
    for one in resources:
        if one["Type"] == "AWS::EC2::VPCEndpoint" and one["Properties"]["VpcEndpointType"] == "Interface":
            yield one


def _needs_internet(settings: Settings) -> bool:
    """Whether something without an endpoint is called: a provider other than AWS, another registry."""
    service = settings.service
    outside = not service.providers or set(service.providers) - AWS_PROVIDERS
    return service.image != "ecr" or bool(outside) or bool(from_outside(settings))


def _reached(settings: Settings) -> tuple[str, ...]:
    """
    Return the services that an environment without a route out calls; not S3, whose endpoint is a gateway.
    """
    if _needs_internet(settings):
        return ()
    return endpoints.needed(settings)
