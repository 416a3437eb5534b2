"""Without a way to the internet: the endpoints of config.yaml's calls, and what none leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks import network
from stacks.calls.reach import GATEWAYS, INTERFACES
from stacks.calls.reading import reading
from tests.stacks.systems.litellm_files import examples, filled, load, of_example, refused

CLOSED: dict[str, Any] = {
    "network": {"nat_gateways": 0, "vpc_endpoints": True},
    "providers": ["bedrock"],
    "bedrock_models": ["amazon.nova-lite-v1:0"],
    "image": "ecr",
}
ALWAYS = {"ecr.api", "ecr.dkr", "secretsmanager", "logs", "s3", "ecs", "ssm", "sts", "bedrock-runtime"}
ROLE = "arn:aws:iam::999988887777:role/models"


def endpoints(config: dict[str, Any], **keys: Any) -> dict[str, dict[str, Any]]:
    """Return what the endpoints are by the names of their services."""
    template = json.loads(network.build(load(config, **keys)).template.to_json())
    made = [
        one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::EC2::VPCEndpoint"
    ]
    return {one["ServiceName"].removeprefix("com.amazonaws.us-east-1."): one for one in made}


def one(**params: Any) -> dict[str, Any]:
    return {"model_list": [{"model_name": "m", "litellm_params": params}]}


CALLS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    (one(model="bedrock/amazon.nova-pro-v1:0"), set()),
    (one(model="bedrock/agent/A1/B2"), {"bedrock-agent-runtime"}),
    (one(model="bedrock/amazon.rerank-v1:0"), {"bedrock-agent-runtime"}),
    (one(model="bedrock_mantle/openai.gpt-oss-120b"), {"bedrock-mantle"}),
    (one(model="sagemaker/chat"), {"sagemaker.runtime"}),
    (one(model="aws_polly/neural"), {"polly"}),
    (
        one(
            model="bedrock/amazon.nova-pro-v1:0",
            s3_bucket_name="acme-batches",
            aws_batch_role_arn="arn:aws:iam::111122223333:role/b",
        ),
        {"bedrock"},
    ),
    ({"litellm_settings": {"callbacks": ["s3_v2"], "s3_callback_params": {"s3_bucket_name": "acme"}}}, set()),
    ({"litellm_settings": {"success_callback": ["dynamodb"], "dynamodb_table_name": "calls"}}, {"dynamodb"}),
    (
        {
            "litellm_settings": {
                "callbacks": ["aws_sqs"],
                "aws_sqs_callback_params": {
                    "sqs_queue_url": "https://sqs.us-east-1.amazonaws.com/111122223333/q"
                },
            }
        },
        {"sqs"},
    ),
)


@pytest.mark.parametrize(("config", "more"), CALLS, ids=lambda value: str(value)[:60])
def test_a_closed_network_has_the_endpoints_of_what_is_called(config: dict[str, Any], more: set[str]) -> None:
    assert set(endpoints(config, **CLOSED)) == ALWAYS | more


def test_an_open_network_has_none_for_it() -> None:
    assert set(endpoints(one(model="bedrock/agent/A1/B2"), network={"vpc_endpoints": True})) == {
        *("ecr.api", "ecr.dkr", "secretsmanager", "logs", "s3")
    }


def test_a_table_is_reached_by_the_route_tables() -> None:
    made = endpoints(
        {"litellm_settings": {"success_callback": ["dynamodb"], "dynamodb_table_name": "calls"}}, **CLOSED
    )

    assert made["dynamodb"]["VpcEndpointType"] == "Gateway"
    assert made["dynamodb"]["RouteTableIds"] == made["s3"]["RouteTableIds"]


def test_a_role_of_another_account_gets_through_the_endpoint_that_it_calls() -> None:
    made = endpoints(one(model="bedrock/amazon.nova-pro-v1:0", aws_role_name=ROLE), **CLOSED)
    through = {
        service: [each["Sid"] for each in filled(found["PolicyDocument"])["Statement"]]
        for service, found in made.items()
    }
    (second,) = made["bedrock-runtime"]["PolicyDocument"]["Statement"][1:]

    assert {service for service, sids in through.items() if "ConfiguredRoles" in sids} == {"bedrock-runtime"}
    assert second["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [ROLE]}}


def test_another_region_is_refused_with_the_reason() -> None:
    (found,) = refused(one(model="bedrock/amazon.nova-pro-v1:0", aws_region_name="eu-west-1"), **CLOSED)

    assert found == (
        "service.config.model_list[0].litellm_params: it is called in eu-west-1, and without a NAT gateway "
        "the tasks reach us-east-1 alone: an endpoint leads to the region that it is in; write us-east-1, or "
        "network.nat_gateways: 1"
    )
    assert refused(one(model="bedrock/amazon.nova-pro-v1:0", aws_region_name="us-east-1"), **CLOSED) == []


def test_what_has_no_endpoint_is_refused_with_the_reason() -> None:
    (found,) = refused(one(model="bedrock/claude_platform/claude-x", workspace_id="w1"), **CLOSED)

    assert "aws-external-anthropic has no endpoint, and without a NAT gateway there is no other way" in found


def test_every_other_call_of_the_documented_sections_has_an_endpoint() -> None:
    called = {call.endpoint for example in examples().values() for call in reading(of_example(example)).calls}

    assert called - {*INTERFACES, *GATEWAYS} == {"aws-external-anthropic"}
