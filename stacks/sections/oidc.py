"""`alb.oidc`: who may open the UI, by a login at an identity provider, checked by the load balancer."""

from typing import Annotated

from pydantic import Field

from stacks.checking import fields
from stacks.checking.fields import between
from stacks.sections import Section
from stacks.sections.sso import ClientId, Endpoint, Scope

CALLBACK = "/oauth2/idpresponse"
"""Path to which the provider sends people back; the load balancer answers there itself."""
HOUR = 3600


class Oidc(Section):
    """The load balancer signs people in before the UI ([sign-in](sign-in.md)). The API works as before."""

    issuer: Endpoint
    """As in the provider's /.well-known/openid-configuration, like the three endpoints. With this section
    the load balancer signs people in before the UI ([sign-in](sign-in.md))."""
    authorization_endpoint: Endpoint
    """Where people sign in."""
    token_endpoint: Endpoint
    """Where the load balancer exchanges the authorization code for a token; on port 443."""
    userinfo_endpoint: Endpoint
    """Where the load balancer gets the user's claims; on port 443."""
    client_id: ClientId
    """Client id of the application that is registered at the provider. Its secret is entered with `gatestack
    secret set ENV ALB_OIDC_CLIENT_SECRET`, then `gatestack deploy ENV`."""
    scopes: Annotated[tuple[Scope, ...], Field(strict=False), fields.NonEmpty] = ("openid", "email")
    """Scopes that the load balancer requests."""
    session_hours: Annotated[int, between(1, 168, "hours")] = 12
    """Hours after which a person must sign in again."""
