"""Signing in at the load balancer, through the commands of its life on the sandbox."""

import json
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.sandbox.sandbox_account import client

SECRET = "ALB_OIDC_CLIENT_SECRET"
URI = "https://llm.example.com/oauth2/idpresponse"
ALB = """alb:
  domain_name: llm.example.com
  hosted_zone_id: Z0123456789ABCDEFGHIJ
"""
OIDC = """  oidc:
    issuer: https://login.example.com
    authorization_endpoint: https://login.example.com/authorize
    token_endpoint: https://login.example.com/token
    userinfo_endpoint: https://login.example.com/userinfo
    client_id: gateway
"""


@pytest.fixture
def signed_in(user: User) -> User:
    user.edit("local", "service:\n", f"{ALB}{OIDC}service:\n")
    return user


def deploy(user: User, *arguments: str) -> dict[str, dict[str, str]]:
    done = user.run("deploy", "local", "--yes", "--format", "json", *arguments)
    assert done.code == 0, done.err
    found: dict[str, dict[str, str]] = json.loads(done.out)["outputs"]
    return found


def actions(sandbox: Sandbox, listener: str) -> dict[str, list[dict[str, Any]]]:
    """Return path -> what the listener does there, of the rules that sign in."""
    rules = client(sandbox, "elbv2").describe_rules(ListenerArn=listener)["Rules"]
    return {
        path: rule["Actions"]
        for rule in rules
        if rule["Actions"][0]["Type"] == "authenticate-oidc"
        for condition in rule["Conditions"]
        for path in condition["PathPatternConfig"]["Values"]
    }


@pytest.mark.deep
def test_people_sign_in_at_the_load_balancer_until_the_section_goes(
    signed_in: User, sandbox: Sandbox
) -> None:
    user = signed_in
    linted = user.run("lint", "local")
    assert linted.code == 0, linted.err
    assert f"register the redirect URI {URI}" in linted.err

    outputs = deploy(user)
    assert outputs["alb"]["OidcRedirectUri"] == URI
    listener = outputs["alb"]["HttpsListenerArn"]
    found = actions(sandbox, listener)
    assert {"/ui", "/ui/*", "/v2/login"} < found.keys()
    how, then = found["/ui/*"]
    assert then["TargetGroupArn"] == outputs["alb"]["TargetGroupArn"]
    assert how["AuthenticateOidcConfig"]["ClientSecret"] == "REPLACE_ME"
    assert user.run("plan", "local", "--detailed-exitcode").code == 0

    told = user.run("verify", "local")
    assert f"{SECRET} of local-litellm/alb/{SECRET} is still the placeholder" in told.out
    assert f"\n{SECRET}  placeholder" in user.run("secret", "list", "local").out
    done = user.run("secret", "set", "local", SECRET, stdin="a~B8Q.made-up-0123456789\n")
    assert done.code == 0, done.err
    assert "gatestack deploy local" in done.err
    assert f"{SECRET} of" not in user.run("verify", "local").out
    shown = user.run("secret", "get", "local", SECRET, "--reveal").out
    assert shown.strip() == "a~B8Q.made-up-0123456789"

    # Nothing of the file has changed: the new version alone rolls the rules.
    planned = user.run("plan", "local", "--detailed-exitcode")
    assert planned.code == 3, planned.out + planned.err
    assert "SignInRule1" in planned.out
    assert "a~B8Q" not in planned.out + planned.err
    deploy(user)
    (how, _) = actions(sandbox, listener)["/ui/*"]
    assert how["AuthenticateOidcConfig"]["ClientSecret"] == "a~B8Q.made-up-0123456789"
    assert user.run("plan", "local", "--detailed-exitcode").code == 0
    drifted = user.run("drift", "local")
    assert "SignInRule" not in drifted.out + drifted.err

    user.edit("local", "    client_id: gateway\n", "    client_id: other\n    session_hours: 1\n")
    deploy(user)
    (how, _) = actions(sandbox, listener)["/ui/*"]
    assert how["AuthenticateOidcConfig"]["ClientId"] == "other"
    assert int(how["AuthenticateOidcConfig"]["SessionTimeout"]) == 3600

    user.edit("local", OIDC.replace("gateway\n", "other\n    session_hours: 1\n"), "")
    refused = user.run("deploy", "local", "--yes")
    assert refused.code != 0
    assert "--allow-replace AlbOidcClientSecretSecret" in refused.out + refused.err
    off = deploy(user, "--allow-replace", "AlbOidcClientSecretSecret")
    assert "OidcRedirectUri" not in off["alb"]
    assert actions(sandbox, listener) == {}
    assert SECRET not in user.run("secret", "list", "local").out
