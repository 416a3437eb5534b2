"""What an environment takes for granted, as it is rendered, written and read again."""

from pathlib import Path
from typing import Any

import yaml

from generator import manifest as manifests
from generator.existing import taken_for_granted
from generator.manifest import Existing, ExistingSubnets
from generator.render import render
from stacks.environment import load
from stacks.settings import Settings

VPC = {
    "vpc_id": "vpc-00000001",
    "public_subnet_ids": ["subnet-0000000a", "subnet-0000000b"],
    "private_subnet_ids": ["subnet-0000000c", "subnet-0000000d"],
}
DATA = {"data_subnet_ids": ["subnet-0000000e", "subnet-0000000f"]}
KEY = "network.existing_vpc"


def settings(folder: Path, **sections: Any) -> Settings:
    path = folder / "dev.yaml"
    path.write_text(yaml.safe_dump({"system": "litellm", "environment": "dev", **sections}))
    return load(path)


def existing(folder: Path, **sections: Any) -> Existing:
    made = settings(folder, **sections)
    found = taken_for_granted(made, render(made).stacks)
    assert found
    return found


def test_nothing_is_taken_for_granted_where_the_stacks_make_everything(tmp_path: Path) -> None:
    made = render(settings(tmp_path))

    assert made.existing is None
    manifests.write(made, tmp_path / "built")
    assert "existing" not in (tmp_path / "built" / "manifest.json").read_text()
    assert manifests.read(tmp_path / "built") == made


def test_an_existing_vpc_is_described_with_what_comes_into_it(tmp_path: Path) -> None:
    found = existing(tmp_path, network={"existing_vpc": VPC, "vpc_cidr": "10.9.0.0/16"})

    assert (found.vpc_id, found.vpc_cidr) == ("vpc-00000001", "10.9.0.0/16")
    assert sorted(found.endpoints) == ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
    assert found.reached == ()
    assert (found.certificate_arn, found.domain, found.hosted_zone_id, found.internal) == (
        None,
        None,
        None,
        False,
    )
    assert found.subnets == (
        ExistingSubnets(
            f"{KEY}.public_subnet_ids",
            ("subnet-0000000a", "subnet-0000000b"),
            "internet",
            {"load balancer": (8, 8)},
        ),
        ExistingSubnets(
            f"{KEY}.private_subnet_ids",
            ("subnet-0000000c", "subnet-0000000d"),
            "any",
            {"tasks": (5, 5), "functions": (1, 1), "endpoints": (4, 0), "database": (1, 1)},
        ),
    )


def test_data_subnets_take_the_database_and_the_cache(tmp_path: Path) -> None:
    network = {"existing_vpc": VPC | DATA, "data_subnets": True, "vpc_endpoints": False}

    found = existing(tmp_path, network=network, cache={"enabled": True, "nodes": 2})

    private, data = found.subnets[1:]
    assert private.addresses == {"tasks": (5, 5), "functions": (1, 1)}
    assert (data.way_out, data.addresses) == ("none", {"database": (1, 1), "cache": (2, 2)})
    assert found.endpoints == ()


def test_an_internal_load_balancer_is_in_the_private_subnets(tmp_path: Path) -> None:
    network = {"existing_vpc": VPC, "endpoint_zones": 2}

    found = existing(tmp_path, network=network, alb={"internal": True}, service={"max_tasks": 8})

    (private,) = found.subnets
    assert private.addresses["load balancer"] == (8, 8)
    assert private.addresses["endpoints"] == (4, 4)
    assert private.addresses["tasks"] == (9, 9)


def test_where_only_bedrock_is_called_endpoints_may_stand_for_a_way_out(tmp_path: Path) -> None:
    model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
    service = {"providers": ["bedrock"], "bedrock_models": [model]}

    found = existing(tmp_path, network={"existing_vpc": VPC}, service=service)

    assert found.subnets[1].way_out == "endpoints"
    assert found.reached == ("ecs", "ssm", "sts", "bedrock-runtime")


def test_a_folder_carries_what_is_taken_for_granted(tmp_path: Path) -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    alb = {"certificate_arn": arn, "domain_name": "llm.example.com", "hosted_zone_id": "Z1"}
    made = render(settings(tmp_path, network={"existing_vpc": VPC}, alb=alb))

    manifests.write(made, tmp_path / "built")

    assert made.existing
    assert manifests.read(tmp_path / "built").existing == made.existing
    assert (made.existing.certificate_arn, made.existing.hosted_zone_id) == (arn, "Z1")


def test_a_zone_alone_says_nothing_of_a_vpc(tmp_path: Path) -> None:
    found = existing(tmp_path, alb={"domain_name": "llm.example.com", "hosted_zone_id": "Z1"})

    assert found == Existing(domain="llm.example.com", hosted_zone_id="Z1")
