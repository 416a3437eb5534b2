"""
Client certificates on the HTTPS listeners: mutual TLS (`alb.mutual_authentication`).

Source: User Guide for Application Load Balancers, "Mutual authentication with TLS", read 2026-11-28. Two
listeners of a load balancer may verify (same guide, "Quotas"): the clients' and the test listener.
"""

from __future__ import annotations

from troposphere import Ref
from troposphere.elasticloadbalancingv2 import MutualAuthentication, TrustStore

from stacks.sections import network as section
from stacks.wiring import Stack

OFF = MutualAuthentication(Mode="off")
"""
For a listener without client certificates, it is explicit.

"Removing the property from your template will not turn it off" (schema of the type
AWS::ElasticLoadBalancingV2::Listener, MutualAuthentication, Mode): the listener would keep the trust store,
which could then not be deleted (aws-cloudformation/cloudformation-coverage-roadmap#2497).
"""


def asked_for(stack: Stack) -> MutualAuthentication:
    """Return what an HTTPS listener asks clients for; with verify, add the trust store that it asks."""
    chosen = stack.settings.alb.mutual_authentication
    if chosen is None:
        return OFF
    stack.export("ClientCertificates", chosen.mode, "What the load balancer does with clients' certificates")
    if chosen.mode == "passthrough":
        return MutualAuthentication(Mode="passthrough")
    return MutualAuthentication(
        Mode="verify",
        TrustStoreArn=Ref(_trust_store(stack, chosen)),
        IgnoreClientCertificateExpiry=chosen.ignore_client_certificate_expiry,
        AdvertiseTrustStoreCaNames="on" if chosen.advertise_trust_store_ca_names else "off",
    )


def _trust_store(stack: Stack, chosen: section.MutualAuthentication) -> TrustStore:
    bucket, key = chosen.authorities or ("", "")
    version = chosen.ca_certificates_bundle_version
    store = TrustStore(
        "TrustStore",
        Name=stack.settings.prefix,
        CaCertificatesBundleS3Bucket=bucket,
        CaCertificatesBundleS3Key=key,
        **({"CaCertificatesBundleS3ObjectVersion": version} if version else {}),
    )
    return stack.add(store, name="client-authorities")
