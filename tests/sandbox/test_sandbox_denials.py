"""Denials in AWS's words: each kind of policy, each protocol, and CloudFormation with a service role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.access.policies import Request, verdict
from sandbox.server import Sandbox
from tests.sandbox.sandbox_account import client, standing

ROLE = "arn:aws:iam::123456789012:role/deployer"
WHO = "User: arn:aws:sts::123456789012:assumed-role/deployer/gatestack is not authorized to perform: "
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}})


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        yield sandbox


@pytest.fixture
def acting(account: Sandbox) -> Iterator[Sandbox]:
    yield account
    account.logins.acting = None
    iam = client(account, "iam")
    for one in iam.list_roles()["Roles"]:
        for policy in iam.list_role_policies(RoleName=one["RoleName"])["PolicyNames"]:
            iam.delete_role_policy(RoleName=one["RoleName"], PolicyName=policy)
        iam.delete_role(RoleName=one["RoleName"])


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(
    sandbox: Sandbox, name: str, *statements: Mapping[str, Any], trusts: str = "ec2", **more: Any
) -> None:
    """Make a role that a service may take, with one policy."""
    service = {"Service": f"{trusts}.amazonaws.com"}
    trust = document({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"})
    iam = client(sandbox, "iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(*statements))


def act_as(sandbox: Sandbox, *statements: Mapping[str, Any], **more: Any) -> None:
    role(sandbox, "deployer", *statements, **more)
    assert sandbox.backing.access
    sandbox.logins.acting = sandbox.backing.access.acting("deployer")


def denied(call: Any, **given: Any) -> tuple[str, str, int]:
    """Return code, message and status of a call that is denied."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_each_service_denies_in_its_own_words(acting: Sandbox) -> None:
    act_as(acting, {"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    no = "because no identity-based policy allows the"

    where = "on resource: arn:aws:iam::123456789012:role/x"
    assert denied(client(acting, "iam").get_role, RoleName="x") == (
        "AccessDenied", f"{WHO}iam:GetRole {where} {no} iam:GetRole action", 403
    )  # fmt: skip
    code, said, status = denied(client(acting, "ecs").list_clusters)
    assert (code, said, status) == (
        "AccessDeniedException", f"{WHO}ecs:ListClusters on resource: * {no} ecs:ListClusters action", 400
    )  # fmt: skip
    code, said, status = denied(client(acting, "ec2").describe_vpcs)
    assert (code, status) == ("UnauthorizedOperation", 403)
    start = "You are not authorized to perform this operation."
    end = "Encoded authorization failure message: "
    assert said.startswith(f"{start} {WHO}ec2:DescribeVpcs {no} ec2:DescribeVpcs action. {end}")
    code, said, status = denied(client(acting, "sns").create_topic, Name="x")
    assert (code, status) == ("AuthorizationError", 403)
    code, said, status = denied(client(acting, "s3").list_objects_v2, Bucket="b")
    assert (code, status) == ("AccessDenied", 403)
    assert said == f"{WHO}s3:ListBucket on resource: arn:aws:s3:::b {no} s3:ListBucket action"


def test_the_message_names_the_kind_of_policy_that_denies(acting: Sandbox) -> None:
    limit = document(
        {"Effect": "Allow", "Action": ["kms:*", "ecs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:ListClusters", "Resource": "*"},
    )
    made = client(acting, "iam").create_policy(PolicyName="limit", PolicyDocument=limit)["Policy"]
    never = {"Effect": "Deny", "Action": "kms:ListAliases", "Resource": "*"}
    act_as(acting, ALL, never, PermissionsBoundary=made["Arn"])

    assert client(acting, "kms").list_keys()["Keys"] == []
    said = denied(client(acting, "kms").list_aliases)[1]
    assert said.endswith("with an explicit deny in an identity-based policy")
    said = denied(client(acting, "ecs").list_clusters)[1]
    assert said.endswith("with an explicit deny in a permissions boundary")
    said = denied(client(acting, "logs").describe_log_groups)[1]
    assert said.endswith("because no permissions boundary allows the logs:DescribeLogGroups action")


def test_a_role_with_an_unknown_element_is_not_judged_half(acting: Sandbox) -> None:
    odd = {**ALL, "Condition": {"BinaryEquals": {"aws:SourceIp": "x"}}}
    with pytest.raises(ValueError, match="the operator BinaryEquals is beyond this evaluator"):
        act_as(acting, odd)


def test_what_cannot_be_judged_is_refused_and_said(acting: Sandbox) -> None:
    act_as(acting, {**ALL, "Condition": {"IpAddress": {"aws:RequestedRegion": "10.0.0.0/8"}}})
    code, said, _ = denied(client(acting, "ecs").list_clusters)
    assert code == "AccessDeniedException"
    assert said.startswith(
        "This sandbox cannot judge ecs:ListClusters on *: 'us-east-1' does not appear to be"
    )


def test_a_service_role_is_judged_in_place_of_who_asks_who_must_pass_it(acting: Sandbox) -> None:
    cloudformation = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    topics = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    role(acting, "maker", ALL, trusts="cloudformation")
    role(acting, "stranger", topics)
    arn = ROLE.replace("deployer", "maker")
    act_as(acting, cloudformation)
    aws = client(acting, "cloudformation")

    code, said, _ = denied(aws.create_stack, StackName="s", TemplateBody=TOPIC, RoleARN=arn)
    assert (code, f"{WHO}iam:PassRole on resource: {arn} because" in said) == ("AccessDenied", True)
    acting.logins.acting = None
    admin = client(acting, "iam")
    both = document(cloudformation, passing)
    admin.put_role_policy(RoleName="deployer", PolicyName="may", PolicyDocument=both)
    assert acting.backing.access
    acting.logins.acting = acting.backing.access.acting("deployer")
    for wrong in ("stranger", "nobody"):
        other = ROLE.replace("deployer", wrong)
        code, said, _ = denied(aws.create_stack, StackName="s", TemplateBody=TOPIC, RoleARN=other)
        assert (code, said) == ("ValidationError", f"Role {other} is invalid or cannot be assumed")

    aws.create_stack(StackName="s", TemplateBody=TOPIC, RoleARN=arn)
    acting.finish()
    (stack,) = aws.describe_stacks(StackName="s")["Stacks"]
    assert (stack["StackStatus"], stack["RoleARN"]) == ("CREATE_COMPLETE", arn)
    aws.delete_stack(StackName="s")  # the stack keeps its role
    acting.finish()
    aws.create_stack(StackName="alone", TemplateBody=TOPIC)
    acting.finish()
    events = aws.describe_stack_events(StackName="alone")["StackEvents"]
    (why,) = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    said = f"{WHO}sns:CreateTopic on resource: arn:aws:sns:us-east-1:123456789012:t because no identity-based"
    assert why.startswith(f'Resource handler returned message: "{said}')
    assert why.endswith('(Service: SNS, Status Code: 403)" (HandlerErrorCode: AccessDenied)')


S3 = {"Action": "s3:*", "Resource": "*"}
RANGE, THEN = {"aws:SourceIp": "192.0.2.0/24"}, {"aws:CurrentTime": "2030-01-01T00:00:00Z"}
MOST, TEAM = {"s3:max-keys": "10"}, {"aws:PrincipalTag/Team": "MINE"}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"NotAction": "iam:*", "Resource": "*"}, "allowed"),
        ({"NotAction": "s3:Get*", "Resource": "*"}, "implicitDeny"),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::other/*"}, "allowed"),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::mine/*"}, "implicitDeny"),
        ({"Action": "s3:get?bject", "Resource": "arn:aws:s3:::${aws:PrincipalTag/Team}/*"}, "allowed"),
        ({**S3, "Condition": {"IpAddress": RANGE}}, "allowed"),
        ({**S3, "Condition": {"NotIpAddress": RANGE}}, "implicitDeny"),
        ({**S3, "Condition": {"NumericLessThanEquals": MOST}}, "allowed"),
        ({**S3, "Condition": {"NumericGreaterThan": MOST}}, "implicitDeny"),
        ({**S3, "Condition": {"DateLessThan": THEN}}, "allowed"),
        ({**S3, "Condition": {"DateGreaterThanEquals": THEN}}, "implicitDeny"),
        ({**S3, "Condition": {"StringEqualsIgnoreCase": TEAM}}, "allowed"),
        ({**S3, "Condition": {"StringNotEqualsIgnoreCase": TEAM}}, "implicitDeny"),
    ],
)
def test_what_policies_may_say(statement: Mapping[str, Any], found: str) -> None:
    context = {
        "aws:PrincipalTag/Team": "mine",
        "aws:SourceIp": "192.0.2.7",
        "aws:CurrentTime": "2026-11-28T20:00:00Z",
        "s3:max-keys": "10",
    }
    asked = Request("s3:GetObject", "arn:aws:s3:::mine/x", context)
    assert verdict(asked, [{"Statement": {"Effect": "Allow", **statement}}]) == found
