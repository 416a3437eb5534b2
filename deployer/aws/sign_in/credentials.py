"""
Checks, before the first request, that credentials can be sent, and collects the secrets among them.

A secret from a pipeline often ends in a newline. No HTTP header can contain one (RFC 9110, 5.5), and the
libraries' error messages repeat the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session

from deployer.errors import Refused
from deployer.scrub import remember

_UNSENDABLE = re.compile(r"[^\x21-\x7e]")
"""White space, control characters, and what is no ASCII: no part of any AWS credentials."""
_PARTS: Mapping[str, tuple[str, ...]] = {
    "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
    "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "aws_session_token": ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
}
"""Key of a profile -> variables, in botocore's order (credentials.py, EnvProvider)."""


def resolved(session: botocore.session.Session) -> tuple[str | None, ...]:
    """
    Return the access key and token that requests of *session* are signed with; empty where there are none.

    Raises:
        Refused: what they are made of, or they themselves, cannot be sent.

    """
    credentials = session.get_credentials()
    if credentials is None:
        return ()
    for source, name, value in _sources(session, credentials.method):
        _check(source, name, value)
    frozen = credentials.get_frozen_credentials()
    values = (frozen.access_key, frozen.secret_key, frozen.token)
    for name, value in zip(_PARTS, values, strict=True):
        _check(f"the credentials that botocore found ({credentials.method})", name, value)
    remember(frozen.secret_key, frozen.token)
    return (frozen.access_key, frozen.token)


def watch(session: botocore.session.Session) -> None:
    """Mask the tokens of later requests of *session*: botocore renews them by itself."""

    def sent(**event: Any) -> None:
        token = event["request"].headers.get("X-Amz-Security-Token")
        remember(token.decode() if isinstance(token, bytes) else token)

    session.register("before-send", sent)


def _sources(session: botocore.session.Session, method: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield the settings that credentials of *method* come from: place, name there, and value."""
    profiles = session.full_config.get("profiles", {})
    name = session.profile or "default"
    seen: set[str] = set()
    environment = method == "env"
    while method != "env" and name in profiles and name not in seen:
        seen.add(name)
        for part in _PARTS:
            yield f"the profile {name}", part, profiles[name].get(part)
        environment |= profiles[name].get("credential_source") == "Environment"
        name = profiles[name].get("source_profile", name)
    if environment:
        for variables in _PARTS.values():
            variable = next((one for one in variables if os.environ.get(one)), variables[0])
            yield "the environment", variable, os.environ.get(variable)


def _check(source: str, name: str, value: str | None) -> None:
    if value and _UNSENDABLE.search(value):
        what = (
            "ends in a newline"
            if value.endswith("\n")
            else "holds white space or a character that is no ASCII"
        )
        raise Refused(f"{name} of {source} {what}: set it again without that; nothing was sent to AWS")
