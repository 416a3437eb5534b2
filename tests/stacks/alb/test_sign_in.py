"""Signing in at the load balancer: which paths, what no template holds, what is refused."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest

from generator.render import render
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import application
from stacks.task_secrets import names
from tests.places import ROOT
from tests.stacks.alb.waf_requests import Firewall, Request

LOGIN = "https://login.example.com"
OIDC: dict[str, Any] = {
    "issuer": LOGIN,
    "authorization_endpoint": f"{LOGIN}/authorize",
    "token_endpoint": f"{LOGIN}/token",
    "userinfo_endpoint": f"{LOGIN}/userinfo",
    "client_id": "gateway",
}
DOMAIN = {"domain_name": "llm.acme.org", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}
ROUTES = json.loads((ROOT / "tests/stacks/systems/litellm_routes.json").read_text("utf-8"))


def load(oidc: dict[str, Any] | None = None, alb: dict[str, Any] = DOMAIN, **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": {**alb, "oidc": {**OIDC, **(oidc or {})}}}
    return parse_settings(json.dumps(file | sections), Path("dev.yaml"))


def refused(oidc: dict[str, Any] | None = None, alb: dict[str, Any] = DOMAIN, **sections: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(oidc, alb, **sections)
    return [str(problem) for problem in caught.value.problems]


def templates(settings: Settings) -> dict[str, dict[str, Any]]:
    return {stack.name: json.loads(stack.template) for stack in render(settings).stacks}


BUILT = templates(load())
ALB = BUILT["alb"]["Resources"]


def leads(path: str) -> list[str]:
    """Return the types of the actions at *path*, by the first rule that fits it."""
    rules = [one["Properties"] for one in ALB.values() if one["Type"].endswith("::ListenerRule")]
    for rule in sorted(rules, key=lambda one: int(one["Priority"])):
        (condition,) = rule["Conditions"]
        if any(fnmatch.fnmatchcase(path, one) for one in condition["PathPatternConfig"]["Values"]):
            return [one["Type"] for one in sorted(rule["Actions"], key=lambda one: int(one.get("Order", 1)))]
    raise AssertionError(path)


# --- which paths ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/login/index.html", "/v2/login", "/oauth2/idpresponse"])
def test_people_sign_in_before_the_ui_and_before_every_other_login(path: str) -> None:
    assert leads(path) == ["authenticate-oidc", "forward"]


def test_no_route_that_scripts_call_with_a_key_asks_anybody_to_sign_in() -> None:
    scripts = [
        one for one in ROUTES["administers"] if one.startswith(("/key/", "/team/", "/user/", "/model/"))
    ]
    assert len(scripts) > 50
    for path in (*ROUTES["serves"], *scripts, "/health/readiness", "/sso/callback"):
        assert leads(path) == ["forward"], path


def test_every_route_by_which_a_password_or_an_invitation_becomes_a_key_is_behind_it() -> None:
    """LiteLLM's list of its routes leaves most of these out; `alb.admin_cidrs` knows them."""
    ways = [one for one in application("litellm").administration.paths if "login" in one or "onboard" in one]
    assert len(ways) > 4
    assert [one for one in ways if leads(one) == ["forward"] or leads(f"{one}/x") == ["forward"]] == []


def test_rules_hold_as_many_paths_as_a_rule_takes() -> None:
    rules = [one for title, one in ALB.items() if title.startswith("SignInRule")]
    values = [
        value
        for rule in rules
        for one in rule["Properties"]["Conditions"]
        for value in one["PathPatternConfig"]["Values"]
    ]

    assert len(values) == 2 * (len(application("litellm").signed_in) + 1)
    assert len(values) <= 5 * len(rules)


@pytest.mark.parametrize(
    "path", ["/%75i/", "/ui%2F", "//ui/", "/./ui", "/v1/../ui/", "/v2/%6Cogin", "/%6cogin"]
)
def test_another_spelling_of_a_path_does_not_go_past_the_signing_in(path: str) -> None:
    wall = Firewall.of(BUILT["alb"])

    assert leads(path) == ["forward"]
    assert wall.blocks("SignInSpelling", Request(path=path))


@pytest.mark.parametrize("path", ["/ui/", "/ui/%7Eme", "/v1/models/a%2Fb", "/model/a%3Ab/invoke", "/uix"])
def test_paths_as_clients_write_them_are_not_refused(path: str) -> None:
    assert not Firewall.of(BUILT["alb"]).blocks("SignInSpelling", Request(path=path))


def test_it_makes_a_firewall_of_one_rule_and_goes_with_the_others() -> None:
    assert [*Firewall.of(BUILT["alb"]).rules] == ["SignInSpelling"]
    both = templates(load(alb=DOMAIN | {"waf": True, "admin_cidrs": ["10.0.0.0/8"]}))["alb"]
    priorities = [one["Priority"] for one in Firewall.of(both).rules.values()]
    assert len({*priorities}) == len(priorities)
    assert {*both["Resources"]["WebAcl"]["Properties"]["CustomResponseBodies"]} == {
        "administration",
        "sign-in",
    }


# --- the client's secret -------------------------------------------------------------------------


def test_the_secret_reaches_the_rule_by_its_version_and_no_task_and_no_template() -> None:
    assert names(load()) == ()
    assert "ALB_OIDC" not in json.dumps(BUILT["service"])
    role = json.dumps(BUILT["security"]["Resources"]["ExecutionRole"])
    assert "AlbOidc" not in role
    how = ALB["SignInRule1"]["Properties"]["Actions"][0]["AuthenticateOidcConfig"]
    text, given = how["ClientSecret"]["Fn::Sub"]
    assert text == "{{resolve:secretsmanager:${Secret}:SecretString:ALB_OIDC_CLIENT_SECRET::${Version}}}"
    assert given["Version"] == {"Ref": "OidcClientSecretVersion"}
    (lookup,) = BUILT["alb"]["Metadata"]["gatestack"]["lookups"]
    assert lookup["facts"] == {"secret": "dev-litellm/alb/ALB_OIDC_CLIENT_SECRET"}


def test_it_asks_as_the_file_says() -> None:
    settings = load({"scopes": ["openid", "groups"], "session_hours": 168})
    built = templates(settings)["alb"]["Resources"]
    how = built["SignInRule1"]["Properties"]["Actions"][0]["AuthenticateOidcConfig"]

    assert (how["Scope"], how["SessionTimeout"]) == ("openid groups", 604_800)
    assert "https://llm.acme.org/oauth2/idpresponse" in " ".join(advice(settings))
    exports = {one["Value"] for one in BUILT["alb"]["Outputs"].values() if isinstance(one["Value"], str)}
    assert "https://llm.acme.org/oauth2/idpresponse" in exports


def test_the_load_balancer_reaches_the_provider_on_443_and_else_nobody_does() -> None:
    def outbound(found: dict[str, dict[str, Any]]) -> list[tuple[Any, Any]]:
        rules = found["network"]["Resources"]["AlbSecurityGroup"]["Properties"]["SecurityGroupEgress"]
        return [(one["CidrIp"], one["FromPort"]) for one in rules]

    plain = parse_settings(
        json.dumps({"system": "litellm", "environment": "dev", "alb": DOMAIN}), Path("dev.yaml")
    )
    assert outbound(BUILT) == [("0.0.0.0/0", 443)]
    assert ("0.0.0.0/0", 443) not in outbound(templates(plain))


# --- what is refused -----------------------------------------------------------------------------

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
CLOSED = {
    "network": {"nat_gateways": 0, "vpc_endpoints": True},
    "service": {"image": "ecr", "providers": ["bedrock"], "bedrock_models": ["us.amazon.nova-lite-v1:0"]},
}


@pytest.mark.parametrize("alb", [{}, {"certificate_arn": CERTIFICATE}])
def test_without_a_name_nobody_is_sent_back(alb: dict[str, Any]) -> None:
    assert "add alb.domain_name" in " ".join(refused(alb=alb))


@pytest.mark.parametrize("strategy", ["blue_green", "canary", "linear"])
def test_a_strategy_that_shifts_traffic_is_refused(strategy: str) -> None:
    said = " ".join(refused(service={"deployment_strategy": strategy}))

    assert f"{strategy} moves one rule of the listener" in said
    assert "use rolling" in said


def test_an_internal_load_balancer_without_a_way_out_is_refused_and_a_public_one_is_not() -> None:
    assert "network.nat_gateways: 0" in " ".join(refused(alb=DOMAIN | {"internal": True}, **CLOSED))
    assert load(**CLOSED).closed
    assert load(alb=DOMAIN | {"internal": True}).alb.oidc


def test_a_beginning_before_all_paths_is_refused() -> None:
    said = refused(service={"environment": {"SERVER_ROOT_PATH": "/llm"}})

    assert "would stay open" in " ".join(said)


@pytest.mark.parametrize("key", ["token_endpoint", "userinfo_endpoint"])
def test_the_provider_answers_the_load_balancer_on_443(key: str) -> None:
    assert "port 443 alone, not 8443" in " ".join(refused({key: "https://login.example.com:8443/token"}))
    assert load({key: "https://login.example.com:443/token", "authorization_endpoint": f"{LOGIN}:8443/a"})


@pytest.mark.parametrize(
    ("oidc", "said"),
    [
        ({"issuer": "http://login.example.com"}, "https://"),
        ({"scopes": []}, "alb.oidc.scopes"),
        ({"session_hours": 169}, "168"),
    ],
)
def test_one_key_that_cannot_be_is_named(oidc: dict[str, Any], said: str) -> None:
    assert said in " ".join(refused(oidc))


def test_its_secret_is_not_a_variable_of_the_tasks_too() -> None:
    said = refused(service={"secrets": ["ALB_OIDC_CLIENT_SECRET"]})

    assert "has the same logical id AlbOidcClientSecretSecret" in " ".join(said)


def test_systems_without_a_ui_have_no_use_for_it() -> None:
    file = {"system": "llm-testing", "environment": "dev", "alb": {**DOMAIN, "oidc": OIDC}}
    with pytest.raises(EnvironmentFileError, match=r"alb\.oidc"):
        parse_settings(json.dumps(file), Path("dev.yaml"))
