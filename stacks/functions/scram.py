"""
What PostgreSQL keeps of a password: made here, so that no statement, and so no log, ever holds the password.

Sources: RFC 5802 (SCRAM), RFC 7677 (SHA-256); the text form is PostgreSQL's (its page "pg_authid":
``SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>``), which ``ALTER ROLE … PASSWORD`` takes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode

from stacks.functions.errors import RotationError

ITERATIONS = 4096
"""PostgreSQL's own default, and RFC 7677's minimum."""
SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """
    Return the verifier of *password*; with another *salt* it is another one. *salt*: random, unless given.

    Raises:
        RotationError: the password is empty or not of printable ASCII; all else needs SASLprep, RFC 4013.

    """
    if not password or not password.isascii() or not password.isprintable():
        raise RotationError(
            "the password in the secret is not of printable ASCII characters: start another rotation"
        )
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
