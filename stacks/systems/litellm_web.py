"""
LiteLLM's settings for the load balancer in front of it, and its public pages. Pure.

Read in LiteLLM 1.108.7 (litellm/proxy/utils.py, auth/ and management_endpoints/) and its uvicorn 0.54
(config.py, middleware/proxy_headers.py), and tested by `make test-litellm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stacks.settings import Settings

PAGES: Final = ("NO_DOCS", "NO_REDOC", "NO_OPENAPI")
"""Each disables one page that lists every route: ``/``, ``/redoc``, ``/openapi.json``."""


def variables(settings: Settings) -> Mapping[str, str]:
    """Return the variables; values of the environment file stay."""
    own = {**_address(settings), **_pages(settings)}
    return {name: value for name, value in own.items() if name not in settings.service.environment}


def _address(settings: Settings) -> dict[str, str]:
    """
    Set who may forward the client's address and scheme, and the public host name.

    Without the first, uvicorn trusts only its own machine: redirects lead to http://, and the log names the
    load balancer as the client. Only the load balancer's subnets are trusted: a client inside of the VPC
    could otherwise write another address in front of its own.
    """
    named = settings.alb.domain_name
    address = {"PROXY_BASE_URL": f"https://{named}"} if named else {}
    return {"FORWARDED_ALLOW_IPS": ",".join(_load_balancer_ranges(settings)), **address}


def _load_balancer_ranges(settings: Settings) -> tuple[str, ...]:
    """Return where the load balancer's own addresses are; of an existing VPC only its range is known."""
    network = settings.network
    if network.existing_vpc:
        return (network.vpc_cidr,)
    return tuple(network.private_subnet_cidrs if settings.alb.internal else network.public_subnet_cidrs)


def _pages(settings: Settings) -> dict[str, str]:
    return dict.fromkeys(PAGES, "True") if settings.production else {}
