"""The access keys that a sandbox accepts: its own, and those that it issues through STS and IAM."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.access.sessions import Session
from sandbox.key import Key, access_key_id, secret

if TYPE_CHECKING:  # it reads logins itself
    from sandbox.signatures import Signed

ISSUING = frozenset(
    {
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "CreateAccessKey",
        "GetFederationToken",
        "GetSessionToken",
    }
)
"""The actions of STS and IAM that return credentials."""
_FIXED = "AKIAIOSFODNN7EXAMPLE"
"""The access key id of AWS's examples, which moto gives to every session that assumes no role."""
_ID = re.compile(rb"<AccessKeyId>([^<]*)</AccessKeyId>")
_SECRET = re.compile(rb"<SecretAccessKey>[^<]*</SecretAccessKey>")
_EXPIRATION = re.compile(rb"<Expiration>[^<]*</Expiration>")
_TOKEN = re.compile(rb"<SessionToken>[^<]*</SessionToken>")


class Logins:
    """Access key id -> key. Threads may share it: each step is one atomic operation of a dict."""

    def __init__(self, key: Key, now: Callable[[], float]) -> None:
        """*now* returns the virtual seconds since the epoch."""
        self.key = key
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._held = {key.access_key_id: key}
        self.acting: Session | None = None
        """The role for requests with the sandbox's own key; None: an administrator."""

    def add(self, key: Key) -> None:
        """Accept *key* from now on."""
        self._held[key.access_key_id] = key

    def find(self, access_key_id: str) -> Key | None:
        """Return the key with that id."""
        return self._held.get(access_key_id)

    def is_own(self, signed: Signed | None) -> bool:
        """Whether that id is the sandbox's own key."""
        return signed is not None and signed.access_key_id == self.key.access_key_id

    def session(self, access_key_id: str) -> Session | None:
        """Return the role's session of the key with that id."""
        if access_key_id == self.key.access_key_id:
            return self.acting
        return self._sessions.get(access_key_id)

    def ended(self, access_key_id: str) -> bool:
        """Whether the session of the key with that id has ended."""
        found = self.session(access_key_id)
        return found is not None and found.ended(self._now())

    def forget(self) -> None:
        """Accept only the sandbox's own key."""
        self._held, self._sessions = {self.key.access_key_id: self.key}, {}
        self.acting = None

    def called(self, form: Mapping[str, str]) -> None:
        """Note the effect of a successful IAM call on the keys."""
        given = form.get("AccessKeyId", "")
        if form.get("Action") == "DeleteAccessKey" and given != self.key.access_key_id:
            self._held.pop(given, None)

    def of_role(self, session: Session) -> Key:
        """Return a key of *session*, as a task's host gives it to the task."""
        made = Key(access_key_id("ASIA"), secret(), secret(120))
        self.add(made)
        self._sessions[made.access_key_id] = session
        return made

    def issued(self, answer: bytes, role: Session | None = None, until: float | None = None) -> bytes:
        """
        Return *answer*, of one of the actions `ISSUING`, with credentials that are accepted from now on:
        those of *role*, or of the account. *until*: their expiration, seconds since the epoch.

        moto's own are constants of AWS's documentation, or come from a generator that can be predicted. A
        role keeps its access key id: GetCallerIdentity finds the role by it.
        """
        found = _ID.search(answer)
        if found is None or not _SECRET.search(answer):
            return answer
        theirs = found[1].decode()
        session = secret(120) if _TOKEN.search(answer) else None
        made = Key(access_key_id("ASIA") if theirs == _FIXED else theirs, secret(), session)
        self.add(made)
        if role is not None:
            self._sessions[made.access_key_id] = role
        answer = _ID.sub(f"<AccessKeyId>{made.access_key_id}</AccessKeyId>".encode(), answer, count=1)
        answer = _SECRET.sub(
            f"<SecretAccessKey>{made.secret_access_key}</SecretAccessKey>".encode(), answer, count=1
        )
        if until is not None:
            told = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            answer = _EXPIRATION.sub(f"<Expiration>{told}</Expiration>".encode(), answer, count=1)
        return _TOKEN.sub(f"<SessionToken>{session}</SessionToken>".encode(), answer, count=1)
