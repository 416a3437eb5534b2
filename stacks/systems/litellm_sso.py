"""
Single sign-on of LiteLLM: keys of the section `sso` -> environment variables. Pure.

Read in LiteLLM 1.93.0 on 2026-11-28, litellm/proxy/management_endpoints/ui_sso.py: google_login and
get_sso_login_redirect (clients, endpoints, scope; Okta is one of the generic ones),
generic_response_convertor (claims), GENERIC_ROLE_MAPPINGS_ROLES (groups, as a Python literal),
_get_user_email_and_id_from_result (domains), check_and_update_if_proxy_admin_id, get_ui_settings (sign-out
URL). The redirect URI is PROXY_BASE_URL followed by sso/callback (get_redirect_url_for_sso,
litellm/proxy/utils.py get_custom_url).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from stacks.settings import Settings

CALLBACK: Final = "/sso/callback"
_GENERIC: Final = {
    "client_id": "GENERIC_CLIENT_ID",
    "authorization_endpoint": "GENERIC_AUTHORIZATION_ENDPOINT",
    "token_endpoint": "GENERIC_TOKEN_ENDPOINT",
    "userinfo_endpoint": "GENERIC_USERINFO_ENDPOINT",
    "scopes": "GENERIC_SCOPE",
    "pkce": "GENERIC_CLIENT_USE_PKCE",
    "user_id_attribute": "GENERIC_USER_ID_ATTRIBUTE",
    "role_attribute": "GENERIC_USER_ROLE_ATTRIBUTE",
    "group_claim": "GENERIC_ROLE_MAPPINGS_GROUP_CLAIM",
    "roles": "GENERIC_ROLE_MAPPINGS_ROLES",
    "default_role": "GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE",
}
OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "microsoft": {"client_id": "MICROSOFT_CLIENT_ID", "tenant": "MICROSOFT_TENANT"},
    "google": {"client_id": "GOOGLE_CLIENT_ID"},
    "okta": _GENERIC,
    "generic": _GENERIC,
}
"""Provider -> key -> variable, of the keys that not every provider has under one name."""
EVERY: Final = {
    "allowed_email_domains": "ALLOWED_EMAIL_DOMAINS",
    "admin_id": "PROXY_ADMIN_ID",
    "logout_url": "PROXY_LOGOUT_URL",
}
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "microsoft": ("client_id", "tenant"),
    "google": ("client_id", "allowed_email_domains"),
    "okta": ("client_id", *_ENDPOINTS),
    "generic": ("client_id", *_ENDPOINTS),
}
"""Provider -> keys without which nobody, or everybody, could sign in: Google accepts any account."""
CLIENT_SECRETS: Final = {
    "microsoft": "MICROSOFT_CLIENT_SECRET",
    "google": "GOOGLE_CLIENT_SECRET",
    "okta": "GENERIC_CLIENT_SECRET",
    "generic": "GENERIC_CLIENT_SECRET",
}
READ_BY_LITELLM: Final[Mapping[str, str]] = {
    variable: key for keys in (*OWN.values(), EVERY) for key, variable in keys.items()
}
"""Variable -> key, of all providers: LiteLLM takes the first whose client id it finds, Google's first."""
TITLES: Final = {
    "microsoft": "Entra ID",
    "google": "Google",
    "okta": "Okta",
    "generic": "the identity provider",
}


def asks_with_pkce(settings: Settings) -> bool:
    """Whether the provider is asked with PKCE."""
    sso = settings.sso
    wanted = sso.provider == "okta" if sso.pkce is None else sso.pkce
    return wanted and "pkce" in OWN.get(sso.provider or "", ())


def variables(settings: Settings) -> dict[str, str]:
    """Return what tells LiteLLM of the provider; nothing where there is none."""
    sso = settings.sso
    if sso.provider is None:
        return {}
    said = {
        **sso.model_dump(exclude_none=True),
        "scopes": " ".join(sso.scopes),
        "pkce": "true" if asks_with_pkce(settings) else "",
        "allowed_email_domains": ",".join(sso.allowed_email_domains),
        "roles": json.dumps(dict(sso.roles), ensure_ascii=False) if sso.roles else "",
    }
    names = {**OWN[sso.provider], **EVERY}
    return {variable: said[key] for key, variable in names.items() if said.get(key)}


def redirect_uri(settings: Settings) -> str:
    """Return the URI to register at the provider."""
    return f"https://{settings.alb.domain_name}{CALLBACK}"
