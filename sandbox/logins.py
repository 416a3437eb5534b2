"""The keys that a sandbox takes: its own, and those that it issues through STS and IAM."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.key import Key, access_key_id, secret

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
"""The actions of STS and IAM that answer with credentials."""
_FIXED = "AKIAIOSFODNN7EXAMPLE"
"""The access key id of AWS's examples, which moto gives to every session that assumes no role."""
_ID = re.compile(rb"<AccessKeyId>([^<]*)</AccessKeyId>")
_SECRET = re.compile(rb"<SecretAccessKey>[^<]*</SecretAccessKey>")
_TOKEN = re.compile(rb"<SessionToken>[^<]*</SessionToken>")


class Logins:
    """Access key id -> key. Threads may share it: each step is one of a dict's own."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._held = {key.access_key_id: key}

    def add(self, key: Key) -> None:
        """Take *key* from now on."""
        self._held[key.access_key_id] = key

    def find(self, access_key_id: str) -> Key | None:
        """Return the key of that id."""
        return self._held.get(access_key_id)

    def forget(self) -> None:
        """Take nothing but the sandbox's own key."""
        self._held = {self.key.access_key_id: self.key}

    def called(self, form: Mapping[str, str]) -> None:
        """Note what a call of IAM's that went well means for the keys."""
        given = form.get("AccessKeyId", "")
        if form.get("Action") == "DeleteAccessKey" and given != self.key.access_key_id:
            self._held.pop(given, None)

    def issued(self, answer: bytes) -> bytes:
        """
        Return *answer*, of one of the actions `ISSUING`, with credentials that are taken from now on.

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
        answer = _ID.sub(f"<AccessKeyId>{made.access_key_id}</AccessKeyId>".encode(), answer, count=1)
        answer = _SECRET.sub(
            f"<SecretAccessKey>{made.secret_access_key}</SecretAccessKey>".encode(), answer, count=1
        )
        return _TOKEN.sub(f"<SessionToken>{session}</SessionToken>".encode(), answer, count=1)
