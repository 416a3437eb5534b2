"""`sso`: who may sign in to LiteLLM's UI with an identity provider."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.checking import fields, limits
from stacks.checking.fields import shape
from stacks.sections import Section

Provider = Literal["microsoft", "google", "okta", "generic"]
Role = Literal["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"]
"""What LiteLLM lets a person do; proxy_admin everything (litellm/proxy/_types.py, LitellmUserRoles)."""

ClientId = Annotated[
    str, shape(r"[!-+\--~]{1,255}", "a client id as the provider shows it, without spaces and commas")
]
Tenant = Annotated[
    str,
    shape(
        rf"(?i:[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})|{limits.DOMAIN}",
        "one directory of Entra ID, by its id or domain; common and organizations would admit people of any "
        "other directory",
    ),
]
Endpoint = Annotated[str, shape(r"https://[!-~]{1,2000}", "a URL that begins with https://")]
Attribute = Annotated[
    str, shape(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,254}", "the name of a claim, like preferred_username or a.b")
]
Scope = Annotated[str, shape(r"[!#-\[\]-~]{1,255}", "a scope of OAuth 2.0, like openid, without spaces")]
Identifier = Annotated[str, shape(r"[!-~]{1,255}", "what the provider calls a person, without spaces")]
Group = Annotated[str, shape(r"[^\x00-\x1f\x7f]{1,255}", "the name or id of a group: 1 to 255 characters")]


class Sso(Section):
    """Single sign-on to LiteLLM's UI ([sign-in](sign-in.md)). Virtual keys are not affected."""

    provider: Provider | None
    """Identity provider: Entra ID, Google, Okta, or any other with OpenID Connect; left out: none, people
    sign in to the UI with UI_PASSWORD."""
    client_id: ClientId | None
    """Client id of the application that is registered there. Its secret is entered with `gatestack secret
    set ENV MICROSOFT_CLIENT_SECRET`, GOOGLE_CLIENT_SECRET, or GENERIC_CLIENT_SECRET for the others."""
    tenant: Tenant | None
    """Directory (tenant) of Entra ID; required by microsoft."""
    authorization_endpoint: Endpoint | None
    """As in the provider's /.well-known/openid-configuration; okta and generic require the three
    endpoints."""
    token_endpoint: Endpoint | None
    """Where LiteLLM exchanges the authorization code for a token."""
    userinfo_endpoint: Endpoint | None
    """Where LiteLLM gets the user's claims."""
    scopes: Annotated[tuple[Scope, ...], Field(strict=False)]
    """Scopes that LiteLLM requests from okta and generic; left out: openid, email, profile."""
    pkce: bool | None
    """Whether PKCE is used with okta and generic; several tasks or workers then need the cache; left out:
    okta only."""
    allowed_email_domains: Annotated[tuple[fields.DomainName, ...], Field(strict=False)]
    """E-mail domains that may sign in; required by google. LiteLLM does not check a person whose e-mail
    address the provider does not send."""
    admin_id: Identifier | None
    """The first administrator, by the provider's id of the person: Entra's object id, Google's number, the
    claim of user_id_attribute."""
    logout_url: Endpoint | None
    """Where a person goes after signing out."""
    user_id_attribute: Attribute | None
    """Claim that identifies a person, with okta and generic; left out: preferred_username."""
    role_attribute: Attribute | None
    """Claim with a person's role, as LiteLLM names roles, with okta and generic; left out: role."""
    group_claim: Attribute | None
    """Claim with a person's groups, with okta and generic."""
    roles: dict[Role, Annotated[tuple[Group, ...], Field(strict=False), fields.NonEmpty]]
    """Role in LiteLLM -> groups that have it: proxy_admin: [platform]."""
    default_role: Role | None
    """Role of a person who is in none of these groups."""
