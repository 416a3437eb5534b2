"""The key of one sandbox: clients sign with it, and it authenticates responses of the control pages."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

WINDOW_SECONDS = 900.0
"""How far a signature's time may be from now, by the wall's clock (AWS docs, "Signature Version 4")."""
SIGNATURE, PROOF = "X-Sandbox-Signature", "X-Sandbox-Proof"
_LETTERS = string.ascii_uppercase + "234567"
_WORDS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Key:
    """An access key, in AWS's shape; `session_token` belongs to what STS issues."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @classmethod
    def new(cls) -> Key:
        """Return a new random key."""
        return cls(access_key_id("AKIA"), secret())

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables for a program to sign with it."""
        token = {"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}
        login = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        return login | token

    # control pages: both ends know the key, neither sends it

    def sign(self, method: str, page: str, body: bytes) -> str:
        """Return the header `SIGNATURE` of a request for a control page, made now."""
        stamp = f"{time.time():.3f}-{secrets.token_hex(8)}"
        return f"{stamp}-{self._mac('request', stamp, method, page, body)}"

    def admits(self, signed: str, method: str, page: str, body: bytes) -> bool:
        """Whether *signed* is the header of such a request, made with this key, not long ago."""
        stamp, _, mac = signed.rpartition("-")
        try:
            age = abs(time.time() - float(stamp.partition("-")[0]))
        except ValueError:
            return False
        expected = self._mac("request", stamp, method, page, body)
        return hmac.compare_digest(mac.encode(), expected.encode()) and age <= WINDOW_SECONDS

    def prove(self, signed: str, answer: bytes) -> str:
        """Return the header `PROOF` of *answer* to the request with *signed*."""
        return self._mac("answer", signed, "", "", answer)

    def proves(self, proof: str, signed: str, answer: bytes) -> bool:
        """Whether *answer* was made with this key, and belongs to that request."""
        return hmac.compare_digest(proof.encode(), self.prove(signed, answer).encode())

    def _mac(self, what: str, stamp: str, method: str, page: str, body: bytes) -> str:
        text = "\n".join((what, stamp, method, page, sha256(body).hexdigest()))
        return hmac.new(self.secret_access_key.encode(), text.encode(), sha256).hexdigest()

    # tokens of an identity provider

    def web_identity(self, claims: Mapping[str, object]) -> str:
        """Return a token for AssumeRoleWithWebIdentity: a JWT signed with this key (RFC 7515)."""
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self._jws(text)}"

    def vouches_for(self, token: str) -> bool:
        """Whether *token* was made with this key."""
        text, _, signature = token.rpartition(".")
        return hmac.compare_digest(signature.encode(), self._jws(text).encode())

    def _jws(self, text: str) -> str:
        return _base64(hmac.new(self.secret_access_key.encode(), text.encode(), sha256).digest())


def access_key_id(prefix: str) -> str:
    """Return an access key id: AKIA begins a key that stays, ASIA one of a session (IAM's identifiers)."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))


def secret(length: int = 40) -> str:
    """Return a secret access key, or with another *length* a session's token."""
    return "".join(secrets.choice(_WORDS) for _ in range(length))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
