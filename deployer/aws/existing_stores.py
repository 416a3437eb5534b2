"""Reads an existing database and cache: their servers, names and secrets. Read-only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.checks.facts import Asked, Inbound, Secret, Server
from deployer.errors import CloudError, NotAllowed
from generator.manifest import Existing

Answer = dict[str, Any]
"""Fields of `Facts`."""
EVERY_PORT = (0, 65_535)
RECORDS_AT_ONCE = "1"


def questions(clients: Clients, region: str, wanted: Existing) -> dict[Asked, Callable[[], Answer]]:
    """Return the queries for the stores that *wanted* names, each for one field of `Facts`."""
    found: dict[Asked, Callable[[], Answer]] = {}
    if any(one.host.endswith("amazonaws.com") for one in wanted.stores):
        found["servers"] = partial(_servers, clients, wanted)
    if any(one.secret_arn for one in wanted.stores):
        found["secrets"] = partial(_secrets, clients, wanted)
    if wanted.vpc_id:
        found["names"] = partial(_names, clients, region, wanted)
    return found


def _servers(clients: Clients, wanted: Existing) -> Answer:
    hosts = {one.host for one in wanted.stores}
    found = {host: server for host, server in _all(clients, hosts) if host in hosts}
    return {"servers": found}


def _all(clients: Clients, hosts: set[str]) -> Iterator[tuple[str, Server]]:
    """Yield every server of this account that may be one of *hosts*, with its groups' rules."""
    if any(".rds." in host for host in hosts):
        for kind, page in (("DBInstances", "describe_db_instances"), ("DBClusters", "describe_db_clusters")):
            for one in _listed(clients, "rds", page, kind):
                for host in _rds_hosts(one) & hosts:
                    yield host, _rds(clients, one)
    if any(".cache." in host for host in hosts):
        for one in _listed(clients, "elasticache", "describe_replication_groups", "ReplicationGroups"):
            for host, port in _cache_hosts(one):
                if host in hosts:
                    yield host, _cache(clients, one, port)


def _listed(clients: Clients, service: str, method: str, kind: str) -> Iterator[Mapping[str, Any]]:
    asked = partial(ask, clients(service), method)
    for page in pages(asked, f"{service} {method}", "Marker"):
        yield from page.get(kind, ())


def _rds_hosts(answer: Mapping[str, Any]) -> set[str]:
    """Return an instance's endpoint, or those of a cluster (RDS API Reference, DBInstance, DBCluster)."""
    one = answer.get("Endpoint")
    direct = one.get("Address") if isinstance(one, Mapping) else one
    others = (direct, answer.get("ReaderEndpoint"), *answer.get("CustomEndpoints", ()))
    return {host for host in others if host}


def _rds(clients: Clients, answer: Mapping[str, Any]) -> Server:
    groups = tuple(one["VpcSecurityGroupId"] for one in answer.get("VpcSecurityGroups", ()))
    endpoint = answer.get("Endpoint")
    port = endpoint.get("Port") if isinstance(endpoint, Mapping) else answer.get("Port")
    vpc, inbound = _rules(clients, groups)
    name = answer.get("DBInstanceIdentifier") or answer.get("DBClusterIdentifier")
    status = answer.get("DBInstanceStatus") or answer.get("Status", "")
    return Server(f"database {name}", answer.get("Engine", ""), status, int(port or 0), vpc, groups, inbound)


def _cache_hosts(answer: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    nodes = answer.get("NodeGroups", ())
    for endpoint in (answer.get("ConfigurationEndpoint"), *(one.get("PrimaryEndpoint") for one in nodes)):
        if endpoint:
            yield endpoint.get("Address", ""), int(endpoint.get("Port", 0))


def _cache(clients: Clients, answer: Mapping[str, Any], port: int) -> Server:
    """Return the cache, with the groups of its nodes (ElastiCache API Reference, "CacheCluster")."""
    member = next(iter(answer.get("MemberClusters", ())), None)
    clusters: Iterator[Mapping[str, Any]] = iter(())
    if member:
        found = ask(clients("elasticache"), "describe_cache_clusters", CacheClusterId=member)
        clusters = iter(found.get("CacheClusters", ()))
    groups = tuple(group["SecurityGroupId"] for one in clusters for group in one.get("SecurityGroups", ()))
    vpc, inbound = _rules(clients, groups)
    name, engine = answer["ReplicationGroupId"], answer.get("Engine", "redis")
    return Server(f"cache {name}", engine, answer.get("Status", ""), port, vpc, groups, inbound)


def _rules(clients: Clients, groups: tuple[str, ...]) -> tuple[str, tuple[Inbound, ...]]:
    """Return the VPC of *groups*, and their inbound TCP rules."""
    if not groups:
        return "", ()
    wanted = [{"Name": "group-id", "Values": list(groups)}]
    asked = partial(ask, clients("ec2"), "describe_security_groups", Filters=wanted)
    found = [one for page in pages(asked, "ec2 describe_security_groups") for one in page["SecurityGroups"]]
    rules = (rule for one in found for rule in one.get("IpPermissions", ()))
    return next((one["VpcId"] for one in found if one.get("VpcId")), ""), tuple(
        _inbound(rule) for rule in rules if rule["IpProtocol"] in {"tcp", "6", "-1"}
    )


def _inbound(rule: Mapping[str, Any]) -> Inbound:
    first, last = (
        EVERY_PORT if rule["IpProtocol"] == "-1" else (rule.get("FromPort", 0), rule.get("ToPort", 65_535))
    )
    cidrs = tuple(one["CidrIp"] for one in rule.get("IpRanges", ()))
    groups = tuple(one["GroupId"] for one in rule.get("UserIdGroupPairs", ()))
    lists = tuple(one["PrefixListId"] for one in rule.get("PrefixListIds", ()))
    return Inbound(int(first), int(last), cidrs, groups + lists)


def _secrets(clients: Clients, wanted: Existing) -> Answer:
    arns = dict.fromkeys(one.secret_arn for one in wanted.stores if one.secret_arn)
    found = {arn: _secret(clients, arn) for arn in arns}
    return {"secrets": {arn: one for arn, one in found.items() if one}}


def _secret(clients: Clients, arn: str) -> Secret | None:
    client = clients("secretsmanager")
    try:
        facts = ask(client, "describe_secret", SecretId=arn)
    except CloudError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    deleted = facts.get("DeletedDate") is not None
    own = facts.get("KmsKeyId")
    return Secret(
        kms_key_arn=own if own and own.startswith("arn:") else None,
        keys=None if deleted else _keys(client, arn),
        deleted=deleted,
    )


def _keys(client: Any, arn: str) -> tuple[str, ...] | None:
    """Return the keys of a secret's JSON, without its values; None if it may not be read here."""
    try:
        text = ask(client, "get_secret_value", SecretId=arn).get("SecretString", "")
    except NotAllowed:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return ()
    return tuple(value) if isinstance(value, dict) else ()


def _names(clients: Clients, region: str, wanted: Existing) -> Answer:
    """Find the private zones of the VPC that answer for a host, and have no record of it."""
    client = clients("route53")
    answer = ask(client, "list_hosted_zones_by_vpc", VPCId=wanted.vpc_id, VPCRegion=region)
    zones = {one["Name"].rstrip("."): one["HostedZoneId"] for one in answer["HostedZoneSummaries"]}
    absent = {}
    for host in (one.host for one in wanted.stores):
        above = [zone for zone in zones if host == zone or host.endswith(f".{zone}")]
        nearest = max(above, key=len, default=None)
        if nearest and not _recorded(client, zones[nearest], host, nearest):
            absent[host] = nearest
    return {"names": absent}


def _recorded(client: Any, zone_id: str, host: str, zone: str) -> bool:
    """Whether the zone has a record of that name, or a wildcard record that covers it."""
    names = (host, f"\\052.{host.partition('.')[2]}", f"\\052.{zone}")
    for name in dict.fromkeys(names):
        where = {"HostedZoneId": zone_id, "StartRecordName": name, "MaxItems": RECORDS_AT_ONCE}
        found = ask(client, "list_resource_record_sets", **where)["ResourceRecordSets"]
        if any(one["Name"].rstrip(".") == name for one in found):
            return True
    return False
