"""
Sign-in to the UI at the load balancer, by OpenID Connect (`alb.oidc`).

Source: User Guide for Application Load Balancers, "Authenticate users using an Application Load Balancer",
read 2026-11-28: only on HTTPS listeners; the provider redirects users to ``/oauth2/idpresponse``; the load
balancer itself calls the provider on port 443. A rule can have five paths (same guide, "Quotas").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troposphere import Parameter, Ref, Sub
from troposphere.elasticloadbalancingv2 import (
    Condition,
    Listener,
    ListenerRule,
    ListenerRuleAction,
    ListenerRuleAuthenticateOidcConfig,
    PathPatternConfig,
)
from troposphere.wafv2 import BlockAction, CustomResponse, CustomResponseBody, RuleAction, WebACLRule

from stacks.alb import requests
from stacks.alb.metrics import seen_as
from stacks.known_secrets import OIDC_CLIENT
from stacks.sections.oidc import CALLBACK, HOUR, Oidc
from stacks.wiring import Stack

PATHS_OF_A_RULE: Final = 2
"""A path and everything below it are two of five values of a rule's conditions."""
FIREWALL_PRIORITY: Final = 6
ANSWER: Final = "sign-in"
ANSWERS: Final = {
    ANSWER: CustomResponseBody(ContentType="TEXT_PLAIN", Content="Another spelling of this path (alb.oidc)\n")
}


def add(stack: Stack, oidc: Oidc, listener: Listener, targets: Ref) -> None:
    """Put the rules before the listener's others: sign in, then forward to *targets*."""
    paths = [*stack.application.signed_in, CALLBACK]
    first = _action(stack, oidc)
    for number, begin in enumerate(range(0, len(paths), PATHS_OF_A_RULE), start=1):
        values = [value for path in paths[begin : begin + PATHS_OF_A_RULE] for value in (path, f"{path}/*")]
        stack.add(
            ListenerRule(
                f"SignInRule{number}",
                ListenerArn=Ref(listener),
                Priority=number,
                Conditions=[
                    Condition(Field="path-pattern", PathPatternConfig=PathPatternConfig(Values=values))
                ],
                Actions=[first, ListenerRuleAction(Type="forward", Order=2, TargetGroupArn=targets)],
            )
        )


def _action(stack: Stack, oidc: Oidc) -> ListenerRuleAction:
    """
    Return the action, with the current version of the client's secret, which no template holds.

    CloudFormation reads a dynamic reference again only where the resource changes ("Get values stored in
    other services using dynamic references"), so the deployer names the version. Without one the current one
    is read: at the first deployment the placeholder, which the provider refuses.
    """
    parameter = Parameter(
        "OidcClientSecretVersion",
        Type="String",
        Default="",
        AllowedPattern="^([A-Za-z0-9-]{32,64})?$",
        Description="Version of the secret by which the identity provider knows the load balancer",
    )
    secret = stack.settings.secret_name(OIDC_CLIENT.name)
    version = stack.look_up(parameter, "secret-version", secret=secret)
    reference = f"{{{{resolve:secretsmanager:${{Secret}}:SecretString:{OIDC_CLIENT.content}::${{Version}}}}}}"
    how = ListenerRuleAuthenticateOidcConfig(
        Issuer=oidc.issuer,
        AuthorizationEndpoint=oidc.authorization_endpoint,
        TokenEndpoint=oidc.token_endpoint,
        UserInfoEndpoint=oidc.userinfo_endpoint,
        ClientId=oidc.client_id,
        ClientSecret=Sub(reference, Secret=stack.resolved(OIDC_CLIENT.arn), Version=version),
        OnUnauthenticatedRequest="authenticate",
        Scope=" ".join(oidc.scopes),
        SessionTimeout=oidc.session_hours * HOUR,
    )
    return ListenerRuleAction(Type="authenticate-oidc", Order=1, AuthenticateOidcConfig=how)


def firewall_rules(stack: Stack) -> Iterator[WebACLRule]:
    """
    Yield the rule that refuses another spelling of the paths where people sign in.

    A listener's rule looks at a path as it was sent, and would let ``/%75i/`` skip the sign-in; the
    application reads the same path there.
    """
    if stack.settings.alb.oidc is None:
        return
    found = requests.patterns(stack.application.signed_in)
    read = requests.any_of([requests.path_is(one) for one in found])
    sent = requests.any_of([requests.path_is(one, "NONE") for one in found])
    yield WebACLRule(
        Name="SignInSpelling",
        Priority=FIREWALL_PRIORITY,
        Action=RuleAction(
            Block=BlockAction(CustomResponse=CustomResponse(ResponseCode=403, CustomResponseBodyKey=ANSWER))
        ),
        Statement=requests.all_of([read, requests.none_of(sent)]),
        VisibilityConfig=seen_as(f"{stack.prefix}-SignInSpelling"),
    )
