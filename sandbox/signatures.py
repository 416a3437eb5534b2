"""
Verifies the signature of a request: Signature Version 4, in a header or the query, with one of a sandbox's
keys.

botocore computes the signature again, from the request as it arrived, to compare. Time is the system clock's,
as for clients, whatever the sandbox's clock says. Source: AWS docs, "Signature Version 4", and
"Authenticating Requests" of S3; there, Version 2 as well: `aws s3 presign` still creates such URLs.
"""

from __future__ import annotations

import hmac
import re
import time
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from sandbox.key import WINDOW_SECONDS, Key
from sandbox.logins import Logins

Reason = Literal["missing", "incomplete", "unknown", "mismatch", "expired", "body", "unoffered", "ended"]
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(r"(?P<id>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_LONGEST_SECONDS = 7 * 86_400
"""Longest validity of a presigned URL."""
_UNBOUND = frozenset({"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
"""The hash of an unsigned body in a client's signature."""
_PATH_AS_IT_IS = frozenset({"s3", "s3-outposts", "s3-object-lambda"})
"""Services whose paths are signed as sent; other paths are normalised and encoded once more."""


class Refused(Exception):  # noqa: N818 - the request is
    """A request without a valid signature."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True)
class Signed:
    """The signature data of a request; *expires*: seconds, of a presigned one."""

    access_key_id: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    stamp: str
    token: str | None
    expires: float | None = None

    @property
    def is_of_version_2(self) -> bool:
        """Whether it is Signature Version 2, which only S3 accepts: in a URL, without a scope."""
        return not self.date


def check(request: Request, logins: Logins, body: Callable[[], bytes]) -> None:
    """
    Return if *request* is signed with a key of *logins*; *body* returns its content, and is called last.

    Raises:
        Refused: it is not.

    """
    signed = described(request)
    key = logins.find(signed.access_key_id)
    if key is None or not _same(key.session_token or "", signed.token or ""):
        raise Refused("unknown")
    if logins.ended(key.access_key_id):
        raise Refused("ended")
    if signed.is_of_version_2:
        _check_version_2(request, signed, key)
        return
    _check_time(signed)
    stated = request.headers.get("X-Amz-Content-SHA256", "")
    if stated.startswith("STREAMING-AWS4-"):
        raise Refused("unoffered")
    if not stated and signed.expires is not None and signed.service == "s3":
        stated = "UNSIGNED-PAYLOAD"
    computed = _computed(request, signed, key, stated or sha256(body()).hexdigest())
    if not _same(computed, signed.signature):
        raise Refused("mismatch")
    if stated and stated not in _UNBOUND and not _same(stated, sha256(body()).hexdigest()):
        raise Refused("body")


def described(request: Request) -> Signed:
    """Return the signature data of *request*; raises Refused if it is missing or incomplete."""
    header, query = request.headers.get("Authorization"), "X-Amz-Signature" in request.args
    older = "Signature" in request.args
    if not (header is not None or query or older):
        raise Refused("missing")
    if sum((header is not None, query, older)) > 1:
        raise Refused("incomplete")
    if older:
        return _of_older_query(request)
    return _of_query(request) if header is None else _of_header(request, header)


def _of_header(request: Request, header: str) -> Signed:
    found = _HEADER.fullmatch(header.strip())
    if found is None:
        raise Refused("incomplete")
    headers = tuple(found["headers"].split(";"))
    loose = {name.lower() for name in request.headers.keys() if name.lower().startswith("x-amz-")}  # noqa: SIM118 - keys() of headers
    if loose - set(headers) - {"x-amz-content-sha256"}:
        raise Refused("mismatch")
    token = request.headers.get("X-Amz-Security-Token")
    stamp = request.headers.get("X-Amz-Date", "")
    return _signed(found["credential"], headers, found["signature"], stamp, token, None)


def _of_query(request: Request) -> Signed:
    given = {name: request.args.getlist(name) for name in request.args if name.startswith("X-Amz-")}
    if any(len(values) > 1 for values in given.values()):
        raise Refused("incomplete")
    one = {name: values[0] for name, values in given.items()}
    if one.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
        raise Refused("incomplete")
    try:
        expires = float(int(one.get("X-Amz-Expires", "")))
    except ValueError:
        raise Refused("incomplete") from None
    headers = tuple(one.get("X-Amz-SignedHeaders", "").split(";"))
    token = one.get("X-Amz-Security-Token")
    signature, stamp = one["X-Amz-Signature"], one.get("X-Amz-Date", "")
    return _signed(one.get("X-Amz-Credential", ""), headers, signature, stamp, token, expires)


def _of_older_query(request: Request) -> Signed:
    names = ("AWSAccessKeyId", "Signature", "Expires")
    given = [request.args.getlist(name) for name in names]
    if any(len(values) != 1 for values in given):
        raise Refused("incomplete")
    (access_key_id,), (signature,), (until,) = given
    token = request.args.get("x-amz-security-token")
    return Signed(access_key_id, "", "us-east-1", "s3", (), signature, until, token)


def _check_version_2(request: Request, signed: Signed, key: Key) -> None:
    """Compare the signature of a Version 2 URL, and its expiry."""
    if not signed.stamp.isdigit():
        raise Refused("incomplete")
    from botocore import auth  # noqa: PLC0415 - as in `_botocore`

    base: Any = auth.HmacV1QueryAuth

    class Signer(base):  # type: ignore[misc]
        """botocore's signer, with the time of the signature."""

        def _get_date(self) -> str:
            return signed.stamp

    _, request_of, credentials_of = _botocore()
    headers = request_of(request.method, "").headers
    for name, value in request.headers.items():
        if name.lower() in {"content-md5", "content-type"} or name.lower().startswith("x-amz-"):
            headers[name] = value
    signer = Signer(credentials_of(key.access_key_id, key.secret_access_key, key.session_token))
    where = urlsplit(_target(request.environ))
    bucket, dot, _ = request.host.partition(".localhost")
    path = f"/{bucket}{where.path}" if dot else where.path
    if not _same(signer.get_signature(request.method, where, headers, auth_path=path), signed.signature):
        raise Refused("mismatch")
    if not 0 <= int(signed.stamp) - time.time() <= _LONGEST_SECONDS:
        raise Refused("expired")


def _signed(
    credential: str,
    headers: tuple[str, ...],
    signature: str,
    stamp: str,
    token: str | None,
    expires: float | None,
) -> Signed:
    scope = _CREDENTIAL.fullmatch(credential)
    if scope is None or "host" not in headers or not stamp.startswith(scope["date"]):
        raise Refused("incomplete")
    return Signed(
        scope["id"],
        scope["date"],
        scope["region"],
        scope["service"],
        headers,
        signature,
        stamp,
        token,
        expires,
    )


def _check_time(signed: Signed) -> None:
    try:
        made = timegm(time.strptime(signed.stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refused("incomplete") from None
    age, until = time.time() - made, WINDOW_SECONDS
    if signed.expires is not None:
        if not 0 < signed.expires <= _LONGEST_SECONDS:
            raise Refused("incomplete")
        until = signed.expires
    if not -WINDOW_SECONDS <= age <= until:
        raise Refused("expired")


def _computed(request: Request, signed: Signed, key: Key, content: str) -> str:
    """Return the request's signature made with *key*; *content* represents its body."""
    kind, request_of, credentials_of = _botocore()
    headers = {name: _text(request, name) for name in signed.headers}
    again = request_of(request.method, f"http://{request.host}{_target(request.environ)}", headers)
    again.context |= {"timestamp": signed.stamp, "content": content}
    credentials = credentials_of(key.access_key_id, key.secret_access_key)
    signer = kind(credentials, signed.service, signed.region)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return str(signer.signature(text, again))


@cache
def _botocore() -> tuple[Any, Any, Any]:
    """Return the classes of signer, request and credentials; loaded for the first request."""
    from botocore import auth  # noqa: PLC0415 - starting waits for nothing
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above
    from botocore.credentials import Credentials  # noqa: PLC0415 - as above

    base: Any = auth.SigV4Auth  # its stubs leave out what is overridden here

    class Signer(base):  # type: ignore[misc]
        """
        botocore's signer of a received request: its signed headers, and the path as its service signs it.
        """

        def headers_to_sign(self, request: Any) -> Any:
            return request.headers

        def payload(self, request: Any) -> str:
            return str(request.context["content"])

        def _normalize_url_path(self, path: str) -> str:
            if self._service_name in _PATH_AS_IT_IS:
                return path
            return str(super()._normalize_url_path(path))

    return Signer, AWSRequest, Credentials


def _target(environ: Mapping[str, Any]) -> str:
    """Return path and query as received, without the signature, as they are signed."""
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    if not path.startswith("/"):  # the absolute form (RFC 9112, 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    rest = [pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature=")]
    return f"{path}?{'&'.join(rest)}"


def _text(request: Request, name: str) -> str:
    """Return a header's value; WSGI gives its bytes as Latin-1 (PEP 3333)."""
    return request.headers.get(name, "").encode("latin-1").decode("utf-8", "replace")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
