"""
The sandbox's own authority for TLS, and the certificates that it issues to servers.

RDS's servers show a certificate of RDS's authority, whose bundle clients are given (Amazon RDS User Guide,
"Using SSL/TLS to encrypt a connection to a DB instance"); here `certificate` is that bundle.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_DAYS = 3650
_PEM = serialization.Encoding.PEM


class Authority:
    """An authority whose key is in this process alone; its certificate is in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gatestack sandbox")])
        begun = _builder(self._name, self._key.public_key())
        signing = x509.KeyUsage(
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
        authority = x509.BasicConstraints(ca=True, path_length=0)
        made = begun.issuer_name(self._name).add_extension(authority, critical=True)
        made = made.add_extension(signing, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._certificate = made.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())
        file.write_bytes(self._certificate.public_bytes(_PEM))

    def issue(self, address: str) -> tuple[str, str]:
        """Return a certificate of the server at *address*, an IP address, and its key; both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = _builder(name, key.public_key()).issuer_name(self._name).add_extension(names, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = made.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return signed.public_bytes(_PEM).decode(), key.private_bytes(_PEM, kind, plain).decode()


def _builder(name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
    )
