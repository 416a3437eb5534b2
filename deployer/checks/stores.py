"""Requirements on an existing database and cache. Pure: facts in, problems out."""

from __future__ import annotations

from ipaddress import IPv4Network

from deployer.checks.facts import Facts, Inbound, Problem, Problems, Secret, Server
from generator.manifest import Existing, ExistingStore

ENDED = frozenset({"deleting", "delete-precheck", "failed", "stopped", "stopping", "create-failed"})
"""States in which no connection is taken, and which do not end by themselves within minutes (Amazon RDS User
Guide, "Viewing Amazon RDS DB instance status"; ElastiCache API Reference, "ReplicationGroup")."""
ENGINES = {
    "database.existing": ("postgres", "aurora-postgresql", "POSTGRESQL"),
    "cache.existing": ("redis", "valkey"),
}
AWS_HOSTS = (".rds.amazonaws.com", ".cache.amazonaws.com")


def store_problems(wanted: Existing, facts: Facts) -> Problems:
    """Yield what is wrong with each existing database and cache that the environment uses."""
    for store in wanted.stores:
        if facts.known("servers"):
            yield from _server(store, facts, wanted.vpc_id)
        if facts.known("names") and store.host in facts.names:
            zone = facts.names[store.host]
            text = f"{zone}, the private hosted zone of {wanted.vpc_id}, has no record {store.host}"
            yield Problem(f"{store.key}.host", f"{text}; add it there, or correct the name")
        if facts.known("secrets") and store.secret_arn:
            yield from _secret(store, store.secret_arn, facts.secrets.get(store.secret_arn))


def _server(store: ExistingStore, facts: Facts, vpc_id: str | None) -> Problems:
    found = facts.servers.get(store.host)
    if found is None:
        if store.host.endswith(AWS_HOSTS):
            text = f"no server of this account in {facts.region} has the endpoint {store.host}"
            yield Problem(f"{store.key}.host", f"{text}, so it was not checked", refused=False)
        return
    if found.engine not in ENGINES[store.key]:
        yield Problem(f"{store.key}.host", f"{found.id} is {found.engine}; name one of {_kind(store)}")
        return
    if found.status in ENDED:
        yield Problem(f"{store.key}.host", f"{found.id} is {found.status}; start it, or name another one")
    if found.port != store.port:
        yield Problem(f"{store.key}.port", f"{found.id} listens on {found.port}; write {found.port}")
    yield from _way(store, found, vpc_id)


def _kind(store: ExistingStore) -> str:
    return "PostgreSQL" if store.key.startswith("database") else "Redis"


def _way(store: ExistingStore, found: Server, vpc_id: str | None) -> Problems:
    if found.vpc_id != vpc_id:
        place = f"the tasks are in {vpc_id}" if vpc_id else "the tasks are in a VPC that is created for them"
        text = f"{found.id} is in {found.vpc_id}, and {place}: it needs a peering or a transit gateway"
        yield Problem(f"{store.key}.host", text, refused=False)
    elif not any(_admits(rule, store) for rule in found.inbound):
        groups = " or ".join(found.groups)
        text = f"no security group of {found.id} lets {store.clients} in on port {store.port}"
        yield Problem(f"{store.key}.host", f"{text}; add an inbound rule to {groups} for that range")


def _admits(rule: Inbound, store: ExistingStore) -> bool:
    """Whether *rule* may let tasks in; a group that it names may be one of theirs."""
    if not rule.first <= store.port <= rule.last:
        return False
    clients = IPv4Network(store.clients)
    return bool(rule.groups) or any(clients.overlaps(IPv4Network(one)) for one in rule.cidrs)


def _secret(store: ExistingStore, arn: str, found: Secret | None) -> Problems:
    key = f"{store.key}.secret_arn"
    if found is None:
        yield Problem(key, f"there is no secret {arn} for these credentials; correct the ARN or the login")
        return
    if found.deleted:
        yield Problem(key, f"{arn} is scheduled for deletion; restore it, or name another one")
        return
    if found.kms_key_arn and found.kms_key_arn != store.kms_key_arn:
        text = f"the secret is encrypted with {found.kms_key_arn}, which the tasks' role may not use"
        yield Problem(f"{store.key}.kms_key_arn", f"{text}; write kms_key_arn: {found.kms_key_arn}")
    if found.keys is not None and (missing := [one for one in store.secret_keys if one not in found.keys]):
        text = f"the secret has no {' and no '.join(missing)}; add it to its JSON"
        yield Problem(key, text)
