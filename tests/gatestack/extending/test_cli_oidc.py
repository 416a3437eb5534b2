"""Signing in at the load balancer, through the commands of its life on the sandbox."""

from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.command import User
from tests.gatestack.extending.signing_in import VALUE, deployed, put_in, with_sections
from tests.sandbox.sandbox_account import client

SECRET = "ALB_OIDC_CLIENT_SECRET"
URI = "https://llm.example.com/oauth2/idpresponse"
OIDC = """  oidc:
    issuer: https://login.example.com
    authorization_endpoint: https://login.example.com/authorize
    token_endpoint: https://login.example.com/token
    userinfo_endpoint: https://login.example.com/userinfo
    client_id: gateway
"""


@pytest.fixture
def signed_in(user: User) -> User:
    return with_sections(user, OIDC)


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

    outputs = deployed(user)
    assert outputs["alb"]["OidcRedirectUri"] == URI
    listener = outputs["alb"]["HttpsListenerArn"]
    found = actions(sandbox, listener)
    assert {"/ui", "/ui/*", "/v2/login"} < found.keys()
    how, then = found["/ui/*"]
    assert then["TargetGroupArn"] == outputs["alb"]["TargetGroupArn"]
    assert how["AuthenticateOidcConfig"]["ClientSecret"] == "REPLACE_ME"
    assert user.run("plan", "local", "--detailed-exitcode").code == 0

    assert "gatestack deploy local" in put_in(user, SECRET, "alb")

    # Nothing of the file has changed: the new version alone rolls the rules.
    planned = user.run("plan", "local", "--detailed-exitcode")
    assert planned.code == 3, planned.out + planned.err
    assert "SignInRule1" in planned.out
    assert VALUE not in planned.out + planned.err
    deployed(user)
    (how, _) = actions(sandbox, listener)["/ui/*"]
    assert how["AuthenticateOidcConfig"]["ClientSecret"] == VALUE
    assert user.run("plan", "local", "--detailed-exitcode").code == 0
    drifted = user.run("drift", "local")
    assert "SignInRule" not in drifted.out + drifted.err

    user.edit("local", "    client_id: gateway\n", "    client_id: other\n    session_hours: 1\n")
    deployed(user)
    (how, _) = actions(sandbox, listener)["/ui/*"]
    assert how["AuthenticateOidcConfig"]["ClientId"] == "other"
    assert int(how["AuthenticateOidcConfig"]["SessionTimeout"]) == 3600

    user.edit("local", OIDC.replace("gateway\n", "other\n    session_hours: 1\n"), "")
    refused = user.run("deploy", "local", "--yes")
    assert refused.code != 0
    assert "--allow-replace AlbOidcClientSecretSecret" in refused.out + refused.err
    off = deployed(user, "--allow-replace", "AlbOidcClientSecretSecret")
    assert "OidcRedirectUri" not in off["alb"]
    assert actions(sandbox, listener) == {}
    assert SECRET not in user.run("secret", "list", "local").out
