"""Every limit of the settings, what the checks over several keys say, and what holds for any file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stacks import builder
from stacks.checking import limits, subnets
from stacks.checking.advice import advice
from stacks.checking.problems import Finding
from stacks.checking.together import findings
from stacks.environment import EnvironmentFileError, is_unused, parse_settings
from stacks.environment import load as load_file
from stacks.settings import Settings
from stacks.systems import litellm_web
from tests.covering import searched

FILE = Path("e.yaml")
DEV: dict[str, Any] = {"system": "litellm", "environment": "dev"}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
PROD: dict[str, Any] = {"system": "litellm", "environment": "prod", "tier": "production"} | {
    "alb": {"certificate_arn": CERTIFICATE, "admin_cidrs": ["192.0.2.0/24"]}
}


def written(base: dict[str, Any], **sections: Any) -> str:
    """Return *base* with keys laid over it, as the text of a file."""
    data = deepcopy(base)
    for name, value in sections.items():
        data[name] = data.get(name, {}) | value if isinstance(value, dict) else value
    return yaml.safe_dump(data)


def load(base: dict[str, Any] = DEV, **sections: Any) -> Settings:
    return parse_settings(written(base, **sections), FILE)


def refused(base: dict[str, Any] = DEV, **sections: Any) -> str:
    """Return the one problem that the file has, without its line."""
    with pytest.raises(EnvironmentFileError) as caught:
        load(base, **sections)
    (problem,) = caught.value.problems
    return str(problem)


def models(*entries: Any) -> dict[str, Any]:
    return {"config": {"model_list": list(entries)}}


# --- names ---------------------------------------------------------------------------------------


def test_names_follow_from_environment_and_system() -> None:
    made = load()
    assert (made.prefix, made.stack_name("alb"), made.export_name("network", "VpcId")) == (
        "dev-litellm",
        "dev-litellm-alb",
        "dev-litellm-network-VpcId",
    )
    assert (made.alb_name, made.repository_name) == ("dev-litellm",) * 2
    assert (made.database_identifier, made.named("proxy")) == ("dev-litellm-db", "dev-litellm-proxy")
    assert made.cluster_name == "dev-litellm"
    assert made.log_group_of("proxy") == "/ecs/dev-litellm-proxy"
    assert made.login_secret_name == made.secret_name("database-login") == "dev-litellm/database-login"
    assert made.rotation_function_name("master-key") == "dev-litellm-master-key-rotation"
    assert load(tags={"Owner": "me"}).stack_tags("alb") == {
        "Owner": "me",
        "Environment": "dev",
        "System": "litellm",
        "Stack": "alb",
        "ManagedBy": "gatestack",
    }


def test_the_longest_environment_keeps_every_name_within_its_limit() -> None:
    longest = load(environment="e" * 16)
    lengths = {
        kind: len(form.format(prefix=longest.prefix)) for kind, (form, _) in limits.RESOURCE_NAMES.items()
    }
    assert all(lengths[kind] <= limit for kind, (_, limit) in limits.RESOURCE_NAMES.items())
    assert lengths["target group"] == 30


def test_a_name_over_its_limit_would_be_told_for_each_kind_of_resource() -> None:
    told = list(findings(load().model_copy(update={"environment": "e" * 20})))
    message = (
        f"the target group would be called {'e' * 20}-litellm-green, 2 over AWS's 32 characters; shorten it"
    )
    assert told == [Finding("environment", message, ("system",))]


def test_variables_that_the_task_sets_are_all_refused_in_the_file() -> None:
    templates = [builder(stack).build(load()).template.to_dict() for stack in ("database", "service")]
    entries = [entry for template in templates for entry in template["Resources"].values()]
    tasks = [one for one in entries if one["Type"] == "AWS::ECS::TaskDefinition"]
    containers = [container for task in tasks for container in task["Properties"]["ContainerDefinitions"]]
    names = {entry["Name"] for one in containers for entry in (*one["Environment"], *one["Secrets"])}
    assert {"LITELLM_MASTER_KEY", "ENFORCE_PRISMA_MIGRATION_CHECK"} <= names
    of_the_file = {*litellm_web.variables(load())}  # has the last word on these
    assert names - of_the_file <= limits.TEMPLATE_VARIABLES


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load().environment = "other"


@pytest.mark.parametrize(
    ("version", "full"),
    [("15", "15.15"), ("16", "16.11"), ("17", "17.7"), ("15.19", "15.19"), ("18.1", "18.1")],
)
def test_a_major_version_means_the_tested_minor(version: str, full: str) -> None:
    assert load(database={"engine_version": version}).database_version == full


def test_scaling_owns_the_number_of_tasks_only_where_it_may_change() -> None:
    assert load().service.scaled
    assert not load(service={"max_tasks": 1}).service.scaled


# --- one key -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"environment": "Dev"}, "environment: 'Dev' must be 1 to 16 lower-case letters, digits and hyphens"),
        ({"environment": "e" * 17}, "environment: 'eeeeeeeeeeeeeeeee' must be 1 to 16 lower-case letters"),
        ({"environment": "dev-"}, "environment: 'dev-': RDS and ECR take no hyphen at the end"),
        (
            {"environment": "a--b"},
            "environment: 'a--b': RDS and ECR take no hyphen at the end and no two in a row",
        ),
        ({"environment": "aws1"}, "environment: 'aws1': an SSM parameter's name would begin with aws,"),
        ({"environment": "internal-x"}, "environment: 'internal-x': a load balancer's name would begin with"),
        ({"environment": "internal"}, "environment: 'internal': a load balancer's name would begin with"),
        ({"environment": "sg"}, "environment: 'sg': a security group's name would begin with sg-, which AWS"),
        ({"environment": "sg-prod"}, "environment: 'sg-prod': a security group's name would begin with sg-"),
        ({"environment": "sthree"}, "environment: 'sthree': a bucket's name would begin with sthree-"),
        ({"environment": "amzn-s3-demo"}, "environment: 'amzn-s3-demo': a bucket's name would begin with"),
        ({"region": "virginia"}, "region: 'virginia' is not a region like us-east-1"),
        ({"account": "1234"}, "account: '1234' is not an account: exactly twelve digits, in quotes"),
        ({"account": "١٢٣٤٥٦٧٨٩٠١٢"}, "account: '١٢٣٤٥٦٧٨٩٠١٢' is not an account: exactly twelve digits"),
        (
            {"network": {"vpc_cidr": "10.0.0.0/15"}},
            "network.vpc_cidr: '10.0.0.0/15': a VPC and its subnets are /16 to",
        ),
        (
            {"network": {"vpc_cidr": "10.0.1.0/16"}},
            "network.vpc_cidr: '10.0.1.0/16' is not a network address; write 10.0.0",
        ),
        (
            {"network": {"vpc_cidr": "fd00::/16"}},
            "network.vpc_cidr: 'fd00::/16' is not an IPv4 range like 10.0.0.0/16",
        ),
        ({"network": {"nat_gateways": 3}}, "network.nat_gateways: 3 is unknown; write 0, 1 or 2"),
        (
            {"network": {"availability_zones": ["us-east-1-bos-1a", "us-east-1a"]}},
            "network.availability_zones[0]: 'us-east-1-bos-1a' is not an availability zone: its id like use1",
        ),
        ({"network": {"availability_zones": ["us-east-1a"]}}, "network.availability_zones"),
        ({"network": {"availability_zones": ["us-east-1a"] * 3}}, "network.availability_zones"),
        ({"network": {"availability_zones": "us-east-1a"}}, "network.availability_zones"),
        ({"alb": {"allowed_cidrs": ["10.0.0.1"]}}, "alb.allowed_cidrs[0]: '10.0.0.1' is not an IPv4 range"),
        ({"alb": {"allowed_cidrs": []}}, "alb.allowed_cidrs: the list is empty; it needs one entry at least"),
        ({"alb": {"certificate_arn": "x"}}, "alb.certificate_arn: 'x' is not the ARN of an ACM certificate"),
        ({"alb": {"domain_name": "llm"}}, "alb.domain_name: 'llm' is not a domain name like llm.example.com"),
        ({"alb": {"waf_rate_limit": 9}}, "alb.waf_rate_limit: 9 is out of range; 10 to 2000000000 requests"),
        (
            {"alb": {"idle_timeout_seconds": 4001}},
            "alb.idle_timeout_seconds: 4001 is out of range; 1 to 4000 seconds",
        ),
        (
            {"alb": {"deregistration_delay_seconds": 3601}},
            "alb.deregistration_delay_seconds: 3601 is out of range",
        ),
        (
            {"database": {"instance_class": "t3.micro"}},
            "database.instance_class: 't3.micro' is not an instance class",
        ),
        ({"database": {"storage_gb": 19}}, "database.storage_gb: 19 is out of range; 20 to 65536 GB"),
        (
            {"database": {"backup_retention_days": 36}},
            "database.backup_retention_days: 36 is out of range; 0 to 35 days",
        ),
        (
            {"database": {"engine_version": "15.10"}},
            'database.engine_version: RDS no longer creates 15.10; "15.13"',
        ),
        (
            {"database": {"engine_version": "14"}},
            'database.engine_version: "14" has no tested minor; one of "15", "16"',
        ),
        (
            {"database": {"engine_version": "14.9"}},
            "database.engine_version: PostgreSQL 14 cannot be created; one of",
        ),
        (
            {"database": {"max_storage_gb": 21}},
            "database.max_storage_gb: 21 GB is too little; storage grows by a tenth",
        ),
        (
            {"database": {"snapshot_identifier": "a--b"}},
            "database.snapshot_identifier: 'a--b' is not a snapshot: letters",
        ),
        (
            {"database": {"parameters": {"Bad Name": "1"}}},
            "database.parameters.Bad Name: 'Bad Name' is not a PostgreSQL",
        ),
        (
            {"service": {"cpu": 500}},
            "service.cpu: 500 is not a CPU size of Fargate: 256, 512, 1024, 2048, 4096, 8192",
        ),
        (
            {"service": {"image": "x/y:1"}},
            "service.image: 'x/y:1': write the tag or digest as service.image_tag",
        ),
        (
            {"service": {"image": "x/y@sha256:0"}},
            "service.image: 'x/y@sha256:0': write the tag or digest as service.im",
        ),
        (
            {"service": {"image": "X Y"}},
            "service.image: 'X Y' is neither ecr nor an image like ghcr.io/berriai/litellm",
        ),
        (
            {"service": {"image_tag": "a b"}},
            "service.image_tag: 'a b' is not a tag like v1.108.7 or a digest sha256:<64",
        ),
        ({"service": {"port": 0}}, "service.port: 0 is out of range; 1 to 65535"),
        ({"service": {"workers": 0}}, "service.workers: 0 is out of range; 1 to 64 workers"),
        (
            {"service": {"stop_timeout_seconds": 121}},
            "service.stop_timeout_seconds: 121 is out of range; 1 to 120 sec",
        ),
        ({"service": {"max_tasks": 5001}}, "service.max_tasks: 5001 is out of range; 1 to 5000 tasks"),
        ({"service": {"providers": []}}, "service.providers: the list is empty; it needs one entry at least"),
        (
            {"observability": {"log_retention_days": 15}},
            "observability.log_retention_days: 15 is not a retention that",
        ),
        (
            {"observability": {"alarm_email": "me"}},
            "observability.alarm_email: 'me' is not an e-mail address",
        ),
    ],
)
def test_a_value_outside_its_limits_is_refused_with_what_to_write(keys: dict[str, Any], problem: str) -> None:
    assert refused(**keys).startswith(problem)


@pytest.mark.parametrize(
    "image", ["ecr", "ghcr.io/berriai/litellm-database", "localhost:5000/a/b-c", "public.ecr.aws/x/y_z"]
)
def test_an_image_is_a_registry_path_whose_registry_may_have_a_port(image: str) -> None:
    assert load(service={"image": image}).service.image == image


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"aws:x": "y"}, "tags.aws:x: names that begin with aws: belong to AWS; rename it"),
        (
            {"ManagedBy": "y"},
            "tags.ManagedBy: is the same as gatestack's own tag ManagedBy (IAM does not tell",
        ),
        (
            {"owner": "a", "Owner": "b"},
            "tags.owner: is the same as the tag Owner (IAM does not tell upper from lower",
        ),
        ({"k" * 129: "y"}, f"tags.{'k' * 57}...: a tag's name has 1 to 127 letters, digits, spaces and"),
        ({"k": "v" * 256}, "tags.k: a tag's value has 1 to 255 letters, digits, spaces and _ . : / = + - @"),
        ({"k": "a<b"}, "tags.k: a tag's value has 1 to 255 letters, digits, spaces and _ . : / = + - @"),
        ({"k": ""}, "tags.k: a tag's value has 1 to 255 letters, digits, spaces and _ . : / = + - @"),
        ({f"k{n}": "v" for n in range(46)}, "tags: 46 tags; AWS has room for 45 beside gatestack's own"),
    ],
)
def test_tags_keep_to_the_limits_of_aws(tags: dict[str, str], problem: str) -> None:
    assert refused(tags=tags).startswith(problem)


# --- network -------------------------------------------------------------------------------------


@given(st.integers(16, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_derived_subnets_are_inside_the_vpc_and_never_overlap(size: int, address: int) -> None:
    vpc = IPv4Network((address, size), strict=False)
    pairs = subnets.derived(str(vpc))
    ranges = [IPv4Network(cidr) for pair in pairs.values() for cidr in pair or ()]
    assert all(one.subnet_of(vpc) and one.prefixlen == 24 for one in ranges)
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    assert (pairs["data_subnet_cidrs"] is not None) == (size < 20)


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (
            {"private_subnet_cidrs": ["10.1.1.0/24", "10.0.12.0/24"]},
            "network.private_subnet_cidrs: 10.1.1.0/24 is not inside the VPC's 10.0.0.0/16",
        ),
        (
            {
                "private_subnet_cidrs": ["10.0.0.0/22", "10.0.12.0/24"],
                "public_subnet_cidrs": ["10.0.1.0/24", "10.0.4.0/24"],
            },
            "network.private_subnet_cidrs: 10.0.0.0/22 overlaps 10.0.1.0/24 of network.public_subnet_cidrs",
        ),
        (
            {"public_subnet_cidrs": ["10.0.1.0/28", "10.0.2.0/24"]},
            "network.public_subnet_cidrs: 10.0.1.0/28 is too small for a load balancer; /27 or larger",
        ),
        (
            {"vpc_cidr": "10.0.0.0/20", "data_subnets": True},
            "network.vpc_cidr: 10.0.0.0/20 has no room for our /24 subnets; write network.data_subnet_cidrs",
        ),
    ],
)
def test_subnets_lie_in_the_vpc_beside_each_other(network: dict[str, Any], problem: str) -> None:
    assert refused(network=network) == problem


def test_subnets_that_are_not_used_are_not_checked() -> None:
    assert load(network={"vpc_cidr": "10.0.0.0/20"}).network.private_subnet_cidrs == (
        "10.0.11.0/24",
        "10.0.12.0/24",
    )
    assert load(network={"data_subnet_cidrs": ["10.9.0.0/24", "10.9.0.0/24"]}).network.data_subnets is False


def test_without_nat_every_provider_must_be_reached_through_an_endpoint() -> None:
    outside = {"nat_gateways": 0, "vpc_endpoints": False}
    assert refused(network=outside, service={"image": "a/b"}) == (
        "network.nat_gateways: without a NAT gateway this needs service.providers: [bedrock] "
        "(openai, anthropic can be reached over the internet only), "
        "and service.image: ecr (other registries are in the internet), "
        "and network.vpc_endpoints: true; or write 1 or 2"
    )
    bedrock = {"providers": ["bedrock"], "bedrock_models": ["us.anthropic.claude-sonnet-4-5-20250929-v1:0"]}
    assert load(network={"nat_gateways": 0}, service=bedrock).network.nat_gateways == 0


def test_zones_are_two_different_ones_of_the_region() -> None:
    def said(*zones: str, **more: Any) -> str:
        return refused(network={"availability_zones": list(zones), **more})

    example = "write one like us-east-1a, or an id like use1-az1"
    assert said("us-east-1a", "us-east-1a") == (
        "network.availability_zones: us-east-1a stands twice; name two different zones"
    )
    for other in ("us-west-2a", "usw2-az1", "use10-az1"):
        assert said("us-east-1a", other) == (
            f"network.availability_zones[1]: {other} is not a zone of us-east-1; {example}"
        )
    assert "remove it" in said("us-east-1a", "us-east-1b", existing_vpc=vpc())
    tokyo = load(region="ap-northeast-1", network={"availability_zones": ["apne1-az4", "ap-northeast-1c"]})
    assert tokyo.network.availability_zones == ("apne1-az4", "ap-northeast-1c")
    isolated = {"availability_zones": ["usie1-az1", "usie1-az2"]}
    assert load(region="us-iso-east-1", network=isolated).network.availability_zones


def vpc(public: int = 2, private: int = 2, data: int = 0) -> dict[str, Any]:
    ids = [f"subnet-{number:08x}" for number in range(10)]
    return {
        "vpc_id": "vpc-0123456789abcdef0",
        "public_subnet_ids": ids[:public],
        "private_subnet_ids": ids[4 : 4 + private],
        "data_subnet_ids": ids[7 : 7 + data],
    }


def test_an_existing_vpc_brings_its_subnets() -> None:
    made = load(network={"existing_vpc": vpc(), "vpc_cidr": "10.0.0.0/26", "nat_gateways": 0})
    assert made.network.existing_vpc is not None
    assert made.network.existing_vpc.private_subnet_ids == ("subnet-00000004", "subnet-00000005")
    assert load(network={"existing_vpc": vpc(public=0)}, alb={"internal": True}).alb.internal


@pytest.mark.parametrize(
    ("given_vpc", "problem"),
    [
        (
            vpc(private=1),
            "network.existing_vpc.private_subnet_ids: needs two subnets in different availability",
        ),
        (
            vpc(public=0),
            "network.existing_vpc.public_subnet_ids: needs two subnets in different availability",
        ),
        (
            vpc() | {"vpc_id": "x"},
            "network.existing_vpc.vpc_id: 'x' is not the id of a VPC, vpc- and 8 or 17 hex digits",
        ),
        (
            vpc() | {"private_subnet_ids": ["subnet-00000000", "subnet-00000004"]},
            "network.existing_vpc.public_subnet_ids[0]: ",
        ),
        (
            vpc(private=3),
            "network.existing_vpc.private_subnet_ids: has 3 subnets, and 2 are used; name those",
        ),
        (vpc() | {"vpc": "x"}, "network.existing_vpc.vpc: unknown key; did you mean vpc_id?"),
    ],
)
def test_an_existing_vpc_must_be_complete(given_vpc: dict[str, Any], problem: str) -> None:
    assert refused(network={"existing_vpc": given_vpc}).startswith(problem)


def test_an_existing_vpc_needs_data_subnets_where_they_are_wanted() -> None:
    problem = "network.existing_vpc.data_subnet_ids: needs two subnets in different availability zones, has 0"
    assert refused(network={"existing_vpc": vpc(), "data_subnets": True}) == problem


# --- load balancer, service, production ----------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            {"alb": {"domain_name": "a.example.com"}},
            "alb.domain_name: without hosted_zone_id nobody answers the certif",
        ),
        (
            {"alb": {"hosted_zone_id": "Z1"}},
            "alb.hosted_zone_id: says where, not which name; add alb.domain_name",
        ),
        (
            {"alb": {"certificate_arn": CERTIFICATE}, "region": "eu-west-1"},
            "alb.certificate_arn: the certificate is in us-e",
        ),
        (
            {"alb": {"certificate_arn": CERTIFICATE}, "account": "0" * 12},
            "alb.certificate_arn: the certificate belongs to",
        ),
        (
            {"service": {"memory_mb": 512}},
            "service.memory_mb: Fargate has no 512 MB with 512 CPU units; 1024, 2048, 3072",
        ),
        (
            {"service": {"cpu": 4096}},
            "service.memory_mb: Fargate has no 2048 MB with 4096 CPU units; 8192 to 30720 in steps",
        ),
        ({"service": {"min_tasks": 5}}, "service.min_tasks: 5 is more than max_tasks, 4"),
        (
            {"service": {"desired_count": 5}},
            "service.desired_count: 5 is not between min_tasks, 1, and max_tasks, 4",
        ),
        (
            {"service": {"providers": ["bedrock"]}},
            "service.bedrock_models: the provider bedrock needs the models",
        ),
        (
            {"service": {"bedrock_models": ["a.b"]}},
            "service.providers: bedrock_models are configured; add bedrock here",
        ),
        (
            {"service": {"providers": ["openai", "openai"]}},
            "service.providers: a provider stands twice; keep one of each",
        ),
        (
            {"service": {"image_tag": "main-v1.82.7-stable"}},
            "service.image_tag: main-v1.82.7-stable was published with",
        ),
        (
            {"service": {"environment": {"1A": ""}}},
            "service.environment.1A: a variable's name has letters, digits and _",
        ),
        (
            {"service": {"environment": {"DATABASE_URL": ""}}},
            "service.environment.DATABASE_URL: gatestack sets this vari",
        ),
        (
            {"service": {"environment": {"X_key": ""}}},
            "service.environment.X_key: looks like a secret, and this file is",
        ),
        ({"service": {"config": 5}}, "service.config: expected keys with values below it, found a number"),
        ({"service": {"config": {"model_list": 5}}}, "service.config.model_list: expected a list of models"),
        (
            {"service": {"config": {"general_settings": 5}}},
            "service.config.general_settings: expected keys with values",
        ),
        (
            {"service": {"config": {"general_settings": {"master_key": "os.environ/OTHER"}}}},
            "service.config.general_settings.master_key: must be os.environ/LITELLM_MASTER_KEY",
        ),
        ({"service": models("x")}, "service.config.model_list[0]: expected model_name and litellm_params"),
        (
            {"service": models({"litellm_params": {"model": "a/b"}})},
            "service.config.model_list[0]: needs model_name: the",
        ),
        (
            {"service": models({"model_name": "a"})},
            "service.config.model_list[0]: needs litellm_params with model: provider",
        ),
        (
            {"service": models({"model_name": "a", "litellm_params": {"model": "a/b", "api_key": "sk-1"}})},
            "service.config.model_list[0].litellm_params.api_key: a secret may not stand in this",
        ),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(keys: dict[str, Any], problem: str) -> None:
    assert refused(**keys).startswith(problem)


def test_each_fargate_pair_is_accepted_and_nothing_beside_it() -> None:
    for cpu, sizes in limits.FARGATE_MEMORY_MB.items():
        assert load(service={"cpu": cpu, "memory_mb": sizes[0]}).service.cpu == cpu
        refused(service={"cpu": cpu, "memory_mb": sizes[-1] + 1})


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            {"database": {"multi_az": False}},
            "database.multi_az: production needs true: one zone's failure must not lose",
        ),
        (
            {"database": {"backup_retention_days": 6}},
            "database.backup_retention_days: production needs 7 days or more",
        ),
        (
            {"alb": {"certificate_arn": None}},
            "alb: production needs HTTPS: add domain_name and hosted_zone_id, or certi",
        ),
        (
            {"service": {"log_level": "DEBUG"}},
            "service.log_level: DEBUG writes keys and prompts to the log; INFO, WARNING",
        ),
        (
            {"service": {"image_tag": "latest"}},
            "service.image_tag: latest moves with each release; production pins one",
        ),
        ({"deployment": {"mode": "express"}}, "deployment.mode: express is for tier dev: CloudFormation"),
        ({"service": {"image_tag": "main-latest"}}, "service.image_tag: main-latest moves with each release"),
        ({"service": {"image_tag": "main-stable"}}, "service.image_tag: main-stable moves with each release"),
    ],
)
def test_production_refuses_what_loses_data_or_tells_secrets(keys: dict[str, Any], problem: str) -> None:
    assert refused(PROD, **keys).startswith(problem)


@pytest.mark.parametrize("tag", ["main-v1.83.14-stable", "v1.108.7", "sha256:" + "0" * 64])
def test_a_pinned_image_is_accepted_in_production(tag: str) -> None:
    assert load(PROD, service={"image_tag": tag}).service.image_tag == tag


def test_production_behind_an_internal_load_balancer_may_go_without_https() -> None:
    assert not load(PROD, alb={"certificate_arn": None, "internal": True}).alb.https


def test_other_rows_of_production_may_be_changed_and_are_warned_of() -> None:
    made = load(PROD, alb={"waf": False}, service={"spot": True}, observability={"alarm_email": "a@b.io"})
    assert advice(made) == (
        "alb.waf: off (production)",
        "service.spot: tasks may be taken away at two minutes' notice (production)",
    )


def test_warnings_name_what_will_be_regretted() -> None:
    service = {"memory_mb": 1024, "log_level": "DEBUG", "workers": 4}
    service |= {"providers": ["openai", "bedrock"], "bedrock_models": ["us.amazon.nova-lite-v1:0"]}
    bedrock = {"model_name": "c", "litellm_params": {"model": "bedrock/us.anthropic.claude"}}
    database = {"instance_class": "db.t3.medium"}
    assert advice(load(database=database, service=service | models(bedrock))) == (
        (
            "service.memory_mb: 1024 MB is little for 4 workers: one large write to the database can end the "
            "task; 8192 or more"
        ),
        (
            "cache: none, so up to 16 workers (4 tasks x 4) count limits and budgets each for itself, and a "
            "key that was deleted stays usable in the others; write cache.enabled: true, or name one in "
            "cache.existing"
        ),
        "service.log_level: DEBUG writes keys and prompts to the log",
        "alb: no HTTPS, so keys and prompts travel as clear text; add domain_name or certificate_arn",
        (
            "service.max_tasks: 4 tasks x 4 x 10 connections are 160, over database.connection_alarm, 80; "
            "twice as many while a deployment rolls"
        ),
    )


def test_connections_are_counted_only_where_the_pool_has_a_size() -> None:
    pool = {"config": {"general_settings": {"database_connection_pool_limit": "os.environ/POOL"}}}
    pool["environment"] = {"POOL": "10"}
    assert (
        advice(load(PROD, service={"max_tasks": 5000} | pool, observability={"alarm_email": "a@b.io"})) == ()
    )


def test_a_finding_names_every_place_that_it_depends_on() -> None:
    finding = Finding("service.config", "x", ("service.cpu",), ("model_list", 0))
    assert finding.places == (("service", "config", "model_list", 0), ("service", "cpu"))


# --- any file ------------------------------------------------------------------------------------

SIZES = [(cpu, memory) for cpu, sizes in limits.FARGATE_MEMORY_MB.items() for memory in sizes]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


@st.composite
def valid_files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a file that is right, with keys of every section."""
    cpu, memory = draw(st.sampled_from(SIZES))
    low, wanted, high = sorted(draw(st.lists(st.integers(1, 5000), min_size=3, max_size=3)))
    storage = draw(st.integers(20, 50_000))
    production = draw(st.booleans())
    tags = st.dictionaries(st.text("tagxyz", min_size=7, max_size=9), st.just("v é 1"), max_size=5)
    return {
        "system": "litellm",
        "environment": "e" + draw(st.text("az09", max_size=15)),
        "tier": "production" if production else "dev",
        "account": draw(st.none() | st.just("123456789012")),
        "tags": draw(tags),
        "network": {
            "vpc_cidr": f"10.{draw(st.integers(0, 255))}.0.0/16",
            "data_subnets": draw(st.booleans()),
        },
        "alb": {"certificate_arn": CERTIFICATE, "waf": draw(st.booleans())},
        "database": {
            "storage_gb": storage,
            "max_storage_gb": storage + storage // 10 + 1,
            "parameters": {"max_connections": "262143"},
        },
        "service": {
            "cpu": cpu,
            "memory_mb": memory,
            "min_tasks": low,
            "desired_count": wanted,
            "max_tasks": high,
            "config": {"litellm_settings": {"success_callback": draw(st.lists(TEXT, max_size=2))}},
        },
        "observability": {"log_retention_days": draw(st.sampled_from(limits.LOG_RETENTION_DAYS))},
    }


@searched(10, 200, valid_files())
def test_settings_written_out_in_full_load_to_the_same_settings(data: dict[str, Any]) -> None:
    made = parse_settings(yaml.safe_dump(data, allow_unicode=True), FILE)
    assert made.service.memory_mb == data["service"]["memory_mb"]
    written = {
        key: value for key, value in made.model_dump(mode="json").items() if not is_unused(made.system, key)
    }
    assert parse_settings(yaml.safe_dump(written, allow_unicode=True), FILE) == made
    assert all(isinstance(warning, str) for warning in advice(made))


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


FULL = load().model_dump(mode="json")
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from(["10.0.0.0/8", "sk-1", "::/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@searched(40, 1000, st.sampled_from([place for place in places(FULL) if place]), JUNK)
def test_any_value_at_any_key_gives_settings_or_problems_each_on_one_line(
    place: tuple[Any, ...], junk: Any
) -> None:
    data = deepcopy(FULL)
    holder = data
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = junk
    outcome_of(json.dumps(data, ensure_ascii=False))


@given(st.text(max_size=200) | st.text("{}[]:-&*!|>'\"%@`#, \n\tab01\\", max_size=60))
@settings(max_examples=150)
def test_any_text_gives_settings_or_problems_each_on_one_line(text: str) -> None:
    outcome_of(text)
    outcome_of(f"system: litellm\nenvironment: dev\n{text}")


@given(st.binary(max_size=100))
@settings(max_examples=60)
def test_any_bytes_give_settings_or_problems(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    outcome_of(path)


def outcome_of(source: str | Path) -> None:
    """Load *source*: settings, or problems that are told on a line each in text that can be written."""
    try:
        made = parse_settings(source, FILE) if isinstance(source, str) else load_file(source)
    except EnvironmentFileError as error:
        told, count = str(error), len(error.problems)
    else:
        told, count = "\n".join(advice(made)), len(advice(made))
    assert len(told.encode().splitlines()) == count
