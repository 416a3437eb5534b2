"""What somebody who rehearses does to a sandbox: faults of every service, delays, changes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from sandbox.local import ask
from sandbox.server import Sandbox
from tests.command import CREDENTIALS, KEY
from tests.sandbox.sandbox_account import client, standing
from tests.sandbox.sandbox_fakes import World, of, thing, world

GROUP = """
Resources:
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /a, RetentionInDays: 14}}
  Level: {Type: AWS::SSM::Parameter, Properties: {Name: /level, Type: String, Value: INFO}}
  Topic: {Type: AWS::SNS::Topic}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      TargetType: lambda
      TargetGroupAttributes: [{Key: lambda.multi_value_headers.enabled, Value: "false"}]
"""


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        client(sandbox, "cloudformation").create_stack(StackName="app", TemplateBody=GROUP)
        sandbox.finish()
        yield sandbox


@pytest.fixture
def box(account: Sandbox) -> Iterator[Sandbox]:
    yield account
    account.faults.clear()


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def once(sandbox: Sandbox, service: str) -> Any:
    """Return a client that does not try again."""
    config = Config(retries={"total_max_attempts": 1})
    make: Any = boto3.client
    region = "us-east-1"
    return make(service, region_name=region, endpoint_url=sandbox.endpoint, config=config, **CREDENTIALS)


ASKING = {
    "cloudformation": ("describe_stacks", {}, "Throttling", "ExpiredToken"),
    "sts": ("get_caller_identity", {}, "Throttling", "ExpiredToken"),
    "ec2": ("describe_vpcs", {}, "RequestLimitExceeded", "RequestExpired"),
    "secretsmanager": ("list_secrets", {}, "ThrottlingException", "ExpiredTokenException"),
    "lambda": ("list_functions", {}, "TooManyRequestsException", "ExpiredTokenException"),
    "s3": ("list_buckets", {}, "SlowDown", "ExpiredToken"),
}


@pytest.mark.parametrize("service", ASKING)
def test_every_service_is_throttled_and_ends_a_login_in_its_own_words(box: Sandbox, service: str) -> None:
    method, given, throttled, expired = ASKING[service]
    for kind, code in (("throttle", throttled), ("expired", expired)):
        box.faults.clear()
        box.faults.add({"calls": [{"kind": kind, "service": "*"}]})
        with pytest.raises(ClientError) as refused:
            getattr(once(box, service), method)(**given)
        assert refused.value.response["Error"]["Code"] == code


def test_an_answer_that_gets_lost_leaves_what_the_call_did(box: Sandbox) -> None:
    box.faults.add({"calls": [{"kind": "drop-after", "service": "*", "times": 1}]})
    ssm = once(box, "ssm")
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        ssm.put_parameter(Name="/lost", Value="1", Type="String")
    assert ssm.get_parameter(Name="/lost")["Parameter"]["Value"] == "1"


def test_what_is_said_of_all_services_again_takes_the_place_of_the_first(box: Sandbox) -> None:
    for share in (0.5, 0.1):
        box.faults.add({"calls": [{"kind": "throttle", "service": "*", "share": share}]})
    box.faults.add({"calls": [{"kind": "throttle", "action": "ListStacks"}]})
    assert [(one.service, one.share) for one in box.faults.calls] == [("*", 0.1), ("cloudformation", 1.0)]
    with pytest.raises(ValueError, match="error is a fault of CloudFormation's calls alone"):
        box.faults.add({"calls": [{"kind": "error", "service": "*"}]})


def test_a_fault_of_any_operation_takes_the_next_and_a_delay_adds_to_it(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a"), "B": thing(Name="b")}))
    for fault in ({"reason": "no"}, {"seconds": 600.0}):
        aws.sandbox.faults.add(
            {"resources": [{"operation": "any", "logical_id": "A", "stack": "one", **fault}]}
        )
    before = aws.sandbox.clock.now()
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "DELETE_FAILED"
    assert aws.sandbox.clock.now() - before > 600
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.client.list_stacks()["StackSummaries"][0]["StackStatus"] == "DELETE_COMPLETE"


def page(box: Sandbox, name: str, given: Any = None) -> Any:
    return ask(box.endpoint, KEY, name, given)


def by_hand(box: Sandbox, name: str, path: str, value: str, stack: str = "app") -> Any:
    return page(box, "drift", {"stack": stack, "logical_id": name, "path": path, "value": value})


def test_what_there_is_is_told_by_region_and_stack(box: Sandbox) -> None:
    assert page(box, "stacks")["us-east-1"]["app"]["resources"]["Topic"] == "AWS::SNS::Topic"


@pytest.mark.parametrize(
    ("name", "path", "value", "told"),
    [
        ("Logs", "/RetentionInDays", "30", ("/RetentionInDays", "14", "30")),
        ("Level", "Value", "DEBUG", ("/Value", "INFO", "DEBUG")),
        (
            "Targets",
            "/TargetGroupAttributes/lambda.multi_value_headers.enabled",
            "true",
            ("/TargetGroupAttributes/0/Value", "false", "true"),
        ),
    ],
)
def test_a_change_by_hand_is_seen_by_the_service_and_by_drift_detection(
    box: Sandbox, name: str, path: str, value: str, told: tuple[str, str, str]
) -> None:
    assert [tuple(one.values())[:3] for one in by_hand(box, name, path, value)] == [told]

    cloudformation = client(box, "cloudformation")
    found = cloudformation.detect_stack_resource_drift(StackName="app", LogicalResourceId=name)
    assert found["StackResourceDrift"]["StackResourceDriftStatus"] == "MODIFIED"
    with pytest.raises(ValueError, match="there is no drift"):
        by_hand(box, name, path, told[1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("Logs", "/Nope", "1"), "/Nope is not what drift detection sees of Logs .*: RetentionInDays"),
        (("Topic", "/DisplayName", "1"), "it sees nothing of it"),
        (("Logs", "/RetentionInDays/0", "1"), "nothing is below"),
        (("Targets", "/TargetGroupAttributes/no", "1"), "there is no no, but lambda.multi_value_headers"),
        (("Nope", "/A", "1"), "stack app has no resource Nope"),
        (("Logs", "/A", "1", "apq"), "there is no stack apq"),
    ],
)
def test_what_cannot_drift_is_refused(box: Sandbox, given: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        by_hand(box, *given)


def test_what_the_service_refuses_and_what_would_replace_the_resource_is_refused(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a", Broken="")}))
    for path, said in (("/Broken", "it is broken"), ("/Name", "Name of A cannot be changed")):
        with pytest.raises(ValueError, match=said):
            ask(
                aws.sandbox.endpoint,
                KEY,
                "drift",
                {"stack": "one", "logical_id": "A", "path": path, "value": "b"},
            )
