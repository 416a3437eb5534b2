"""
The sandbox's certificate authority, and the certificates that it issues to its servers.

It issues them for the names of ACM's certificates and for loopback addresses. On AWS, RDS's servers have
certificates of RDS's CA, whose bundle clients are given (Amazon RDS User Guide, "Using SSL/TLS to encrypt a
connection to a DB instance"): here the CA file is that bundle, and functions that are given RDS's get it. A
client that trusts it verifies certificates as on AWS; whoever obtains its key can impersonate any name, but
only to such a client.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.gateway import AUTHORITY

_KEY = "sandbox-ca.key"
_YEARS, _DAYS = timedelta(days=3650), timedelta(days=397)
_PEM = serialization.Encoding.PEM


class Authority:
    """Issues certificates; its own one and the key are stored in files of *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / AUTHORITY
        self._key, self._certificate = self._kept() or self._made()

    def issue(self, names: Sequence[str]) -> tuple[str, str]:
        """Return a certificate for *names*, host names or IP addresses, and its key; both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = [_general(one) for one in dict.fromkeys(names)]
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _begun(names[0], self._certificate.subject, key.public_key(), _DAYS)
            .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(_PEM).decode(), _private(key).decode()

    def _kept(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
        with suppress(OSError, ValueError):
            held = (self._folder / _KEY).read_bytes()
            key = serialization.load_pem_private_key(held, password=None)
            certificate = x509.load_pem_x509_certificate(self.file.read_bytes())
            lasts = certificate.not_valid_after_utc > datetime.now(UTC) + _DAYS
            if isinstance(key, ec.EllipticCurvePrivateKey) and lasts:
                return key, certificate
        return None

    def _made(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named("gatestack sandbox")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _begun("gatestack sandbox", name, key.public_key(), _YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_closed(self._folder / _KEY, _private(key))
        write_closed(self.file, certificate.public_bytes(_PEM))
        return key, certificate


def write_closed(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content)


def _begun(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    begins = datetime.now(UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def is_of_rds(text: str) -> bool:
    """Whether *text* is a certificate of RDS's authority, whose bundles have the unit ``Amazon RDS``."""
    if not text.startswith("-----BEGIN CERTIFICATE-----"):
        return False
    try:
        subject = x509.load_pem_x509_certificate(text.encode()).subject
    except ValueError:
        return False
    return "Amazon RDS" in [
        one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    ]
