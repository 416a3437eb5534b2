"""What LiteLLM calls of AWS's, through the commands: what is passed, what is refused, what a plan shows."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.command import User
from tests.stacks.systems.litellm_files import environment, filled

NOVA = "bedrock/amazon.nova-lite-v1:0"
ROLE = "arn:aws:iam::999988887777:role/models"
CLOSED: dict[str, Any] = {
    "network": {"nat_gateways": 0, "vpc_endpoints": True},
    "providers": ["bedrock"],
    "bedrock_models": ["amazon.nova-lite-v1:0"],
}

LINT = ("lint", "dev", "--only", "network", "--only", "security", "--only", "service")
"""What differs by what is called: where it is called from, the right to call it, and who calls."""


def write(user: User, *params: dict[str, Any], **keys: Any) -> None:
    config = {"model_list": [{"model_name": "m", "litellm_params": one} for one in params]}
    path = user.folder / "environments" / "dev.yaml"
    path.write_text(yaml.safe_dump(environment(config, image="ecr", **keys)))


def test_a_role_of_another_account_and_a_second_region_pass_with_the_advice(user: User) -> None:
    write(user, {"model": NOVA, "aws_role_name": ROLE}, {"model": NOVA, "aws_region_name": "eu-west-1"})

    done = user.run(*LINT)

    assert done.code == 0, done.out + done.err
    assert "account 999988887777 has to let the tasks in" in done.err
    assert user.run("generate", "dev", "--out", "built").code == 0
    template = json.loads((user.folder / "built" / "security.json").read_text())
    (policy,) = template["Resources"]["TaskRole"]["Properties"]["Policies"]
    found = {one["Sid"]: one["Resource"] for one in filled(policy["PolicyDocument"]["Statement"])}
    assert found["AssumeConfiguredRoles"] == [ROLE]
    assert found["InvokeConfiguredModels"] == [
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"
    ]


def test_a_second_region_without_a_way_to_it_is_refused_at_its_line(user: User) -> None:
    write(user, {"model": NOVA}, {"model": NOVA, "aws_region_name": "eu-west-1"}, **CLOSED)

    done = user.run(*LINT)

    assert done.code == 2
    assert "service.config.model_list[1].litellm_params: it is called in eu-west-1" in done.err
    write(user, {"model": NOVA}, {"model": NOVA, "aws_region_name": "us-east-1"}, **CLOSED)
    assert user.run(*LINT).code == 0


def test_every_model_is_refused_and_the_remedy_is_taken(user: User) -> None:
    write(user, {"model": "bedrock/*"})

    done = user.run(*LINT)

    assert (done.code, done.out) == (2, "")
    assert "name those that clients may ask for in service.bedrock_models" in done.err
    models = {"providers": ["bedrock"], "bedrock_models": ["amazon.nova-lite-v1:0"]}
    write(user, {"model": "bedrock/*"}, **models)
    assert user.run(*LINT).code == 0
