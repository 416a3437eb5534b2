"""
Trust stores of Elastic Load Balancing, and listeners that require client certificates; moto supports
neither.

They are stored with moto's state of the service. Source: Elastic Load Balancing API Reference,
CreateTrustStore, DeleteTrustStore, "MutualAuthenticationAttributes", read 2026-11-28.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources.handler import Call, Handler, random_text

MOST_CERTIFICATES = 25
MOST_VERIFYING = 2
"""Listeners of a load balancer (User Guide for Application Load Balancers, "Quotas", November 2026)."""
_MODES = ("off", "passthrough", "verify")
_OF_VERIFY = ("TrustStoreArn", "IgnoreClientCertificateExpiry", "AdvertiseTrustStoreCaNames")
_BEGIN = "-----BEGIN CERTIFICATE-----"


@dataclass
class Held:
    """A trust store."""

    name: str
    authorities: str
    """Certificates in PEM."""


def held(backend: Any) -> dict[str, Held]:
    """Return the trust stores of moto's *backend* of the service, by ARN."""
    found: dict[str, Held] = vars(backend).setdefault("trust_stores", {})
    return found


def asked_of_clients(listener: Any) -> Mapping[str, Any]:
    """Return the ``MutualAuthentication`` settings of moto's *listener*."""
    found: Mapping[str, Any] = vars(listener).get("mutual_authentication") or {"Mode": "off"}
    return found


def _create(call: Call) -> Provisioned:
    name, there = call.name("Name", 32), held(_backend(call))
    if name in {one.name for one in there.values()}:
        raise call.already_exists(name)
    made = Held(name, _bundle(call))
    arn = call.arn("elasticloadbalancing", f"truststore/{name}/{random_text(16, '0123456789abcdef')}")
    there[arn] = made
    return Provisioned(arn, _attributes(arn, made))


def _update(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Read the bundle again, whichever of its properties has changed, as ModifyTrustStore does."""
    found = held(_backend(call))[current.physical_id]
    bundle = ("CaCertificatesBundleS3Bucket", "CaCertificatesBundleS3Key")
    if call.changed(old, *bundle, "CaCertificatesBundleS3ObjectVersion"):
        found.authorities = _bundle(call)
    return Provisioned(current.physical_id, _attributes(current.physical_id, found))


def _delete(call: Call, current: Provisioned) -> None:
    backend, arn = _backend(call), current.physical_id
    listeners = [one for each in backend.load_balancers.values() for one in each.listeners.values()]
    if arn in [asked_of_clients(one).get("TrustStoreArn") for one in listeners]:
        raise _refused("TrustStoreInUse", f"Trust store '{arn}' is currently in use by a listener")
    held(backend).pop(arn, None)


def _attributes(arn: str, found: Held) -> dict[str, Any]:
    count = found.authorities.count(_BEGIN)
    return {"TrustStoreArn": arn, "Status": "ACTIVE", "NumberOfCaCertificates": count}


def _bundle(call: Call) -> str:
    """Read the bundle with the caller's permissions, as Elastic Load Balancing does."""
    bucket, key = (call.properties[f"CaCertificatesBundleS3{part}"] for part in ("Bucket", "Key"))
    version = call.properties.get("CaCertificatesBundleS3ObjectVersion")
    try:
        body = call.ask("s3", "get_object", Bucket=bucket, Key=key, VersionId=version)["Body"].read()
    except ClientError as error:
        what = "The specified CA certificates bundle could not be found"
        raise _refused("CaCertificatesBundleNotFound", what) from error
    text = body.decode("latin-1")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        what = "The specified CA certificates bundle is in an invalid format"
        raise _refused("InvalidCaCertificatesBundle", what) from error
    if text.count(_BEGIN) > MOST_CERTIFICATES:
        what = f"The maximum number of CA certificates is {MOST_CERTIFICATES}"
        raise _refused("InvalidCaCertificatesBundle", what)
    return "".join(re.findall(rf"{_BEGIN}.*?-----END CERTIFICATE-----\n?", text, re.DOTALL))


def try_listener(call: Call) -> None:
    """
    Refuse a listener with invalid MutualAuthentication properties.

    Raises:
        ProvisionError: it has no TLS, its trust store is missing, or the mode does not fit the rest.

    """
    wanted = call.properties.get("MutualAuthentication")
    if not wanted:
        return
    mode, code = wanted.get("Mode", "off"), "InvalidConfigurationRequest"
    if mode not in _MODES:
        raise _refused(code, f"Mode must be one of {', '.join(_MODES)}")
    if call.properties.get("Protocol") != "HTTPS":
        raise _refused(code, "Mutual authentication is supported only on HTTPS listeners")
    if mode != "verify" and any(one in wanted for one in _OF_VERIFY):
        raise _refused(code, f"Mode '{mode}' takes none of {', '.join(_OF_VERIFY)}")
    if mode == "verify":
        _try_verifying(call, wanted.get("TrustStoreArn"))


def _try_verifying(call: Call, arn: str | None) -> None:
    backend = _backend(call)
    if arn not in held(backend):
        raise _refused("TrustStoreNotFound", f"Trust store '{arn}' not found")
    balancer = backend.load_balancers[call.properties["LoadBalancerArn"]]
    port = str(call.properties.get("Port"))
    others = [one for one in balancer.listeners.values() if str(one.port) != port]
    if sum(asked_of_clients(one)["Mode"] == "verify" for one in others) >= MOST_VERIFYING:
        what = f"A load balancer can have {MOST_VERIFYING} listeners that verify clients"
        raise _refused("InvalidConfigurationRequest", what)


def note(call: Call, arn: str) -> None:
    """Set the properties in moto's listener *arn*; missing ones stay as they were."""
    balancer = _backend(call).load_balancers[call.properties["LoadBalancerArn"]]
    if wanted := call.properties.get("MutualAuthentication"):
        balancer.listeners[arn].mutual_authentication = dict(wanted)


def _backend(call: Call) -> Any:
    return call.services.backend("elbv2", call.request.region)


def _refused(code: str, message: str) -> ProvisionError:
    return ProvisionError(
        f"{message} (Service: ElasticLoadBalancingV2, Status Code: 400, Error Code: {code})"
        " (HandlerErrorCode: InvalidRequest)"
    )


HANDLERS: Mapping[str, Handler] = {
    "AWS::ElasticLoadBalancingV2::TrustStore": Handler(_create, _update, _delete)
}
