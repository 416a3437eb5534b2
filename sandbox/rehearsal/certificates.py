"""A certificate that ACM issued before anybody deploys: its ARN is what environment files name."""

from __future__ import annotations

import re

from sandbox.services.services import Services

_ARN = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[0-9a-f-]{36}")
ISSUED = "ISSUED"


def make(services: Services, domain: str, region: str, arn: str) -> str:
    """
    Issue a certificate for *domain*, with the *arn* where one is given; return its ARN.

    Raises:
        ValueError: the ARN is none of that region, or is taken.

    """
    from moto.acm.models import CertBundle  # noqa: PLC0415 - moto loads when it is needed

    found = _ARN.fullmatch(arn) if arn else None
    if arn and (found is None or found[1] != region):
        raise ValueError(f"{arn} is not the ARN of a certificate in {region}")
    state = services.backend("acm", region)
    held = state._certificates  # noqa: SLF001 - moto has no other name for it
    if arn in held:
        raise ValueError(f"{arn} is there already")
    made = CertBundle.generate_cert(domain, services.account, region)
    made.status, made.arn = ISSUED, arn or made.arn
    held[made.arn] = made
    return str(made.arn)


def issue(services: Services, arn: str, region: str) -> None:
    """Have ACM issue the certificate *arn*, whose names are proved."""
    services.backend("acm", region)._certificates[arn].status = ISSUED  # noqa: SLF001 - as above


def issued(services: Services, arn: str, region: str) -> bool:
    """Whether ACM of *region* has issued the certificate *arn*."""
    found = services.backend("acm", region)._certificates.get(arn)  # noqa: SLF001 - as above
    return found is not None and found.status == ISSUED
