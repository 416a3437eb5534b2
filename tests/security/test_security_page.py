"""What docs/security.md says of the templates is so, in every environment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from stacks.checking.entrance.entrance_fields import SSL_POLICIES
from stacks.parts.security_groups import NOWHERE
from tests.places import is_test_file
from tests.security.policy_wildcards import statements
from tests.security.security_page import (
    KEEPS_NOTHING,
    OURS,
    PAGE,
    STORES,
    Resource,
    at_rest,
    filled,
    resources,
)

TEXT = PAGE.read_text(encoding="utf-8")
NAMES_ONLY = {
    "ADMINISTRATOR_SECRET_ARN",
    "CLUSTER",
    "DATABASE_CERTIFICATE",
    "IAM_LOGIN",
    "PROXY_PORT",
    "SERVICE",
}
"""Variables of the rotation functions; none holds a secret."""


def of(kind: str) -> list[Resource]:
    found = [one for one in resources() if one.type == kind]
    assert found, kind
    return found


def by_environment(kind: str) -> Mapping[str, list[Resource]]:
    names = {one.environment for one in resources() if one.system != "bootstrap"}
    return {name: [one for one in of(kind) if one.environment == name] for name in sorted(names)}


def production(environment: str) -> bool:
    return any(one.type == "AWS::WAFv2::WebACL" for one in resources() if one.environment == environment)


def test_the_tables_of_keys_and_ways_are_what_the_templates_say() -> None:
    assert filled(TEXT) == TEXT, "rewrite them: python -m tests.security.security_page"


def test_every_party_is_shown_by_tests_that_are_there() -> None:
    table = TEXT.partition("<!-- begin threats -->")[2].partition("<!-- end threats -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+\.py)`", row.rstrip("|").rpartition("|")[2]) for row in rows]

    assert len(rows) > 10
    assert all(named)
    assert [one for row in named for one in row if not is_test_file(one)] == []


def test_of_every_type_it_is_known_whether_it_keeps_data() -> None:
    types = {one.type for one in resources()}

    assert types - STORES.keys() - KEEPS_NOTHING == set()
    assert (STORES.keys() | KEEPS_NOTHING) - types == set()
    assert STORES.keys() & KEEPS_NOTHING == set()


def test_nothing_is_kept_without_a_key_and_whatever_can_have_the_environments_has_it() -> None:
    other = {(place, key) for _, place, key in at_rest() if key != OURS}

    assert {place for place, _ in other} == {
        "`alb/AccessLogBucket`, `bootstrap/ArtifactsBucket`",
        "`database/DatabaseRotationFunction`, `service/MasterKeyRotationFunction`",
        "`security/LogArchiveStream`",
    }
    assert not any(key.startswith(("not ours", "not encrypted")) for _, key in other)


def test_parameters_are_no_secrets_and_functions_are_told_none() -> None:
    assert {one.properties["Type"] for one in of("AWS::SSM::Parameter")} == {"String"}
    told = {
        name for one in of("AWS::Lambda::Function") for name in one.properties["Environment"]["Variables"]
    }
    assert told <= NAMES_ONLY


def test_every_https_listener_has_the_tls_policy_and_port_80_beside_it_only_redirects() -> None:
    for listeners in by_environment("AWS::ElasticLoadBalancingV2::Listener").values():
        by_port = {one.properties["Port"]: one.properties for one in listeners}
        if 443 in by_port:
            assert {one["Type"] for one in by_port[80]["DefaultActions"]} == {"redirect"}
        for one in by_port.values():
            assert one.get("SslPolicy") == (SSL_POLICIES[0] if one["Protocol"] == "HTTPS" else None)


def test_every_production_environment_has_https_and_a_firewall() -> None:
    listeners = by_environment("AWS::ElasticLoadBalancingV2::Listener")
    https = {name for name, found in listeners.items() if any(one.properties["Port"] == 443 for one in found)}

    assert {name for name in listeners if production(name)} <= https
    assert {"prod", "litellm-benchmark-production", "llm-proxy-production"} <= https


def test_load_balancers_drop_headers_that_are_no_headers() -> None:
    for one in of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {entry["Key"]: entry["Value"] for entry in one.properties["LoadBalancerAttributes"]}
        assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_between_load_balancer_and_tasks_there_is_no_tls() -> None:
    assert {one.properties["Protocol"] for one in of("AWS::ElasticLoadBalancingV2::TargetGroup")} == {"HTTP"}


def test_the_database_takes_nothing_but_tls() -> None:
    groups = [*of("AWS::RDS::DBParameterGroup"), *of("AWS::RDS::DBClusterParameterGroup")]

    assert {one.properties["Parameters"]["rds.force_ssl"] for one in groups} == {"1"}


def test_redis_has_tls_and_a_password_but_for_llm_proxy() -> None:
    for one in of("AWS::ElastiCache::ReplicationGroup"):
        found = (one.properties["TransitEncryptionMode"], "AuthToken" in one.properties)
        assert found == (("preferred", False) if one.system == "llm-proxy" else ("required", True))
        assert one.properties["TransitEncryptionEnabled"] is True


def test_every_bucket_is_closed_to_the_public_and_refuses_what_comes_without_tls() -> None:
    guarded = {
        (one.environment, one.properties["Bucket"]["Ref"])
        for one in of("AWS::S3::BucketPolicy")
        if "OnlyWithTls" in {entry["Sid"] for entry in one.properties["PolicyDocument"]["Statement"]}
    }

    assert guarded == {(one.environment, one.place.rpartition("/")[2]) for one in of("AWS::S3::Bucket")}
    for one in of("AWS::S3::Bucket"):
        assert set(one.properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_nothing_but_load_balancer_and_nat_gateways_has_a_public_address() -> None:
    tasks = [one.properties["NetworkConfiguration"]["AwsvpcConfiguration"] for one in of("AWS::ECS::Service")]

    assert {one["AssignPublicIp"] for one in tasks} == {"DISABLED"}
    assert {one.properties["PubliclyAccessible"] for one in of("AWS::RDS::DBInstance")} == {False}
    assert {one.properties["MapPublicIpOnLaunch"] for one in of("AWS::EC2::Subnet")} == {False}


@pytest.mark.parametrize("group", ["RdsSecurityGroup", "RedisSecurityGroup", "EndpointSecurityGroup"])
def test_database_redis_and_endpoints_reach_nothing(group: str) -> None:
    own = [one for one in of("AWS::EC2::SecurityGroup") if one.place == f"network/{group}"]
    outward = [one.properties["GroupId"] for one in of("AWS::EC2::SecurityGroupEgress")]

    assert own
    assert all(one.properties["SecurityGroupEgress"] == [NOWHERE.to_dict()] for one in own)
    assert {"Fn::GetAtt": [group, "GroupId"]} not in outward


def test_pipelines_open_no_shell_in_a_task() -> None:
    allowed = {action for one in statements() if one.content["Effect"] == "Allow" for action in one.actions}

    assert {
        action for action in allowed if action.lower().startswith(("ecs:executec", "ssm:startsession"))
    } == set()


def _credentials() -> str:
    return TEXT.partition("<!-- begin credentials -->")[2].partition("<!-- end credentials -->")[0]


def _secret_names() -> Iterator[str]:
    for one in of("AWS::SecretsManager::Secret"):
        above, _, name = one.properties["Name"].rpartition("/")
        # What a first value is made of: the page's word for the value covers it. A variable's is people's.
        if not name.endswith("-seed") and not above.endswith("/variables"):
            yield name


def test_the_table_of_what_leaks_has_every_secret_that_is_made() -> None:
    assert {name for name in _secret_names() if f"`{name}`" not in _credentials()} == set()


def test_the_table_of_what_leaks_has_every_secret_that_tasks_get() -> None:
    given = {
        secret["Name"]
        for one in of("AWS::ECS::TaskDefinition")
        for secret in one.properties["ContainerDefinitions"][0].get("Secrets", ())
    }

    assert "LITELLM_MASTER_KEY" in given
    assert not {"DATABASE_ADMINISTRATOR", "MASTER_USERNAME"} & given
    assert "which no task is given" in _credentials()
    injected = json.dumps([dict(one.properties) for one in of("AWS::ECS::TaskDefinition")])
    assert "DatabaseSecretArn" not in injected
