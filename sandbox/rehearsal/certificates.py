"""Provides an issued ACM certificate, whose ARN environment files name."""

from __future__ import annotations

import re

from sandbox.rules.certificates import ISSUED, held
from sandbox.services.services import Services

_ARN = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[0-9a-f-]{36}")


def make(services: Services, domain: str, region: str, arn: str) -> str:
    """
    Issue a certificate for *domain*, with the *arn* if one is given; return its ARN.

    Raises:
        ValueError: the ARN is none of that region, or is taken.

    """
    from moto.acm.models import CertBundle  # noqa: PLC0415 - moto loads when it is needed

    found = _ARN.fullmatch(arn) if arn else None
    if arn and (found is None or found[1] != region):
        raise ValueError(f"{arn} is not the ARN of a certificate in {region}")
    there = held(services, region)
    if arn in there:
        raise ValueError(f"{arn} is there already")
    made = CertBundle.generate_cert(domain, services.account, region)
    made.status, made.arn = ISSUED, arn or made.arn
    there[made.arn] = made
    return str(made.arn)
