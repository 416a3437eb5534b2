"""
Certificates of the load balancers, issued by a certification authority of this state folder.

For the names that ACM's certificate has, and for those of this machine. A client that trusts the authority's
file checks them as it does on AWS; who finds the key of it can speak for any name to such a client alone.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.gateway.balancer import AUTHORITY

_KEY = "load-balancer-ca.key"
_HERE = ("localhost", "127.0.0.1")
_YEARS, _DAYS = timedelta(days=3650), timedelta(days=397)
Names = Sequence[str]


class Authority:
    """Makes what listeners show; its own certificate and key are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / AUTHORITY
        self._key, self._certificate = self._kept() or self._made()

    def chooser(self, certificates: Callable[[], Sequence[Names]]) -> ssl.SSLContext:
        """
        Return a context that shows the certificate for the name that a client asks for, else the first.

        User Guide for Application Load Balancers, "SSL certificates", "Smart certificate selection":
        *certificates* gives the names of each, of the listener as it is then.
        """
        made: dict[Names, ssl.SSLContext] = {}

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            there = [tuple(one) for one in certificates()] or [()]
            chosen = next((one for one in there if name and _covers(one, name)), there[0])
            if chosen not in made:
                made[chosen] = self._context(chosen)
            connection.context = made[chosen]

        context = self._context(())
        context.sni_callback = choose
        return context

    def _context(self, names: Names) -> ssl.SSLContext:
        """Return a context with a new certificate for *names*; the key is in a file for a moment alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issued(key.public_key(), [*names, *_HERE])
        beside = self._folder / f"load-balancer.{os.getpid()}.{id(key)}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            _write(beside, _private(key) + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(beside)
        finally:
            beside.unlink(missing_ok=True)
        return context

    def _issued(self, key: ec.EllipticCurvePublicKey, names: Names) -> x509.Certificate:
        alternative = [_general(one) for one in dict.fromkeys(names)]
        return (
            _begun(names[0], self._certificate.subject, key, _DAYS)
            .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )

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
        _write(self._folder / _KEY, _private(key))
        _write(self.file, certificate.public_bytes(serialization.Encoding.PEM))
        return key, certificate


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


def _covers(names: Names, asked: str) -> bool:
    wild = f"*.{asked.partition('.')[2]}"
    return any(one.lower() in (asked.lower(), wild.lower()) for one in names)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, from its first byte on."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(content)
