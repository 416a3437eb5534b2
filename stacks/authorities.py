"""
Certificate authorities of RDS by region: `authorities.pem`, a dated table. Pure.

Each region has its own root certificates, which no system trust store contains (Amazon RDS User Guide, "Using
SSL/TLS to encrypt a connection to a DB instance or cluster"). Templates name `IDENTIFIER`, so a client needs
one certificate, and a renewal under the same root changes nothing for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

IDENTIFIER: Final = "rds-ca-rsa2048-g1"
"""RDS's default since 2024; its certificates are renewed by RDS without a restart of PostgreSQL."""

CERTIFICATE: Final = "DATABASE_CERTIFICATE"
"""Variable of a container that writes the certificate to a file at its start: no image has RDS's."""
CONTAINER_FILE: Final = "/tmp/database-authority.pem"  # noqa: S108 - the container's

FILE: Final = Path(__file__).parent / "authorities.pem"
_ENTRY: Final = r"^([a-z0-9-]+)\n(-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----)$"


@cache
def by_region() -> Mapping[str, str]:
    """Return region -> certificate (PEM) of the authority that signs for databases there."""
    return dict(re.findall(_ENTRY, FILE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def starting(variable: str, program: tuple[str, ...], *before: str) -> tuple[str, ...]:
    """
    Return the entry point that writes `CERTIFICATE` to the file that *variable* names, and becomes *program*.

    *before*: what the shell does in between. Where one of them fails, the container does not start.
    """
    write = f'printf "%s\\n" "${CERTIFICATE}" >"${variable}"'
    return ("/bin/sh", "-c", " && ".join([write, *before, 'exec "$@"']), "sh", *program)


def common_name(pem: str) -> str:
    """
    Return whose certificate *pem* is.

    Raises:
        ssl.SSLError: it is no certificate of an authority.

    """
    import ssl  # noqa: PLC0415 - only the check of the table loads it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    (found,) = context.get_ca_certs()
    subject: Any = found["subject"]  # sets of pairs, as Python's ssl has them
    return next(str(value) for part in subject for name, value in part if name == "commonName")
