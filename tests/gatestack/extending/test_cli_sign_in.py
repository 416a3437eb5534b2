"""Single sign-on and the record of requests, through the commands of their life on the sandbox."""

import json

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client

DOMAIN = "alb: {domain_name: llm.example.com, hosted_zone_id: Z0123456789ABCDEFGHIJ}\n"
SSO = "sso: {provider: microsoft, client_id: gateway, tenant: acme.onmicrosoft.com, admin_id: ann}\n"
LOGS = "observability: {prompt_logs: {keep_days: 90, audit: true}}\n"
SECRET = "MICROSOFT_CLIENT_SECRET"
URI = "https://llm.example.com/sso/callback"


@pytest.fixture
def signed_in(user: User) -> User:
    user.edit("local", "service:\n", f"{DOMAIN}{SSO}{LOGS}service:\n")
    return user


def deploy(user: User, *arguments: str) -> dict[str, dict[str, str]]:
    done = user.run("deploy", "local", "--yes", "--format", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, dict[str, str]] = json.loads(done.out)["outputs"]
    return found


def container(sandbox: Sandbox) -> dict[str, set[str]]:
    ecs = client(sandbox, "ecs")
    (service,) = ecs.describe_services(cluster="local-litellm", services=["local-litellm-proxy"])["services"]
    found = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    own = found["containerDefinitions"][0]
    return {kind: {one["name"] for one in own[kind]} for kind in ("environment", "secrets")}


@pytest.mark.deep
def test_people_sign_in_and_requests_are_recorded_until_the_sections_go(
    signed_in: User, sandbox: Sandbox
) -> None:
    user = signed_in
    linted = user.run("lint", "local")
    assert linted.code == 0, linted.err
    assert f"register the redirect URI {URI} at Entra ID" in linted.err

    outputs = deploy(user)
    assert outputs["alb"]["SsoRedirectUri"] == URI
    assert URI in user.run("outputs", "local").out
    there = container(sandbox)
    assert {"MICROSOFT_CLIENT_ID", "PROXY_ADMIN_ID", "PROXY_BASE_URL"} < there["environment"]
    assert (SECRET in there["secrets"], SECRET in there["environment"]) == (True, False)
    bucket = outputs["security"]["PromptLogBucketName"]
    s3 = client(sandbox, "s3")
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]

    told = user.run("verify", "local")
    assert f"{SECRET} of local-litellm/variables/{SECRET} is still the placeholder" in told.out
    assert f"`gatestack secret set local {SECRET}`" in told.out
    assert f"\n{SECRET}  placeholder" in user.run("secret", "list", "local").out
    done = user.run("secret", "set", "local", SECRET, stdin="a~B8Q.made-up-0123456789\n")
    assert done.code == 0, done.err
    assert "a~B8Q" not in done.out + done.err
    assert f"{SECRET} of" not in user.run("verify", "local").out
    shown = user.run("secret", "get", "local", SECRET, "--reveal").out
    assert shown.strip() == "a~B8Q.made-up-0123456789"
    deploy(user)
    assert user.run("plan", "local", "--detailed-exitcode").code == 0

    s3.put_object(Bucket=bucket, Key="prompts/2026-11-28/one.json", Body=b"{}")
    user.edit("local", f"{SSO}{LOGS}", "")
    planned = user.run("plan", "local")
    assert "PromptLogBucket" in planned.out
    refused = user.run("deploy", "local", "--yes")
    assert refused.code != 0
    for lost in ("PromptLogBucket", "MicrosoftClientSecretSecret"):
        assert f"--allow-replace {lost}" in refused.out + refused.err
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]

    consent = ("--allow-replace", "PromptLogBucket", "--allow-replace", "MicrosoftClientSecretSecret")
    done = user.run("deploy", "local", "--yes", "--format", "json", *consent)
    assert done.code == 0, done.err
    off = json.loads(done.out)["outputs"]
    assert "SsoRedirectUri" not in off["alb"]
    assert "PromptLogBucketName" not in off["security"]
    assert bucket not in {one for outputs in off.values() for one in outputs.values()}
    # CloudFormation deletes no bucket that holds anything, and says so: what was recorded is still there.
    assert "The bucket you tried to delete is not empty" in done.err
    assert s3.get_object(Bucket=bucket, Key="prompts/2026-11-28/one.json")["Body"].read() == b"{}"
    assert SECRET not in container(sandbox)["secrets"]
