"""The cards of a diagram: a resource of the VPC, described from its properties. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from generator.picture.landscape import Kind, Thing, counted
from generator.references import References, Resource, Target
from generator.traffic import WEARERS

ENGINES = {"postgres": "PostgreSQL", "aurora-postgresql": "Aurora PostgreSQL", "redis": "Redis"}
"""AWS's names of engines -> their usual names."""


def things(found: References) -> tuple[Thing, ...]:
    """Return everything that is drawn in the VPC."""
    drawn = [_thing(found, one) for one in found.of_type(*WEARERS) if not _in_a_cluster(one)]
    nats = [_nat(found, one) for one in found.of_type("AWS::EC2::NatGateway")]
    return (*drawn, *_migrations(found), *nats)


def short(found: References, name: str) -> str:
    """Return *name* without the common prefix of the environment's names."""
    prefix = f"{found.manifest.environment}-{found.manifest.system}"
    return name.removeprefix(f"{prefix}-").removeprefix(f"{prefix}/")


def _thing(found: References, one: Resource) -> Thing:
    kind: Kind = WEARERS[one.type][0]
    title, details = _TELLERS[kind](found, one)
    entrance = kind == "service" and bool(one.get("LoadBalancers"))
    return Thing(kind, one.stack, one.logical_id, title, tuple(details), _subnets(found, one), entrance)


def _subnets(found: References, one: Resource) -> tuple[str, ...]:
    paths = (
        ("Subnets",),
        ("SubnetIds",),
        ("NetworkConfiguration", "AwsvpcConfiguration", "Subnets"),
        ("VpcConfig", "SubnetIds"),
    )
    named = next((value for path in paths if (value := one.get(*path))), None)
    group = one.get("DBSubnetGroupName") or one.get("CacheSubnetGroupName")
    if group:
        (key,) = found.keys(one.stack, [group])
        members = found.at(key)
        return found.keys(one.stack, members.get("SubnetIds")) if members else ()
    return found.keys(one.stack, named)


def _in_a_cluster(one: Resource) -> bool:
    """Tell whether it is an instance of a cluster, which is drawn as one box."""
    return one.type == "AWS::RDS::DBInstance" and one.get("DBClusterIdentifier") is not None


def _load_balancer(found: References, one: Resource) -> tuple[str, Iterator[str]]:
    def details() -> Iterator[str]:
        yield str(one.get("Scheme") or "internet-facing")
        listeners = [
            entry
            for entry in found.of_type("AWS::ElasticLoadBalancingV2::Listener")
            if one.key in found.keys(entry.stack, [entry.get("LoadBalancerArn")])
        ]
        for entry in sorted(listeners, key=lambda entry: -int(entry.get("Port"))):
            yield f"{entry.get('Protocol')} {entry.get('Port')}{_redirect(entry)}"
        for record in found.of_type("AWS::Route53::RecordSet"):
            if any(
                target.key == one.key for target in found.pointers(record.stack, record.get("AliasTarget"))
            ):
                yield found.text(record.stack, record.get("Name"))
        for link in found.of_type("AWS::WAFv2::WebACLAssociation"):
            if one.key in found.keys(link.stack, [link.get("ResourceArn")]):
                yield "web ACL in front (WAF)"

    return "Load balancer", details()


def _redirect(listener: Resource) -> str:
    redirects = [action.get("RedirectConfig") for action in listener.get("DefaultActions") or ()]
    return next((f", redirects to {to['Port']}" for to in redirects if to and to.get("Port")), "")


def _service(found: References, one: Resource) -> tuple[str, Iterator[str]]:
    def details() -> Iterator[str]:
        providers = [entry["CapacityProvider"] for entry in one.get("CapacityProviderStrategy") or ()]
        yield f"{_tasks(found, one)}, {' and '.join(providers) or one.get('LaunchType')}"
        (definition,) = found.keys(one.stack, [one.get("TaskDefinition")])
        yield _size(found.at(definition))

    title = found.text(one.stack, one.get("ServiceName") or one.logical_id)
    return f"{short(found, title)} service", details()


def _tasks(found: References, service: Resource) -> str:
    """Return its number of tasks: the range of scaling, else the template's."""
    for target in found.of_type("AWS::ApplicationAutoScaling::ScalableTarget"):
        scaled = found.pointers(target.stack, target.get("ResourceId", "Fn::Join"))
        if any(one.key == service.key for one in scaled):
            least = found.text(target.stack, target.get("MinCapacity"))
            return f"{least} to {target.get('MaxCapacity')} tasks"
    count = found.text(service.stack, service.get("DesiredCount") or 1)
    return f"{count} task{'' if count == '1' else 's'}"


def _size(task: Resource | None) -> str:
    if task is None:
        return "task definition of another environment"
    cpu, memory = int(task.get("Cpu")) / 1024, int(task.get("Memory")) / 1024
    architecture = task.get("RuntimePlatform", "CpuArchitecture") or "X86_64"
    return f"{cpu:g} vCPU, {memory:g} GB, {architecture}"


def _migrations(found: References) -> Iterator[Thing]:
    """Yield the tasks that the deployer runs before an update; their metadata has their network."""
    for stack in found.manifest.stacks:
        if stack.migration:
            end = found.exported(stack.migration.definition_export)
            subnets = [found.exported(name) for name in stack.migration.subnet_exports]
            keys = tuple(one.key if isinstance(one, Target) else one for one in subnets)
            if isinstance(end, Target) and (task := found.at(end.key)):
                title = f"{short(found, found.text(task.stack, task.get('Family')))} task"
                yield Thing("task", end.stack, end.logical_id, title, ("runs before an update",), keys)


def _function(found: References, one: Resource) -> tuple[str, Iterator[str]]:
    def details() -> Iterator[str]:
        for schedule in found.of_type("AWS::SecretsManager::RotationSchedule"):
            if one.key in found.keys(schedule.stack, [schedule.get("RotationLambdaARN")]):
                yield f"rotates {_secret(found, schedule)}"
                yield f"every {_often(schedule)}"

    return f"{short(found, found.text(one.stack, one.get('FunctionName') or one.logical_id))}", details()


def _secret(found: References, schedule: Resource) -> str:
    (key,) = found.keys(schedule.stack, [schedule.get("SecretId")])
    secret = found.at(key)
    return short(found, found.text(secret.stack, secret.get("Name"))) if secret else key


def _often(schedule: Resource) -> str:
    days = schedule.get("RotationRules", "AutomaticallyAfterDays")
    said = str(schedule.get("RotationRules", "ScheduleExpression"))
    return f"{days} days" if days else said.removeprefix("rate(").removesuffix(")")


def _database(found: References, one: Resource) -> tuple[str, Iterator[str]]:
    engine, version = (found.text(one.stack, one.get(name) or "") for name in ("Engine", "EngineVersion"))
    tell = _cluster if one.type == "AWS::RDS::DBCluster" else _instance
    return f"{ENGINES.get(engine, engine)} {version}".strip(), tell(found, one)


def _instance(found: References, one: Resource) -> Iterator[str]:
    yield found.text(one.stack, one.get("DBInstanceClass"))
    yield (
        "primary, and standby in the other zone"
        if one.get("MultiAZ")
        else "one instance, in one of the zones"
    )
    most = one.get("MaxAllocatedStorage")
    storage = f"{found.text(one.stack, one.get('AllocatedStorage'))}{f' to {most}' if most else ''} GB"
    yield f"{storage} {one.get('StorageType') or ''}".strip()


def _cluster(found: References, one: Resource) -> Iterator[str]:
    members = [
        entry
        for entry in found.of_type("AWS::RDS::DBInstance")
        if one.key in found.keys(entry.stack, [entry.get("DBClusterIdentifier")])
    ]
    readers = len(members) - 1
    yield f"writer{f' and {readers} reader' if readers else ''}{'s' if readers > 1 else ''}"
    scaling = one.get("ServerlessV2ScalingConfiguration")
    if scaling:
        yield f"{scaling['MinCapacity']:g} to {scaling['MaxCapacity']:g} capacity units"


def _cache(_: References, one: Resource) -> tuple[str, Iterator[str]]:
    def details() -> Iterator[str]:
        nodes = int(one.get("NumCacheClusters") or 1)
        yield f"{nodes} x {one.get('CacheNodeType')}" if nodes > 1 else str(one.get("CacheNodeType"))
        yield counted(nodes - 1, "replica") if nodes > 1 else "no replica"
        yield f"TLS {one.get('TransitEncryptionMode') or 'required'}" if _encrypted(one) else "no TLS"

    engine = str(one.get("Engine"))
    return f"{ENGINES.get(engine, engine)} {one.get('EngineVersion') or ''}".strip(), details()


def _encrypted(one: Resource) -> bool:
    return bool(one.get("TransitEncryptionEnabled"))


def _endpoint(found: References, one: Resource) -> tuple[str, Iterator[str]]:
    service = found.text(one.stack, one.get("ServiceName")).removeprefix(
        f"com.amazonaws.{found.manifest.region}."
    )
    return service, iter((f"{one.get('VpcEndpointType') or 'Gateway'} endpoint",))


def _nat(found: References, one: Resource) -> Thing:
    subnets = found.keys(one.stack, [one.get("SubnetId")])
    kind = "private address" if one.get("ConnectivityType") == "private" else "Elastic IP"
    return Thing("NAT gateway", one.stack, one.logical_id, "NAT gateway", (kind,), subnets)


_TELLERS: Mapping[Kind, Callable[[References, Resource], tuple[str, Iterator[str]]]] = {
    "load balancer": _load_balancer,
    "service": _service,
    "function": _function,
    "database": _database,
    "cache": _cache,
    "endpoint": _endpoint,
}
