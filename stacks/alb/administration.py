"""Firewall rules for administration: who may reach the UI, management routes and the list of routes."""

from __future__ import annotations

from collections.abc import Iterator

from troposphere.wafv2 import BlockAction, CustomResponse, CustomResponseBody, RuleAction, WebACLRule

from stacks.alb import requests
from stacks.alb.metrics import seen_as
from stacks.wiring import Stack

PRIORITY = 5
ANSWER = "administration"
ANSWERS = {
    ANSWER: CustomResponseBody(
        ContentType="TEXT_PLAIN", Content="Administration is not open to this address (alb.admin_cidrs)\n"
    )
}


def rules(stack: Stack) -> Iterator[WebACLRule]:
    """Yield the rule for `alb.admin_cidrs`; without it, production's, which hides the list of routes."""
    if stack.settings.alb.admin_cidrs:
        yield _by_address(stack)
    elif stack.settings.production and stack.application.administration.lists:
        yield _unlisted(stack)


def _unlisted(stack: Stack) -> WebACLRule:
    """
    Return the rule: 403 for what lists routes without a key. Clients need none: they have the documentation.

    A rule of the firewall for the same reasons as below: a fixed answer of the listener would cost nothing,
    and ``/%72outes`` would pass it by.
    """
    lists = [requests.path_is(one) for one in requests.patterns(stack.application.administration.lists)]
    return WebACLRule(
        Name="RouteList",
        Priority=PRIORITY,
        Action=RuleAction(Block=BlockAction()),
        Statement=requests.any_of(lists),
        VisibilityConfig=seen_as(f"{stack.prefix}-RouteList"),
    )


def _by_address(stack: Stack) -> WebACLRule:
    """
    Return the rule: 403 for what administers the system, except from `alb.admin_cidrs`.

    A rule of the firewall and not of the listener: it applies to all listeners, the test listener of a
    blue/green deployment too; it uses none of a listener's hundred rules, of which ECS moves only one; and it
    reads a path as the application does.
    """
    routes = stack.application.administration
    found = requests.addresses(stack, "AdminAddresses", "admin", stack.settings.alb.admin_cidrs)
    administers = [requests.path_is(one) for one in requests.patterns(routes.paths)]
    serves = [requests.path_is(one) for one in requests.patterns(routes.open_below)]
    stranger = requests.none_of(requests.comes_from(found))
    parts = [stranger, requests.any_of(administers), *map(requests.none_of, serves)]
    return WebACLRule(
        Name="Administration",
        Priority=PRIORITY,
        Action=RuleAction(
            Block=BlockAction(CustomResponse=CustomResponse(ResponseCode=403, CustomResponseBodyKey=ANSWER))
        ),
        Statement=requests.all_of(parts),
        VisibilityConfig=seen_as(f"{stack.prefix}-Administration"),
    )
