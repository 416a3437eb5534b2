"""Redis: what it is made of, who reaches it, how LiteLLM is told of it, what is refused and warned of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.stateful import STATEFUL
from generator.render import render
from stacks import database, network, security, service
from stacks.checking import limits
from stacks.checking.advice import advice
from stacks.checking.litellm import given_to_tasks
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import litellm_config
from tests.command import User
from tests.stacks.finders import exports, only, properties, resource, resources, template

ON = {"enabled": True}
MIXED = ON | {"transit_encryption": "preferred"}


def load(cache: dict[str, Any] | None = None, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {"internal": True}, "cache": cache or {}}
    return parse_settings(yaml.safe_dump(file | sections), Path("dev.yaml"))


def refused(cache: dict[str, Any], **sections: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(cache, **sections)
    return [str(problem) for problem in caught.value.problems]


def warned(cache: dict[str, Any], **sections: Any) -> list[str]:
    """Return the warnings that mention Redis or the cache."""
    return [one for one in advice(load(cache, **sections)) if "cache" in one]


def configured(cache: dict[str, Any], config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return LiteLLM's file as the tasks get it."""
    text = litellm_config.text(load(cache, service={"config": config or {}}))
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def container(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = properties(service.build(settings), "ProxyTask")["ContainerDefinitions"][0]
    return found


def statement(settings: Settings, sid: str) -> dict[str, Any]:
    found = properties(security.build(settings), "Key")["KeyPolicy"]["Statement"]
    return next(one for one in found if one["Sid"] == sid)


def imported(output: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"dev-litellm-{output}"}


# --- what is made --------------------------------------------------------------------------------


def test_without_a_cache_no_template_speaks_of_redis() -> None:
    text = "".join(stack.template for stack in render(load()).stacks)

    assert re.findall(r"(?i)redis|elasticache", text) == []


@pytest.mark.parametrize(("nodes", "replicated"), [(1, False), (2, True), (6, True)])
def test_a_replica_takes_over_where_there_is_one(nodes: int, *, replicated: bool) -> None:
    group = properties(database.build(load(ON | {"nodes": nodes})), "Redis")

    assert group["NumCacheClusters"] == nodes
    assert (group["AutomaticFailoverEnabled"], group["MultiAZEnabled"]) == (replicated, replicated)


def test_redis_is_encrypted_on_disk_and_on_the_way_and_asks_for_a_password_of_the_secret() -> None:
    group = properties(database.build(load(ON)), "Redis")

    assert (group["AtRestEncryptionEnabled"], group["KmsKeyId"]) == (True, imported("security-KmsKeyArn"))
    assert (group["TransitEncryptionEnabled"], group["TransitEncryptionMode"]) == (True, "required")
    assert group["AuthToken"]["Fn::Sub"] == [
        "{{resolve:secretsmanager:${Password}:SecretString:REDIS_PASSWORD}}",
        {"Password": imported("security-CacheSecretArn")},
    ]


def test_the_password_is_frozen_since_a_new_one_would_not_reach_redis() -> None:
    secret = properties(security.build(load(ON)), "CacheSecret")

    assert secret["Name"] == "dev-litellm/cache"
    assert secret["GenerateSecretString"] == {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "REDIS_PASSWORD",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }


def test_where_tls_is_optional_there_is_no_password_that_could_travel_as_clear_text() -> None:
    settings = load(MIXED)
    group = properties(database.build(settings), "Redis")

    assert (group["TransitEncryptionEnabled"], group["TransitEncryptionMode"]) == (True, "preferred")
    assert "AuthToken" not in group
    assert "CacheSecret" not in json.dumps(template(security.build(settings)))
    assert "REDIS_PASSWORD" not in {entry["Name"] for entry in container(settings)["Secrets"]}


def test_with_and_without_password_are_two_groups_since_an_update_cannot_take_a_password_away() -> None:
    names = [properties(database.build(load(cache)), "Redis")["ReplicationGroupId"] for cache in (ON, MIXED)]

    assert names == ["dev-litellm-redis", "dev-litellm-mixed"]
    form, limit = limits.RESOURCE_NAMES["cache"]
    assert [len(name) for name in names] == [len(form.format(prefix="dev-litellm"))] * 2
    assert limit == 40


@pytest.mark.parametrize(("data_subnets", "kind"), [(False, "Private"), (True, "Data")])
def test_redis_is_in_the_subnets_of_the_database(kind: str, *, data_subnets: bool) -> None:
    stack = database.build(load(ON, network={"data_subnets": data_subnets}))

    subnets = [imported(f"network-{kind}Subnet{zone}Id") for zone in (1, 2)]
    assert properties(stack, "RedisSubnetGroup")["SubnetIds"] == subnets
    assert only(stack, "AWS::RDS::DBSubnetGroup")["Properties"]["SubnetIds"] == subnets


def test_a_full_redis_drops_only_what_has_an_end_and_the_file_may_say_otherwise() -> None:
    by_default = properties(database.build(load(ON)), "RedisParameterGroup")
    own = load(ON | {"parameters": {"maxmemory-policy": "noeviction", "timeout": "60"}})

    assert by_default["Properties"] == {"maxmemory-policy": "volatile-lru"}
    parameters = properties(database.build(own), "RedisParameterGroup")["Properties"]
    assert parameters == {"maxmemory-policy": "noeviction", "timeout": "60"}


def test_redis_that_drops_what_counts_is_told_of_in_production() -> None:
    evictions = properties(database.build(load(ON, tier="production")), "RedisEvictions1")

    assert (evictions["MetricName"], evictions["Statistic"], evictions["Threshold"]) == (
        "Evictions",
        "Sum",
        100,
    )
    assert "RedisEvictions1" not in resources(database.build(load(ON)), "AWS::CloudWatch::Alarm")


def test_where_redis_is_follows_from_the_group_and_every_node_is_watched() -> None:
    stack = database.build(load(ON | {"nodes": 2}))

    endpoint = {name: value for name, value in exports(stack).items() if "Redis" in name}
    assert endpoint == {
        "dev-litellm-database-RedisEndpoint": {"Fn::GetAtt": ["Redis", "PrimaryEndPoint.Address"]},
        "dev-litellm-database-RedisPort": {"Fn::GetAtt": ["Redis", "PrimaryEndPoint.Port"]},
    }
    alarms = resources(stack, "AWS::CloudWatch::Alarm").values()
    watched = {
        (one["Properties"]["MetricName"], one["Properties"]["Dimensions"][0]["Value"]["Fn::Sub"])
        for one in alarms
        if one["Properties"]["Namespace"] == "AWS/ElastiCache"
    }
    metrics = (
        *("EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "CurrConnections"),
        "ReplicationLag",
    )
    assert watched == {(metric, f"${{Redis}}-00{node}") for metric in metrics for node in (1, 2)}


def test_what_holds_data_says_what_becomes_of_it() -> None:
    for build, name in ((security.build, "CacheSecret"), (database.build, "Redis")):
        entry = resource(build(load(ON)), name)

        assert entry["Type"] in STATEFUL
        assert (entry["DeletionPolicy"], entry["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_snapshots_are_made_where_the_file_says_so() -> None:
    limit = "SnapshotRetentionLimit"

    assert properties(database.build(load(ON)), "Redis")[limit] == 0
    assert properties(database.build(load(ON | {"snapshot_retention_days": 3})), "Redis")[limit] == 3


# --- who reaches it ------------------------------------------------------------------------------


def test_only_tasks_reach_redis_and_it_reaches_nobody() -> None:
    stack = network.build(load(ON))
    redis = {"Fn::GetAtt": ["RedisSecurityGroup", "GroupId"]}
    inbound = [
        rule["Properties"]
        for rule in resources(stack, "AWS::EC2::SecurityGroupIngress").values()
        if rule["Properties"]["GroupId"] == redis
    ]

    (rule,) = inbound
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (6379, 6379, "tcp")
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": ["EcsSecurityGroup", "GroupId"]}
    group = properties(stack, "RedisSecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [one["CidrIp"] for one in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    outbound = resources(stack, "AWS::EC2::SecurityGroupEgress").values()
    assert [one["Properties"] for one in outbound if one["Properties"]["GroupId"] == redis] == []
    assert exports(stack)["dev-litellm-network-RedisSecurityGroupId"] == redis


def test_elasticache_may_use_the_key_where_there_is_a_cache_and_nowhere_else() -> None:
    service_name = {"Fn::Sub": "elasticache.${AWS::Region}.amazonaws.com"}

    for sid in ("CallersThroughServices", "GrantsForServices"):
        on, off = (statement(load(cache), sid)["Condition"]["StringEquals"] for cache in (ON, {}))
        assert service_name in on["kms:ViaService"]
        assert [one for one in on["kms:ViaService"] if one != service_name] == off["kms:ViaService"]


def test_tasks_get_the_password_from_the_secret_and_may_read_it() -> None:
    settings = load(ON)
    secrets = {entry["Name"]: entry["ValueFrom"] for entry in container(settings)["Secrets"]}

    assert secrets["REDIS_PASSWORD"] == {
        "Fn::Join": ["", [imported("security-CacheSecretArn"), ":REDIS_PASSWORD::"]]
    }
    policy = properties(security.build(settings), "ExecutionRole")["Policies"][0]["PolicyDocument"]
    readable = next(one["Resource"] for one in policy["Statement"] if one["Sid"] == "ReadOwnSecrets")
    assert {"Ref": "CacheSecret"} in readable


# --- LiteLLM -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", [{}, ON, MIXED])
def test_the_variables_that_are_known_are_those_that_the_task_gets(cache: dict[str, Any]) -> None:
    settings = load(cache)
    entries = (*container(settings)["Environment"], *container(settings)["Secrets"])

    assert {one["Name"] for one in entries} | limits.FARGATE_VARIABLES == given_to_tasks(settings)


def test_litellm_is_told_where_redis_is_in_parts_and_over_tls() -> None:
    entries = {one["Name"]: one["Value"] for one in container(load(ON))["Environment"]}

    assert {name: value for name, value in entries.items() if name.startswith("REDIS")} == {
        "REDIS_HOST": imported("database-RedisEndpoint"),
        "REDIS_PORT": imported("database-RedisPort"),
        "REDIS_SSL": "True",
    }


def test_litellms_file_is_completed_so_that_one_switch_is_enough_and_no_answer_is_kept() -> None:
    access = {name: f"os.environ/REDIS_{name.upper()}" for name in ("host", "port", "password")}
    config = configured(ON)

    assert config["router_settings"] == {f"redis_{name}": value for name, value in access.items()}
    assert config["litellm_settings"]["cache"] is True
    assert config["litellm_settings"]["cache_params"] == {
        "type": "redis",
        **access,
        "supported_call_types": [],
    }
    assert config["litellm_settings"]["request_timeout"] == 600


def test_every_variable_in_the_completed_file_is_one_that_the_tasks_get() -> None:
    for cache in (ON, MIXED):
        named = set(re.findall(r"os\.environ/(\w+)", json.dumps(configured(cache))))
        assert named <= given_to_tasks(load(cache))
    assert "REDIS_PASSWORD" not in json.dumps(configured(MIXED))


def test_another_file_is_another_object_so_the_switch_rolls_the_service() -> None:
    assert litellm_config.key(load(ON)) != litellm_config.key(load())


@pytest.mark.parametrize(
    "own",
    [
        {"cache": True, "cache_params": {"type": "s3", "s3_bucket_name": "answers"}},
        {"cache": False},
        {"cache": True},
        {"cache_params": {"type": "redis", "ttl": 600}, "cache": True},
    ],
)
def test_what_the_file_says_about_caching_stays(own: dict[str, Any]) -> None:
    found = configured(ON, {"litellm_settings": own})["litellm_settings"]

    assert {name: found[name] for name in ("cache", "cache_params") if name in found} == own


def test_a_file_that_names_its_parameters_only_gets_the_switch_and_a_router_of_its_own_stays() -> None:
    params = {"type": "redis", "ttl": 600}
    router = {"redis_host": "os.environ/REDIS_HOST", "num_retries": 2}
    found = configured(ON, {"litellm_settings": {"cache_params": params}, "router_settings": router})

    assert found["litellm_settings"]["cache"] is True
    assert found["litellm_settings"]["cache_params"] == params
    assert found["router_settings"] == router
    retries = configured(ON, {"router_settings": {"num_retries": 2}})["router_settings"]
    assert (retries["num_retries"], retries["redis_host"]) == (2, "os.environ/REDIS_HOST")


# --- what is refused and warned of ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("cache", "problem"),
    [
        ({"nodes": 0}, "cache.nodes: 0 is out of range; 1 to 6 nodes"),
        ({"nodes": 7}, "cache.nodes: 7 is out of range; 1 to 6 nodes"),
        (
            {"node_type": "db.t4g.micro"},
            "cache.node_type: 'db.t4g.micro' is not a node type of ElastiCache, like cache.t4g.micro",
        ),
        ({"snapshot_retention_days": 36}, "cache.snapshot_retention_days: 36 is out of range; 0 to 35 days"),
        (
            {"parameters": {"Timeout": "1"}},
            "cache.parameters.Timeout: 'Timeout' is not a parameter of Redis",
        ),
    ],
)
def test_a_value_that_elasticache_does_not_have_is_refused(cache: dict[str, Any], problem: str) -> None:
    assert refused(cache) == [problem]


@pytest.mark.parametrize("name", ["REDIS_HOST", "REDIS_SSL", "REDIS_URL", "REDIS_USERNAME"])
def test_a_variable_that_leads_past_the_cache_is_refused_and_allowed_without_one(name: str) -> None:
    variables = {"environment": {name: "elsewhere"}}

    assert refused(ON, service=variables) == [
        f"service.environment.{name}: leads past the Redis of cache.enabled; remove one of them"
    ]
    assert load({}, service=variables).service.environment == variables["environment"]


def test_a_password_in_the_file_is_refused_once() -> None:
    (problem,) = refused(ON, service={"environment": {"REDIS_PASSWORD": "x"}})

    assert "looks like a secret" in problem


@pytest.mark.parametrize(
    ("cache", "name", "remedy"),
    [
        ({}, "REDIS_HOST", "it comes with cache.enabled: true"),
        (
            MIXED,
            "REDIS_PASSWORD",
            "it comes with cache.enabled: true and cache.transit_encryption: required",
        ),
    ],
)
def test_a_reference_to_redis_that_is_not_there_says_what_brings_it(
    cache: dict[str, Any], name: str, remedy: str
) -> None:
    config = {"litellm_settings": {"cache_params": {"host": f"os.environ/{name}"}}}

    (problem,) = refused(cache, service={"config": config})
    assert problem.endswith(f"nothing sets {name} in the tasks; {remedy}")


def test_what_the_user_should_know_about_the_cache() -> None:
    off = {"config": {"litellm_settings": {"cache": False}}}

    drops = {"parameters": {"maxmemory-policy": "allkeys-lfu"}}

    assert warned(ON) == []
    assert [one.partition(":")[0] for one in warned(ON | {"nodes": 1}, tier="production")] == ["cache.nodes"]
    assert warned({}, tier="production") == []
    assert [one.partition(":")[0] for one in warned(ON | drops)] == ["cache.parameters.maxmemory-policy"]
    assert [one.partition(":")[0] for one in warned(MIXED)] == ["cache.transit_encryption"]
    assert [one.partition(":")[0] for one in warned(ON, service=off)] == [
        "service.config.litellm_settings.cache"
    ]


@pytest.mark.parametrize(
    ("params", "variables", "is_warned"),
    [
        (None, {}, True),
        ({"type": "redis-semantic"}, {}, True),
        ({"type": "local"}, {}, False),
        ({"host": "redis.example.com"}, {}, False),
        ({"type": "redis"}, {"REDIS_HOST": "redis.example.com"}, False),
    ],
)
def test_a_file_that_counts_on_redis_is_warned_of_where_there_is_none(
    params: dict[str, Any] | None, variables: dict[str, str], *, is_warned: bool
) -> None:
    config = {"litellm_settings": {"cache": True} | ({"cache_params": params} if params else {})}

    found = warned({}, service={"config": config, "environment": variables, "max_tasks": 1})
    assert bool(found) == is_warned
    assert all("write cache.enabled: true" in one for one in found)


@pytest.mark.parametrize(
    ("file", "is_warned"),
    [
        ({}, True),
        ({"tier": "production", "cache": {"enabled": False}}, True),
        ({"tier": "production"}, False),
        ({"service": {"max_tasks": 1}}, False),
        ({"service": {"max_tasks": 1, "workers": 2}}, True),
        ({"cache": ON}, False),
        ({"cache": {"existing": {"host": "redis.example.com"}}}, False),
        ({"service": {"environment": {"REDIS_URL": "rediss://redis.example.com"}}}, False),
        ({"service": {"secrets": ["REDIS_URL"]}}, False),
        ({"service": {"parameters": {"redis-host": "redis.example.com"}}}, False),
        ({"service": {"config": {"router_settings": {"redis_host": "redis.example.com"}}}}, False),
        ({"service": {"config": {"router_settings": {"num_retries": 3}}}}, True),
    ],
)
def test_limits_that_each_worker_counts_for_itself_are_warned_of(
    file: dict[str, Any], *, is_warned: bool
) -> None:
    found = warned(**{"cache": {}, **file})

    assert bool(found) == is_warned
    assert all("count limits and budgets each for itself" in one for one in found)


def test_a_remedy_for_limits_that_nobody_shares_ends_the_warning() -> None:
    (said,) = warned({})

    assert "write cache.enabled: true, or name one in cache.existing" in said
    assert warned(ON) == warned({"existing": {"host": "redis.example.com"}}) == []


# --- its life ------------------------------------------------------------------------------------


def deploy(user: User, *arguments: str) -> dict[str, str]:
    """Deploy and return the outputs of the stack that has the cache."""
    done = user.run("deploy", "local", "--yes", "--format", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, str] = json.loads(done.out)["outputs"]["database"]
    return found


@pytest.mark.deep
def test_a_cache_is_switched_on_changed_and_off_in_a_running_environment(user: User) -> None:
    lost = ("--allow-replace", "Redis", "--allow-replace", "CacheSecret")
    assert "RedisEndpoint" not in deploy(user)

    user.edit("local", "service:\n", "cache: {enabled: true, nodes: 2}\n\nservice:\n")
    on = deploy(user)
    assert (on["RedisEndpoint"].partition(".")[0], on["RedisPort"]) == ("local-litellm-redis", "6379")

    user.edit("local", "nodes: 2", "nodes: 3, transit_encryption: preferred")
    refused = user.run("deploy", "local", "--yes")
    assert (refused.code, "to allow it: --allow-replace" in refused.err) == (4, True)
    assert deploy(user, *lost, "--migrate-exports")["RedisEndpoint"].startswith("local-litellm-mixed.")

    user.edit("local", "enabled: true", "enabled: false")
    assert "RedisEndpoint" not in deploy(user, *lost)


@pytest.mark.deep  # in `make test`: prod, whose cache test_cli_deploy.py takes down
def test_an_environment_with_a_cache_is_taken_down(user: User) -> None:
    user.edit("local", "service:\n", "cache: {enabled: true}\n\nservice:\n")
    deploy(user)

    gone = user.run("destroy", "local", "--yes")
    assert (gone.code, "local: 5 stacks deleted" in gone.err) == (0, True), gone.err
