"""Single sign-on: the variables that LiteLLM reads, what is refused, what is to be done at the provider."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.render import render
from stacks import alb
from stacks.checking.advice import advice
from stacks.environment import EnvironmentFileError, parse_settings
from stacks.settings import Settings
from stacks.systems import litellm_sso
from stacks.task_secrets import names
from tests.stacks.finders import exports

ENTRA = {
    "provider": "microsoft",
    "client_id": "2f0c2d5e-4b0a-4d0e-9a55-8b5f1e2d3c4b",
    "tenant": "61c028b9-510c-4f84-bfb2-f48d33b6b542",
}
GOOGLE = {
    "provider": "google",
    "client_id": "1234567890-a1b2c3d4.apps.googleusercontent.com",
    "allowed_email_domains": ["acme.org", "acme.com"],
}
OIDC = {
    "provider": "generic",
    "client_id": "gateway",
    "authorization_endpoint": "https://login.acme.org/realms/acme/protocol/openid-connect/auth",
    "token_endpoint": "https://login.acme.org/realms/acme/protocol/openid-connect/token",
    "userinfo_endpoint": "https://login.acme.org/realms/acme/protocol/openid-connect/userinfo",
}
OKTA = OIDC | {"provider": "okta", "client_id": "0oa1b2c3d4e5f6g7h8i9"}
CALLED = {"microsoft": ENTRA, "google": GOOGLE, "okta": OKTA | {"pkce": False}, "generic": OIDC}
DOMAIN = {"domain_name": "llm.acme.org", "hosted_zone_id": "Z0123456789ABCDEFGHIJ"}


def load(sso: dict[str, Any], **sections: Any) -> Settings:
    file = {"system": "litellm", "environment": "dev", "alb": DOMAIN, "sso": sso}
    return parse_settings(yaml.safe_dump(file | sections), Path("dev.yaml"))


def refused(sso: dict[str, Any], **sections: Any) -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(sso, **sections)
    return [str(problem) for problem in caught.value.problems]


def container(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return variables and secrets of LiteLLM's container, by name."""
    service = next(stack for stack in render(settings).stacks if stack.name == "service")
    (own,) = json.loads(service.template)["Resources"]["ProxyTask"]["Properties"]["ContainerDefinitions"]
    plain = {one["Name"]: one["Value"] for one in own["Environment"]}
    return plain, {one["Name"]: one["ValueFrom"] for one in own["Secrets"]}


# --- what LiteLLM is told ------------------------------------------------------------------------


def test_without_a_provider_litellm_is_told_nothing_of_one() -> None:
    settings = parse_settings("{system: litellm, environment: dev}", Path("dev.yaml"))
    plain, secrets = container(settings)

    assert not (plain.keys() | secrets.keys()) & {*litellm_sso.READ_BY_LITELLM, "PROXY_BASE_URL"}
    assert "dev-litellm-alb-SsoRedirectUri" not in exports(alb.build(settings))


@pytest.mark.parametrize(
    ("sso", "said"),
    [
        (ENTRA, {"MICROSOFT_CLIENT_ID": ENTRA["client_id"], "MICROSOFT_TENANT": ENTRA["tenant"]}),
        (GOOGLE, {"GOOGLE_CLIENT_ID": GOOGLE["client_id"], "ALLOWED_EMAIL_DOMAINS": "acme.org,acme.com"}),
        (
            OIDC | {"scopes": ["openid", "groups"], "user_id_attribute": "sub", "role_attribute": "a.b"},
            {
                "GENERIC_CLIENT_ID": "gateway",
                "GENERIC_AUTHORIZATION_ENDPOINT": OIDC["authorization_endpoint"],
                "GENERIC_TOKEN_ENDPOINT": OIDC["token_endpoint"],
                "GENERIC_USERINFO_ENDPOINT": OIDC["userinfo_endpoint"],
                "GENERIC_SCOPE": "openid groups",
                "GENERIC_USER_ID_ATTRIBUTE": "sub",
                "GENERIC_USER_ROLE_ATTRIBUTE": "a.b",
            },
        ),
        (
            ENTRA | {"admin_id": "ann", "logout_url": "https://acme.org/bye"},
            {"PROXY_ADMIN_ID": "ann", "PROXY_LOGOUT_URL": "https://acme.org/bye"},
        ),
    ],
)
def test_litellm_is_told_by_the_variables_that_it_reads(sso: dict[str, Any], said: dict[str, str]) -> None:
    plain, _ = container(load(sso))

    assert said.items() <= plain.items()
    assert plain["PROXY_BASE_URL"] == "https://llm.acme.org"
    others = {name for name in litellm_sso.READ_BY_LITELLM if name.endswith("_CLIENT_ID")} - said.keys()
    assert len(others & plain.keys()) == (0 if any("CLIENT_ID" in name for name in said) else 1)


def test_groups_have_roles_in_the_form_that_litellm_reads() -> None:
    """LiteLLM takes it for a literal of Python (ast.literal_eval)."""
    roles = {"proxy_admin": ["Plattform-Ärzte", "o'neil"], "internal_user": ['"all"']}
    more = {"roles": roles, "group_claim": "groups", "default_role": "internal_user_viewer"}
    plain, _ = container(load(OIDC | more))

    assert ast.literal_eval(plain["GENERIC_ROLE_MAPPINGS_ROLES"]) == roles
    assert plain["GENERIC_ROLE_MAPPINGS_GROUP_CLAIM"] == "groups"
    assert plain["GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE"] == "internal_user_viewer"


@pytest.mark.parametrize("provider", CALLED)
def test_the_clients_secret_is_one_that_people_put_in_and_stands_in_no_template(provider: str) -> None:
    settings = load(CALLED[provider])
    variable = litellm_sso.CLIENT_SECRETS[provider]
    _, secrets = container(settings)

    assert names(settings) == (variable,)
    assert f":{variable}::" in json.dumps(secrets[variable])


def test_a_clients_secret_that_is_there_already_makes_no_other() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:entra-AbCdEf"
    settings = load(ENTRA, service={"secrets_from": {"MICROSOFT_CLIENT_SECRET": arn}})
    _, secrets = container(settings)

    assert names(settings) == ()
    assert secrets["MICROSOFT_CLIENT_SECRET"] == arn


def test_naming_the_clients_secret_in_the_list_too_is_the_same() -> None:
    assert names(load(ENTRA, service={"secrets": ["MICROSOFT_CLIENT_SECRET"]})) == (
        "MICROSOFT_CLIENT_SECRET",
    )


def test_the_redirect_uri_is_told_as_an_output_and_as_advice() -> None:
    settings, uri = load(ENTRA), "https://llm.acme.org/sso/callback"

    assert exports(alb.build(settings))["dev-litellm-alb-SsoRedirectUri"] == uri
    assert f"register the redirect URI {uri} at Entra ID" in " ".join(advice(settings))


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sso", "said"),
    [
        ({"provider": "microsoft"}, "sso.provider: microsoft needs sso.client_id and sso.tenant"),
        (
            {"provider": "google", "client_id": "x"},
            "sso.provider: google needs sso.allowed_email_domains; any Google account could sign in",
        ),
        (
            {"provider": "okta", "client_id": "x", "pkce": False},
            (
                "sso.provider: okta needs sso.authorization_endpoint and sso.token_endpoint and "
                "sso.userinfo_endpoint"
            ),
        ),
        (GOOGLE | {"tenant": "acme.org"}, "sso.tenant: only microsoft can have it; remove it"),
        (ENTRA | {"pkce": True}, "sso.pkce: only okta and generic can have it; remove it"),
        (
            OIDC | {"roles": {"proxy_admin": ["ops"]}},
            "sso.roles: LiteLLM does not know where a person's groups are; add sso.group_claim",
        ),
        (OIDC | {"group_claim": "groups"}, "sso.group_claim: no group has a role; add sso.roles"),
        (
            {"client_id": "x"},
            "sso.client_id: says nothing without sso.provider: microsoft, google, okta or generic; add that",
        ),
    ],
)
def test_what_a_provider_needs_and_cannot_have(sso: dict[str, Any], said: str) -> None:
    assert refused(sso) == [said]


@pytest.mark.parametrize(
    ("sso", "said"),
    [
        ({"provider": "auth0"}, "sso.provider"),
        (ENTRA | {"tenant": "common"}, "common and organizations would admit people of any"),
        (OIDC | {"token_endpoint": "http://login.acme.org/token"}, "a URL that begins with https://"),
        (OIDC | {"roles": {"admin": ["ops"]}, "group_claim": "groups"}, "sso.roles"),
        (ENTRA | {"clientid": "x"}, "sso.clientid"),
        (ENTRA | {"allowed_email_domains": ["@acme.org"]}, "a domain name"),
    ],
)
def test_a_value_that_no_provider_has_is_refused_with_the_shape(sso: dict[str, Any], said: str) -> None:
    assert said in " ".join(refused(sso))


def test_nobody_is_sent_back_to_a_name_that_there_is_not() -> None:
    (said,) = refused(ENTRA, alb={})

    assert said.startswith(
        "sso.provider: the provider sends people back to https://<domain>/sso/callback; add"
    )


def test_a_network_without_a_way_out_cannot_ask_the_provider() -> None:
    bedrock = {"providers": ["bedrock"], "bedrock_models": ["anthropic.claude-3-haiku-20240307-v1:0"]}
    (said,) = refused(ENTRA, network={"nat_gateways": 0}, service=bedrock)

    assert "LiteLLM asks the provider for each sign-in, over the internet" in said


def test_people_come_back_to_another_task_so_pkce_needs_the_cache() -> None:
    (said,) = refused(OKTA)
    assert said.startswith("sso.pkce: with PKCE a person has to come back to the process that sent them")
    assert "up to 4; add cache.enabled: true, or pkce: false" in said

    assert container(load(OKTA, cache={"enabled": True}))[0]["GENERIC_CLIENT_USE_PKCE"] == "true"
    assert "GENERIC_CLIENT_USE_PKCE" not in container(load(OKTA | {"pkce": False}))[0]
    assert load(OKTA, service={"max_tasks": 1})
    assert refused(OKTA, service={"max_tasks": 1, "workers": 2})


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (
            {"environment": {"MICROSOFT_TENANT": "x"}},
            (
                "service.environment.MICROSOFT_TENANT: is what sso.tenant is for; say it there, "
                "and remove it here"
            ),
        ),
        (
            {"environment": {"ALLOWED_EMAIL_DOMAINS": "acme.org"}},
            (
                "service.environment.ALLOWED_EMAIL_DOMAINS: is what "
                "sso.allowed_email_domains is for; say it there, and remove it here"
            ),
        ),
        (
            {"environment": {"PROXY_BASE_URL": "https://x.example"}},
            (
                "service.environment.PROXY_BASE_URL: follows from alb.domain_name where there is "
                "sso; remove it here"
            ),
        ),
        (
            {"config": {"environment_variables": {"PROXY_ADMIN_ID": "ann"}}},
            (
                "service.config.environment_variables.PROXY_ADMIN_ID: is what sso.admin_id is "
                "for; say it there, and remove it here"
            ),
        ),
        (
            {"secrets": ["GOOGLE_CLIENT_ID"]},
            (
                "service.secrets[0]: GOOGLE_CLIENT_ID is another provider's, and LiteLLM asks one alone; "
                "remove it, or change sso.provider"
            ),
        ),
        (
            {"secrets": ["MICROSOFT_CLIENT_ID"]},
            "service.secrets[0]: MICROSOFT_CLIENT_ID is set by gatestack itself; remove it",
        ),
    ],
)
def test_what_the_section_says_is_said_nowhere_else(service: dict[str, Any], said: str) -> None:
    assert refused(ENTRA, service=service) == [said]


def test_without_the_section_the_variables_are_the_users_own_as_before() -> None:
    own = {"environment": {"GOOGLE_CLIENT_ID": "x", "PROXY_BASE_URL": "https://x.example"}}
    settings = load({}, service=own | {"secrets": ["GOOGLE_CLIENT_SECRET"]})

    assert own["environment"].items() <= container(settings)[0].items()


@pytest.mark.parametrize("system", ["llm-proxy", "llm-testing"])
def test_a_system_without_a_sign_on_refuses_the_section(system: str) -> None:
    assert f"sso: {system} has no use for it; remove it" in refused(ENTRA, system=system)


# --- what is told --------------------------------------------------------------------------------


def test_the_sixth_person_needs_a_licence_which_is_a_secret() -> None:
    told = [one for one in advice(load(ENTRA)) if "licence" in one]
    assert len(told) == 1
    assert told[0].endswith("name LITELLM_LICENSE in service.secrets")

    assert not [
        one for one in advice(load(ENTRA, service={"secrets": ["LITELLM_LICENSE"]})) if "licence" in one
    ]


@pytest.mark.parametrize(
    ("sso", "config", "nobody"),
    [
        (ENTRA, {}, True),
        (ENTRA | {"admin_id": "ann"}, {}, False),
        (OIDC | {"roles": {"proxy_admin": ["ops"]}, "group_claim": "groups"}, {}, False),
        (ENTRA, {"general_settings": {"ui_access_mode": "all"}}, False),
    ],
)
def test_a_ui_that_only_administrators_open_wants_one(
    sso: dict[str, Any], config: dict[str, Any], *, nobody: bool
) -> None:
    found = advice(load(sso, service={"config": config}))

    assert any("makes nobody an administrator" in one for one in found) == nobody
