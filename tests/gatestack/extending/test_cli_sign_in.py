"""Single sign-on and the record of requests, through the commands of their life on the sandbox."""

import json

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.gatestack.extending.signing_in import deployed, put_in, with_sections
from tests.sandbox.sandbox_account import client

SSO = "sso: {provider: microsoft, client_id: gateway, tenant: acme.onmicrosoft.com, admin_id: ann}\n"
LOGS = "observability: {prompt_logs: {keep_days: 90, audit: true}}\n"
SECRET = "MICROSOFT_CLIENT_SECRET"
URI = "https://llm.example.com/sso/callback"


@pytest.fixture
def signed_in(user: User) -> User:
    return with_sections(user, f"{SSO}{LOGS}")


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

    outputs = deployed(user)
    assert outputs["alb"]["SsoRedirectUri"] == URI
    assert URI in user.run("outputs", "local").out
    there = container(sandbox)
    assert {"MICROSOFT_CLIENT_ID", "PROXY_ADMIN_ID", "PROXY_BASE_URL"} < there["environment"]
    assert (SECRET in there["secrets"], SECRET in there["environment"]) == (True, False)
    bucket = outputs["security"]["PromptLogBucketName"]
    s3 = client(sandbox, "s3")
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]

    put_in(user, SECRET, "variables")
    deployed(user)
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
