"""
Masks secrets in texts: known credentials by value, and others by pattern.

`deployer.secrecy` decides by a property's name which values are shown; here only the characters of a text are
known. The only state is the set of credentials in use: code that obtains a secret registers it here.
"""

from __future__ import annotations

import re
from functools import cache

HIDDEN = "(hidden)"
REFERENCE = "{{resolve:"
"""A dynamic reference is no secret: CloudFormation puts the value in later."""
LEAST = 16
"""
Characters of a value that is looked for wherever it stands. Shorter ones are words of other texts as well.

An AWS secret access key has 40 (IAM User Guide), a session token hundreds.
"""
MOST = 300
"""Characters quoted from another program or server."""

_HINTS = (
    "authori", "amz-", "api-key", "signature", "secret", "token", "://", "passw", "pwd", "cookie",
    "header value", "eyj",
)  # fmt: skip
"""Every secret shape below contains one of these: most texts have none, and are searched once."""

_PAGE = r"(?is)<(?:!doctype|html|head|body|title)\b.*"

_in_use: tuple[str, ...] = ()


def remember(*values: str | None) -> None:
    """Mask *values* from now on, as they are and URL-encoded."""
    global _in_use  # noqa: PLW0603 - one list for the process: it has one login at a time, and all are hidden
    found = {value.strip() for value in values if value}
    long = {value for value in found if len(value) >= LEAST and value not in _in_use}
    if not long:
        return
    from urllib.parse import quote  # noqa: PLC0415 - a command that logs in nowhere does without

    spelled = {spelling for value in long for spelling in (value, quote(value, safe=""), quote(value))}
    _in_use = tuple(sorted({*_in_use, *spelled}, key=len, reverse=True))


def scrubbed(text: str) -> str:
    """Return *text* without the secrets in use, and without anything in the shape of one."""
    for value in _in_use:
        text = text.replace(value, HIDDEN)
    small = text.lower()
    if any(hint in small for hint in _HINTS):
        for shape in _shapes():
            text = shape.sub(_hidden, text)
    return text


def scrubbed_json(text: str) -> str:
    """Return JSON of the same data with each string scrubbed; *text* is JSON."""
    if "\\" not in text and scrubbed(text) == text:
        return text
    return re.sub(r'"(?:[^"\\]|\\.)*"', _scrubbed_literal, text)


def said(foreign: object, *, most: int = MOST) -> str:
    """
    Return what another program, library or server says as one short line: no secret, header value or page.

    *foreign* is a text, or an exception that is not ours; *most*: characters.
    """
    text = re.sub(_PAGE, "(a page of HTML)", scrubbed(str(foreign)))
    line = " ".join(text.split()) or type(foreign).__name__
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _scrubbed_literal(found: re.Match[str]) -> str:
    import json  # noqa: PLC0415 - most texts come without

    said = json.loads(found[0])
    kept = scrubbed(said)
    return found[0] if kept == said else json.dumps(kept)


def _hidden(found: re.Match[str]) -> str:
    return found[0] if REFERENCE in found["secret"] else f"{found['before']}{HIDDEN}"


@cache
def _shapes() -> tuple[re.Pattern[str], ...]:
    """Return the shapes of secrets: what stands `before`, and the `secret`."""
    is_ = r"""(?:\\{0,8}["'])?\s{0,3}(?:[:=>]|%3[ad])\s{0,3}(?:b?\\{0,8}["'])?"""
    word = r"""[^\s"'&<>,;\\]+"""
    rest = r"""[^\r\n"'<>]+"""
    schemes = "(?:aws4-|bearer|basic|digest|token|negotiate|ntlm|apikey)"
    tokens = "(?:access|session|security|refresh|id|auth|authorization)[-_]?token"
    keys = "secret[-_]?(?:access[-_]?)?key|client[-_]?secret|x-api-key"
    shapes = (
        # a header of HTTP, as such, in a library's words for it, and in a mapping's
        rf"(?P<before>authorization{is_})(?P<secret>{schemes}{rest}|{word})",
        rf"(?P<before>\bcookie{is_})(?P<secret>{rest})",
        r"(?P<before>header value:?\s)(?P<secret>.+)",
        # AWS Signature Version 4 and 2, in headers and in a presigned URL's query
        rf"(?P<before>x-amz-(?:security-token|signature|credential){is_})(?P<secret>{word})",
        rf"(?P<before>signature(?:=|%3d))(?P<secret>{word})",
        # settings, and answers of STS
        rf"(?P<before>(?:{tokens}|{keys}){is_})(?P<secret>{word})",
        rf"(?P<before>(?:password|passwd|pwd)\s?=\s?[\"']?)(?P<secret>{word})",
        # what stands before the host of a URL: RFC 3986, 3.2.1; ports are no passwords
        r"""(?P<before>://[^\s/?#@:"'<>]{0,256}:)(?P<secret>(?!\d{1,5}(?:[/?#]|$))[^\s"'<>]{0,512})(?=@)""",
        r"""(?P<before>://)(?P<secret>[^\s/?#@:"'<>]{16,512})(?=@)""",
        r"(?P<before>)(?<![\w-])(?P<secret>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)",  # RFC 7519, a JSON Web Token
    )
    return tuple(re.compile(f"(?i){shape}") for shape in shapes)
