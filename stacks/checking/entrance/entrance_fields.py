"""Types of values that only the load balancer's keys have. Independent of any key."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from stacks.checking.fields import CIDR_SCHEMA, Checked, network_of, shape

SSL_POLICIES: Final = (
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
)
"""
The policies of an Application Load Balancer that take TLS 1.3, nothing below 1.2, and only ciphers with
forward secrecy; the first is the one that AWS recommends and its console picks.

Source: User Guide for Application Load Balancers, "Security policies", read 2026-11-28.
"""


def _ssl_policy(name: str) -> str:
    if name not in SSL_POLICIES:
        raise ValueError(f"{name!r} is not one of {', '.join(SSL_POLICIES)}")
    return name


def _firewall_range(text: str) -> str:
    """AWS WAF's address sets take every range but /0 (AWS WAF API Reference, "IPSet", November 2026)."""
    if network_of(text).prefixlen == 0:
        raise ValueError(f"{text!r} is everybody, which AWS WAF takes in no list; leave the key out")
    return text


FirewallCidr = Annotated[str, Checked(_firewall_range, CIDR_SCHEMA)]
FirewallCidrs = Annotated[tuple[FirewallCidr, ...], Field(strict=False)]
SslPolicy = Annotated[str, Checked(_ssl_policy, (("enum", list(SSL_POLICIES)),))]

CaCertificatesBundle = Annotated[
    str,
    shape(
        r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[!-~]{1,1024}",
        "the place of a file in S3, like s3://acme-authorities/clients.pem",
    ),
]
"""Names of buckets: Amazon S3 User Guide, "General purpose bucket naming rules"."""
ObjectVersion = Annotated[str, shape(r"[!-~]{1,1024}", "the version id of an object in S3")]
