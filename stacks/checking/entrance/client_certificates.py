"""Client certificates: requirements, and what each mode does not check. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.checking.problems import Finding
from stacks.settings import Settings

KEY: Final = "alb.mutual_authentication"
BUNDLE: Final = "ca_certificates_bundle"
OF_VERIFY: Final = (
    BUNDLE,
    f"{BUNDLE}_version",
    "ignore_client_certificate_expiry",
    "advertise_trust_store_ca_names",
)
"""What Elastic Load Balancing takes with verify alone (API Reference, "MutualAuthenticationAttributes";
hashicorp/terraform-provider-aws#35452)."""


def client_certificate_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what a listener cannot require of clients."""
    chosen = settings.alb.mutual_authentication
    if chosen is None:
        return
    if not settings.alb.https:
        message = (
            "clients show certificates over TLS alone, and there is no HTTPS; add alb.certificate_arn, or "
            "alb.domain_name with alb.hosted_zone_id"
        )
        also = ("alb.certificate_arn", "alb.domain_name", "alb.hosted_zone_id")
        yield Finding(KEY, message, also)
    if chosen.mode == "verify" and chosen.authorities is None:
        message = f"verify needs the authorities of the clients; add {BUNDLE}: s3://BUCKET/FILE.pem"
        yield Finding(f"{KEY}.mode", message, (f"{KEY}.{BUNDLE}",))


def client_certificate_advice(settings: Settings) -> Iterator[str]:
    """Yield what a mode does not check, and what has no effect with it."""
    chosen = settings.alb.mutual_authentication
    if chosen is None or chosen.mode == "verify":
        return
    yield (
        f"{KEY}.mode: passthrough: the load balancer lets everybody in, with any certificate or none; who "
        "reads X-Amzn-Mtls-Clientcert behind it has to verify what is there"
    )
    yield from (f"{KEY}.{key}: has no effect with passthrough" for key in OF_VERIFY if getattr(chosen, key))
