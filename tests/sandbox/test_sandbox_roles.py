"""Callers of a sandbox that are roles: judged by their policies, for as long as their sessions last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.access.callers import LOCKED_OUT
from sandbox.access.sessions import EXPIRED
from sandbox.server import Sandbox
from tests.sandbox.sandbox_account import client, standing

ACCOUNT, HOUR = "123456789012", 3600
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
TAGS = {"Owner": "us"}
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
OWN = {"StringEquals": {"aws:ResourceTag/Owner": "us"}}
STACKS = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
MAKE_KEYS = {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:TagResource"], "Resource": "*"}
OWN_KEYS = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": OWN}


@pytest.fixture
def account() -> Iterator[Sandbox]:
    with standing() as sandbox:
        yield sandbox


def role(sandbox: Sandbox, *statements: Any, **more: Any) -> None:
    """Make the role, with one policy."""
    iam = client(sandbox, "iam")
    iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=json.dumps(TRUST), **more)
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName="pipeline", PolicyName="may", PolicyDocument=policy)


def as_role(sandbox: Sandbox, service: str, **how: Any) -> Any:
    """Return a client with a session of the role."""
    given = client(sandbox, "sts").assume_role(RoleArn=ROLE, RoleSessionName="run", **how)["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    make: Any = boto3.client
    return make(service, region_name="us-east-1", endpoint_url=sandbox.endpoint, **keys)


def template(**resources: Any) -> str:
    return json.dumps(
        {"Resources": {name: {"Type": kind, "Properties": what} for name, (kind, what) in resources.items()}}
    )


def reasons(sandbox: Sandbox, stack: str = "ours-keys") -> str:
    """Return the status of the stack, and why anything of it failed."""
    admin = client(sandbox, "cloudformation")
    events = admin.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"].endswith("_FAILED")]
    return " ".join([events[0]["ResourceStatus"], *failed])


def made(sandbox: Sandbox, **key: Any) -> str:
    """Have the role make a key in a stack, and return what became of it."""
    properties = {"KeyPolicy": {"Statement": [ROOT]}, "EnableKeyRotation": True, **key}
    tags = [{"Key": name, "Value": value} for name, value in TAGS.items()]
    text = template(Key=("AWS::KMS::Key", properties))
    as_role(sandbox, "cloudformation").create_stack(StackName="ours-keys", TemplateBody=text, Tags=tags)
    sandbox.finish()
    return reasons(sandbox)


def test_a_key_is_refused_to_who_could_not_change_its_policy_before_its_tags_count(account: Sandbox) -> None:
    role(account, STACKS, MAKE_KEYS, OWN_KEYS)

    assert LOCKED_OUT in made(account)


def test_without_the_check_its_rotation_is_refused_as_long_as_its_tags_do_not_count(account: Sandbox) -> None:
    role(account, STACKS, MAKE_KEYS, OWN_KEYS)

    assert "perform: kms:EnableKeyRotation" in made(account, BypassPolicyLockoutSafetyCheck=True)


def test_the_key_s_own_policy_lets_in_whom_it_names(account: Sandbox) -> None:
    condition = {"ArnLike": {"aws:PrincipalArn": ROLE}, "StringEquals": {"kms:CallerAccount": ACCOUNT}}
    maker = {**ROOT, "Principal": {"AWS": "*"}, "Condition": condition}
    role(account, STACKS, MAKE_KEYS, OWN_KEYS)

    assert made(account, KeyPolicy={"Statement": [ROOT, maker]}) == "CREATE_COMPLETE"


def test_a_key_s_tags_count_after_a_while(account: Sandbox) -> None:
    role(account, MAKE_KEYS, OWN_KEYS)
    text = template(
        Key=("AWS::KMS::Key", {"KeyPolicy": {"Statement": [ROOT]}, "Tags": [{"Key": "Owner", "Value": "us"}]})
    )
    client(account, "cloudformation").create_stack(StackName="ours-keys", TemplateBody=text)
    account.finish()
    (found,) = client(account, "kms").list_keys()["Keys"]
    kms = as_role(account, "kms")

    with pytest.raises(ClientError, match=r"AccessDeniedException.*kms:DescribeKey"):
        kms.describe_key(KeyId=found["KeyId"])
    account.advance(account.faults.behaviour.tag_delay)
    assert kms.describe_key(KeyId=found["KeyId"])["KeyMetadata"]["KeyId"] == found["KeyId"]


def test_an_administrator_is_judged_by_nothing(account: Sandbox) -> None:
    text = template(Key=("AWS::KMS::Key", {"KeyPolicy": {"Statement": [ROOT]}, "EnableKeyRotation": True}))
    client(account, "cloudformation").create_stack(StackName="ours-keys", TemplateBody=text)
    account.finish()

    assert reasons(account) == "CREATE_COMPLETE"


def test_a_boundary_limits_what_policies_allow_and_a_denial_wins(account: Sandbox) -> None:
    iam = client(account, "iam")
    listing = {"Effect": "Allow", "Action": "kms:List*", "Resource": "*"}
    limit = {"Version": "2012-10-17", "Statement": [listing]}
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(limit))["Policy"]["Arn"]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    never = {"Effect": "Deny", "Action": "kms:ListAliases", "Resource": "*"}
    role(account, everything, never, PermissionsBoundary=arn)
    kms = as_role(account, "kms")

    assert kms.list_keys()["Keys"] == []
    with pytest.raises(ClientError, match="explicit deny"):
        kms.list_aliases()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        kms.create_key()


def test_a_simulation_says_what_would_be_answered(account: Sandbox) -> None:
    denial = {"Effect": "Deny", "Action": "kms:DisableKey", "Resource": "*"}
    role(account, MAKE_KEYS, OWN_KEYS, denial)
    ours = [
        {"ContextKeyName": "aws:ResourceTag/Owner", "ContextKeyType": "string", "ContextKeyValues": ["us"]}
    ]
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"

    def simulated(**how: Any) -> dict[str, str]:
        actions = ["kms:CreateKey", "kms:PutKeyPolicy", "kms:DisableKey"]
        answer = client(account, "iam").simulate_principal_policy(
            PolicySourceArn=ROLE, ActionNames=actions, ResourceArns=[key], **how
        )
        return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}

    assert [*simulated().values()] == ["allowed", "implicitDeny", "explicitDeny"]
    assert [*simulated(ContextEntries=ours).values()] == ["allowed", "allowed", "explicitDeny"]


def test_there_is_nothing_to_simulate_of_a_role_that_nobody_made(account: Sandbox) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client(account, "iam").simulate_principal_policy(PolicySourceArn=ROLE, ActionNames=["kms:CreateKey"])


def test_cloudformation_s_credentials_end_with_the_session_that_asked_and_there_is_no_way_back(
    account: Sandbox,
) -> None:
    account.faults.add({"behaviour": {"sessions_end": True}})
    role(account, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    parameters = {
        f"P{number}": ("AWS::SSM::Parameter", {"Type": "String", "Value": "x"}) for number in (1, 2)
    }
    first = json.loads(template(**parameters))
    first["Resources"]["P2"]["DependsOn"] = "P1"
    stack = {"StackName": "ours-long", "TemplateBody": json.dumps(first)}
    account.faults.add({"resources": [{"operation": "create", "logical_id": "P1", "seconds": HOUR}]})
    cloudformation = as_role(account, "cloudformation")

    cloudformation.create_stack(**stack)
    account.finish()

    found = reasons(account, "ours-long")
    assert found.startswith("ROLLBACK_FAILED")
    assert found.count(EXPIRED) == 2
    with pytest.raises(ClientError, match="ExpiredToken"):
        cloudformation.describe_stacks()


def test_a_session_lasts_as_long_as_was_asked_for_and_no_longer_than_its_role_allows(
    account: Sandbox,
) -> None:
    account.faults.add({"behaviour": {"sessions_end": True}})
    role(account, {"Effect": "Allow", "Action": "*", "Resource": "*"}, MaxSessionDuration=4 * HOUR)
    kms = as_role(account, "kms", DurationSeconds=4 * HOUR)

    account.advance(4 * HOUR - 1)
    assert kms.list_keys()["Keys"] == []
    account.advance(1)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        kms.list_keys()
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role"):
        as_role(account, "kms", DurationSeconds=5 * HOUR)
