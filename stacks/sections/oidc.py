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
    """As the provider's /.well-known/openid-configuration says, and so the three endpoints. With this section
    the load balancer signs people in before the UI ([sign-in](sign-in.md))."""
    authorization_endpoint: Endpoint
    """Where people sign in."""
    token_endpoint: Endpoint
    """Where the load balancer gets a token for the code that a person comes back with; on port 443."""
    userinfo_endpoint: Endpoint
    """Where the load balancer asks who has signed in; on port 443."""
    client_id: ClientId
    """Of the application that is registered at the provider. Its secret is put in: `gatestack secret set ENV
    ALB_OIDC_CLIENT_SECRET`, then `gatestack deploy ENV`."""
    scopes: Annotated[tuple[Scope, ...], Field(strict=False), fields.NonEmpty] = ("openid", "email")
    """What the load balancer asks for."""
    session_hours: Annotated[int, between(1, 168, "hours")] = 12
    """After which a person signs in again."""
