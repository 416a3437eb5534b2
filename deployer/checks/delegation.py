"""
Whether a hosted zone answers for its domain in public DNS, which ACM needs to issue a certificate. Pure.

ACM looks for its validation record in public DNS for up to 72 hours, and CloudFormation waits for it (ACM
User Guide, "DNS validation"). Public DNS uses a zone when the registrar, or the parent zone, lists its name
servers (Route 53 Developer Guide, "Making Route 53 the DNS service for a domain").
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from deployer.checks.facts import Problem, Problems, Zone
from generator.manifest import Existing

ZONE = "alb.hosted_zone_id"
OTHER_RESOLVER = "GATESTACK_DNS_SERVER"
"""Variable that names the resolver to ask, ``1.1.1.1`` or ``127.0.0.1:5353``; else the machine's is."""


@dataclass(frozen=True)
class Delegation:
    """What public DNS says of a domain's name servers."""

    servers: tuple[str, ...] = ()
    """The names in its NS records, without the dot at the end; none: there is no such domain."""
    same: bool = False
    """Whether some have the address of one of the zone's own servers, which may be given other names."""
    unknown: str = ""
    """Why it is unknown."""


def asks_dns(wanted: Existing, zone: Zone) -> bool:
    """Whether a certificate is still to be validated in *zone*; a private one is judged without DNS."""
    return wanted.certificate_arn is None and not zone.private and bool(zone.servers)


def delegation_problems(name: str, servers: Collection[str], found: Delegation) -> Problems:
    """Yield what is wrong with the delegation of the zone *name* to *servers*, its delegation set."""
    if found.unknown:
        text = f"the delegation of {name} to this zone could not be checked ({found.unknown})"
        remedy = f"`dig NS {name}` has to answer {_some(servers)}, else the certificate is never issued"
        yield Problem(ZONE, f"{text}; {remedy}", refused=False)
        return
    if found.same or _same(found.servers) & _same(servers):
        return
    leads = f"is delegated to {_some(found.servers)}" if found.servers else "is not delegated"
    text = f"{name} {leads} in public DNS, not to this zone: the certificate would never be issued"
    remedy = f"at the registrar, or in the zone above it, name {_some(servers)} as its name servers"
    again = f"where only this machine's resolver says so, name a public one with {OTHER_RESOLVER}=1.1.1.1"
    yield Problem(ZONE, f"{text}; {remedy}; {again}")


def _same(names: Collection[str]) -> set[str]:
    return {name.rstrip(".").lower() for name in names}


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(_same(names)))
