"""Listener rules that Elastic Load Balancing refuses: too many paths, sign-in where it is not possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.provisioning import ProvisionError
from sandbox.resources.handler import Call

MOST_VALUES = 5
"""Of all conditions of a rule (User Guide for Application Load Balancers, "Quotas", November 2026)."""
LONGEST_SESSION = 604_800
"""Seconds (Elastic Load Balancing API Reference, "AuthenticateOidcActionConfig", SessionTimeout)."""
_LAST = ("forward", "redirect", "fixed-response")
_ENDPOINTS = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")


def try_rule(call: Call) -> None:
    """
    Refuse what the API Reference does not allow for a rule (CreateRule, ModifyRule, "Action").

    A sign-in action needs an HTTPS listener, precedes the final action, and has a client's secret.

    Raises:
        ProvisionError: the rule is one of these.

    """
    if sum(len(values) for values in map(_values, call.properties["Conditions"])) > MOST_VALUES:
        raise _refused("ValidationError", f"A rule can only have '{MOST_VALUES}' condition values")
    actions = sorted(call.properties["Actions"], key=lambda one: int(one.get("Order", 1)))
    if len({one.get("Order") for one in actions}) < len(actions):
        raise _refused("InvalidLoadBalancerAction", "You must specify a different order for each action")
    if actions[-1]["Type"] not in _LAST:
        raise _refused("InvalidLoadBalancerAction", f"The last action must be one of {', '.join(_LAST)}")
    for one in actions[:-1]:
        if one["Type"] in _LAST:
            raise _refused("InvalidLoadBalancerAction", f"An action of type '{one['Type']}' must be the last")
    for one in actions:
        if one["Type"] == "authenticate-oidc":
            _try_sign_in(call, one["AuthenticateOidcConfig"])


def _values(condition: Mapping[str, Any]) -> list[Any]:
    nested: Mapping[str, Any] = next((one for name, one in condition.items() if name.endswith("Config")), {})
    values: list[Any] = condition.get("Values") or nested.get("Values", [])
    return values


def _try_sign_in(call: Call, how: Mapping[str, Any]) -> None:
    listeners = [call.properties["ListenerArn"]]
    (listener,) = call.ask("elbv2", "describe_listeners", ListenerArns=listeners)["Listeners"]
    if listener["Protocol"] != "HTTPS":
        what = "Actions of type 'authenticate-oidc' are supported only on HTTPS listeners"
        raise _refused("InvalidLoadBalancerAction", what)
    if not how.get("ClientSecret") and not how.get("UseExistingClientSecret"):
        raise _refused("InvalidLoadBalancerAction", "You must specify a client secret")
    for name in _ENDPOINTS:
        parts = urlsplit(how[name])
        if parts.scheme != "https" or not parts.netloc:
            raise _refused("InvalidLoadBalancerAction", f"{name} must be a full URL with HTTPS")
    if not 1 <= int(how.get("SessionTimeout", LONGEST_SESSION)) <= LONGEST_SESSION:
        raise _refused("InvalidLoadBalancerAction", f"SessionTimeout must be 1 to {LONGEST_SESSION}")


def _refused(code: str, message: str) -> ProvisionError:
    return ProvisionError(
        f"{message} (Service: ElasticLoadBalancingV2, Status Code: 400, Error Code: {code})"
        " (HandlerErrorCode: InvalidRequest)"
    )
