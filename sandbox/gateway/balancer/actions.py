"""
The actions of a rule on a request: where it is forwarded, or the response. Pure.

Source: User Guide for Application Load Balancers, "Rule action types": forward with weights of 0 to 999;
redirect with the reserved keywords of protocol, host, port, path (without its first slash) and query;
fixed-response. "Authenticate users": 401 if `OnUnauthenticatedRequest` is deny, the next action if it is
allow; else the client is redirected to an identity provider, which no sandbox has.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.gateway.balancer.answers import Answer, own, redirected
from sandbox.gateway.balancer.asked import Asked
from sandbox.gateway.balancer.view import forwards

Json = Any


@dataclass(frozen=True)
class Led:
    """The target group of a request."""

    group: str


def performed(
    actions: Sequence[Mapping[str, Json]], asked: Asked, here: Callable[[int], int | None]
) -> Led | Answer:
    """
    Return the result of *actions*, in their order, for *asked*.

    *here* gives the port on loopback for a port of the load balancer, for clients that came by loopback.
    """
    for action in actions:
        kind = action.get("Type", "")
        if kind == "forward":
            return _forward(action)
        if kind == "redirect":
            return redirected(_location(action["RedirectConfig"], asked, here), _code(action))
        if kind == "fixed-response":
            return _fixed(action["FixedResponseConfig"])
        refusal = _signed_in(kind, action)
        if refusal is not None:
            return refusal
    return own(500)


def _forward(action: Mapping[str, Json]) -> Led | Answer:
    """Answer 503 where every weight is 0, as Elastic Load Balancing does (User Guide, "Forward actions")."""
    weights = forwards(action)
    if not any(weights.values()):
        return own(503)
    return Led(random.choices(list(weights), list(weights.values()))[0])  # noqa: S311 - a share, no secret


def _fixed(config: Mapping[str, Json]) -> Answer:
    body = str(config.get("MessageBody") or "").encode()
    kind = str(config.get("ContentType") or "text/plain")
    content = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    return Answer(int(config["StatusCode"]), ((b"Content-Type", content.encode("latin-1")),), body)


def _code(action: Mapping[str, Json]) -> int:
    return int(str(action["RedirectConfig"]["StatusCode"]).removeprefix("HTTP_"))


def _location(config: Mapping[str, Json], asked: Asked, here: Callable[[int], int | None]) -> str:
    words = {
        "#{protocol}": asked.scheme.upper(),
        "#{host}": asked.host,
        "#{port}": str(asked.port),
        "#{path}": asked.path.removeprefix("/"),
        "#{query}": asked.query,
    }

    def told(name: str, default: str) -> str:
        text = str(config.get(name) or default)
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    protocol = told("Protocol", "#{protocol}").lower()
    host, port = told("Host", "#{host}"), int(told("Port", "#{port}"))
    if host == asked.host and asked.host in ("localhost", "127.0.0.1"):
        port = here(port) or port
    path, query = told("Path", "/#{path}"), told("Query", "#{query}")
    return f"{protocol}://{host}:{port}{path}{f'?{query}' if query else ''}"


def _signed_in(kind: str, action: Mapping[str, Json]) -> Answer | None:
    """Return the response instead of a sign-in; None if the next action follows."""
    config = action.get("AuthenticateOidcConfig") or action.get("AuthenticateCognitoConfig") or {}
    without = config.get("OnUnauthenticatedRequest", "authenticate")
    if kind == "jwt-validation" or without == "deny":
        return own(401)
    if without == "allow":
        return None
    where = config.get("AuthorizationEndpoint") or "an identity provider"
    said = f"The sandbox's load balancer signs nobody in ({kind}). AWS redirects this request to {where}.\n"
    return Answer(501, ((b"Content-Type", b"text/plain; charset=utf-8"),), said.encode())
