"""Requirements on an existing certificate, hosted zone and CA bundle. Pure: facts in, problems out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from deployer.checks.facts import Bundle, Certificate, Facts, Problem, Problems, Zone
from generator.manifest import Existing

CERTIFICATE = "alb.certificate_arn"
DOMAIN = "alb.domain_name"
ZONE = "alb.hosted_zone_id"
BUNDLE = "alb.mutual_authentication.ca_certificates_bundle"
MOST_AUTHORITIES = 25
"""CA certificates of a trust store, by default (User Guide for Application Load Balancers, "Quotas")."""

ALGORITHMS = frozenset(
    {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"}
)
"""What ACM has and a load balancer takes (ACM User Guide, "Prerequisites for importing ACM certificates")."""
SOON = timedelta(days=30)
STATUSES: Mapping[str, str] = {
    "PENDING_VALIDATION": "create its validation record in DNS and wait until ACM has seen it",
    "VALIDATION_TIMED_OUT": "request it again and create its validation record within 72 hours",
    "EXPIRED": "renew it, or import a new one under the same ARN",
}
"""What to do about a certificate that is not ISSUED."""


def domain_problems(wanted: Existing, facts: Facts, now: datetime, *, ours: bool) -> Problems:
    """Yield what is wrong with certificate and zone; *ours*: the record there is the environment's own."""
    if wanted.certificate_arn and facts.known("certificate"):
        yield from _certificate(wanted, facts, now)
    if wanted.bundle and facts.known("bundle"):
        yield from _bundle(wanted, facts.bundle, now)
    if wanted.hosted_zone_id and facts.known("zone"):
        yield from _zone(wanted, facts)
    if wanted.hosted_zone_id and facts.records and not ours:
        found = " and ".join(dict.fromkeys(f"{one.type} {one.value}".strip() for one in facts.records))
        text = f"{wanted.domain} is in {wanted.hosted_zone_id} already ({found})"
        yield Problem(DOMAIN, f"{text}; delete that record, or choose another name")


def _certificate(wanted: Existing, facts: Facts, now: datetime) -> Problems:
    found, arn = facts.certificate, wanted.certificate_arn or ""
    region = arn.split(":")[3]
    if region != facts.region:
        yield Problem(CERTIFICATE, f"is in {region}; the load balancer needs one of {facts.region}")
        return
    if found is None:
        text = f"there is no certificate {arn} in this account and region; correct the ARN, or the login"
        yield Problem(CERTIFICATE, text)
        return
    if found.status != "ISSUED":
        remedy = STATUSES.get(found.status, "name one that is ISSUED")
        yield Problem(CERTIFICATE, f"{arn} is {found.status}; {remedy}")
    elif found.ends and found.ends <= now:
        yield Problem(CERTIFICATE, f"{arn} expired on {found.ends:%Y-%m-%d}; {STATUSES['EXPIRED']}")
    elif found.ends and found.imported and found.ends - now < SOON:
        text = f"{arn} expires on {found.ends:%Y-%m-%d} and was imported: ACM does not renew it"
        yield Problem(CERTIFICATE, text, refused=False)
    yield from _fits(found, wanted.domain)


def _bundle(wanted: Existing, found: Bundle | None, now: datetime) -> Problems:
    """Yield what prevents a trust store from the file, or would reject every client."""
    file, version = wanted.bundle, wanted.bundle_version
    if found is None:
        place = f"{file} has no version {version}" if version else f"there is no file {file}"
        remedy = "put the authorities' certificates there in PEM, or correct the place"
        yield Problem(BUNDLE, f"{place}, for these credentials; {remedy}")
        return
    if found.private_key:
        text = f"{file} has a private key, which belongs to its authority alone; take it out of the file"
        yield Problem(BUNDLE, text)
    if found.authorities is None or not found.certificates:
        text = f"{file} cannot be read as certificates in PEM; replace it by the authorities' certificates"
        yield Problem(BUNDLE, text)
    elif not found.authorities:
        text = f"none of the certificates in {file} is an authority's; add those that signed the clients'"
        yield Problem(BUNDLE, text)
    elif ended := [one for one in found.authorities if one <= now]:
        count, all_of_them = len(found.authorities), len(ended) == len(found.authorities)
        text = f"{len(ended)} of {count} authorities in {file} have expired; put their new certificates there"
        yield Problem(BUNDLE, text, refused=all_of_them)
    if found.certificates > MOST_AUTHORITIES:
        text = f"{file} has {found.certificates} certificates, and AWS takes {MOST_AUTHORITIES} by default"
        remedy = "have it raise the account's quota L-43FE5A42, or name fewer"
        yield Problem(BUNDLE, f"{text}; {remedy}", refused=False)


def _fits(found: Certificate, domain: str | None) -> Problems:
    if domain and not any(_covers(name, domain) for name in found.names):
        text = f"is for {', '.join(found.names)}, which does not cover {domain} of {DOMAIN}"
        yield Problem(CERTIFICATE, f"{text}; name a certificate that does")
    if found.algorithm not in ALGORITHMS:
        text = (
            f"has a key of {found.algorithm}, which a load balancer does not take; name one with RSA or ECDSA"
        )
        yield Problem(CERTIFICATE, text)


def _covers(name: str, domain: str) -> bool:
    """Whether a certificate for *name* covers *domain*; a wildcard matches one label (RFC 9525)."""
    name, domain = name.lower(), domain.lower()
    first, _, rest = domain.partition(".")
    return name == domain or bool(first and rest and name == f"*.{rest}")


def _zone(wanted: Existing, facts: Facts) -> Problems:
    zone = facts.zone
    if zone is None:
        text = f"there is no hosted zone {wanted.hosted_zone_id} for these credentials; correct the id"
        yield Problem(ZONE, f"{text}, or log in to the account that has it")
        return
    domain = wanted.domain or ""
    if domain != zone.name and not domain.endswith(f".{zone.name}"):
        text = f"{domain} of {DOMAIN} is not in {zone.name}, the zone {wanted.hosted_zone_id}"
        yield Problem(ZONE, f"{text}; name the zone of the domain")
    if zone.private:
        yield from _private(wanted, zone)


def _private(wanted: Existing, zone: Zone) -> Problems:
    """A private zone answers in its VPCs only; ACM looks for the proof of a domain in public DNS."""
    private = f"{wanted.hosted_zone_id} is a private zone"
    if not wanted.internal:
        text = "clients in the internet cannot look the address up there"
        yield Problem(ZONE, f"{private}: {text}; name the public zone, or write alb.internal: true")
    if wanted.certificate_arn is None:
        text = "ACM finds no proof of the domain there, and the certificate would never be issued"
        yield Problem(ZONE, f"{private}: {text}; name a public zone, or add {CERTIFICATE}")
    if wanted.vpc_id and wanted.vpc_id not in zone.vpcs:
        text = f"it does not answer in {wanted.vpc_id}; associate it with that VPC"
        yield Problem(ZONE, f"{private}: {text}", refused=False)
    elif wanted.vpc_id is None:
        text = "it answers in the new VPC only when it is associated with that, once it is there"
        yield Problem(ZONE, f"{private}: {text}", refused=False)
