"""
Access control of the endpoint: requests need the sandbox's key, and browsers are refused.

A web page can send requests to a loopback port, also by a name that resolves to it (DNS rebinding). It cannot
sign them, send another `Host` than its own name, or omit `Origin` and `Sec-Fetch-Site` (Fetch standard; W3C
"Fetch Metadata Request Headers").
"""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from sandbox.access.sessions import EXPIRED
from sandbox.errors import ApiError
from sandbox.key import PROOF, SIGNATURE, Key
from sandbox.logins import Logins
from sandbox.signatures import Reason, Refused, check

CONTROL = "/_sandbox/"
"""Prefix of the control pages' paths."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN = frozenset({"none", "same-origin"})
"""Values of `Sec-Fetch-Site` for requests from no other site."""
_SCOPE = re.compile(r"/([^/,\s]+)/aws4_request")
_XML = frozenset({"cloudfront", "route53"})
"""Services without forms whose errors have the format of those with forms."""
_FORM = "application/x-www-form-urlencoded"
_Family = Literal["query", "ec2", "json", "s3", "rest"]
Spoilt = Literal["throttle", "expired"]

_CODES: Mapping[Reason, tuple[str, str, str]] = {
    "missing": ("MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied"),
    "incomplete": ("IncompleteSignature", "IncompleteSignatureException", "InvalidRequest"),
    "unknown": ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    "mismatch": ("SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"),
    "expired": ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed"),
    "body": ("SignatureDoesNotMatch", "InvalidSignatureException", "XAmzContentSHA256Mismatch"),
    "unoffered": ("NotImplemented", "NotImplementedException", "NotImplemented"),
    "ended": ("ExpiredToken", "ExpiredTokenException", "ExpiredToken"),
}
"""Reason -> AWS's code in the query protocol, JSON, S3 (AWS docs, "Common errors", "Error responses")."""
_SPOILT: Mapping[Spoilt, Mapping[_Family, tuple[str, int]]] = {
    "throttle": {
        "query": ("Throttling", 400),
        "ec2": ("RequestLimitExceeded", 503),
        "json": ("ThrottlingException", 400),
        "rest": ("TooManyRequestsException", 429),
        "s3": ("SlowDown", 503),
    },
    "expired": {
        "query": ("ExpiredToken", 403),
        "ec2": ("RequestExpired", 400),
        "json": ("ExpiredTokenException", 400),
        "rest": ("ExpiredTokenException", 403),
        "s3": ("ExpiredToken", 400),
    },
}
"""Code and status by protocol (AWS docs, "Common errors"; "Error codes for the Amazon EC2 API"; S3 "Error
responses"; Lambda's TooManyRequestsException)."""
_MESSAGES: Mapping[Reason, str] = {
    "missing": "Missing Authentication Token",
    "incomplete": "The signature is incomplete, or of a kind that is not taken: use AWS4-HMAC-SHA256.",
    "unknown": "The security token included in the request is invalid.",
    "mismatch": "The request signature we calculated does not match the signature you provided.",
    "expired": "Signature expired: its time is too far from now.",
    "body": "The provided 'x-amz-content-sha256' header does not match what was computed.",
    "ended": EXPIRED,
    "unoffered": "A header you provided implies functionality that is not implemented: signed chunks.",
}


class Gate:
    """The access check in front of the sandbox."""

    def __init__(self, key: Key, now: Callable[[], float]) -> None:
        """*now* returns the virtual seconds since the epoch."""
        self.key = key
        self.logins = Logins(key, now)

    def refusal(self, request: Request) -> Response | None:
        """Return the response to a refused request, None if it may pass; its body stays readable."""
        if request.method == "OPTIONS" or _from_a_page(request) or not _of_loopback(request):
            return _answer(
                "s3", "AccessForbidden", "This sandbox answers no web page, and to no other name.", 403
            )
        if request.path.startswith(CONTROL):
            return None if self._controls(request) else _json_error("this sandbox's key is needed", 403)
        try:
            check(request, self.logins, lambda: content(request))
        except Refused as refused:
            if refused.reason == "missing" and self._is_vouched_for(request):
                return None
            return _refusal(request, refused.reason)
        return None

    def prove(self, request: Request, response: Response) -> Response:
        """Add the proof that it comes from this sandbox to *response*, of a control page."""
        signed = request.headers.get(SIGNATURE, "")
        response.headers[PROOF] = self.key.prove(signed, response.get_data())
        return response

    def _controls(self, request: Request) -> bool:
        signed = request.headers.get(SIGNATURE, "")
        return self.key.admits(signed, request.method, request.full_path.rstrip("?"), content(request))

    def _is_vouched_for(self, request: Request) -> bool:
        """
        Whether it requests a role of STS with a valid token, which AWS accepts without a signature.

        In AWS an identity provider has signed the token. No provider knows the sandbox, so its key has to:
        otherwise anybody could get a role.
        """
        if request.method != "POST" or request.mimetype != _FORM:
            return False
        content(request)
        form = request.form
        wanted = form.get("Action") == "AssumeRoleWithWebIdentity"
        return wanted and self.key.vouches_for(form.get("WebIdentityToken", ""))


def denied(request: Request, error: ApiError) -> Response:
    """Return the response to an unauthorized *request*, in its service's protocol."""
    family = _family(request)
    code = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException", "rest": "AccessDeniedException"}
    if error.code != "AccessDenied":
        return _answer(family, error.code, error.message, error.status)
    status = 400 if family == "json" else error.status  # services that speak JSON alone answer with 400
    return _answer(family, code.get(family, error.code), error.message, status)


def spoilt(request: Request, kind: Spoilt) -> Response:
    """Return the response to a throttled call, or to one with an expired login."""
    family = _family(request)
    code, status = _SPOILT[kind][family]
    return _answer(family, code, "Rate exceeded" if kind == "throttle" else EXPIRED, status)


def without_cors(start_response: Any) -> Any:
    """Return a `start_response` without the headers that let other sites' pages read the response."""

    def start(status: str, headers: Iterable[tuple[str, str]], *more: Any) -> Any:
        kept = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
        return start_response(status, kept, *more)

    return start


def _from_a_page(request: Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    return "Origin" in request.headers or (site is not None and site.lower() not in _OWN)


def _of_loopback(request: Request) -> bool:
    """
    Whether the requested host name belongs only to this machine.

    `NAME.localhost` never is another machine's (RFC 6761): S3 clients put a bucket there. The port is not
    checked: a tunnel has another one, and no page can choose a name by it.
    """
    try:
        name = urlsplit(f"//{request.environ.get('HTTP_HOST', '')}").hostname or ""
    except ValueError:
        return False
    return name in _LOOPBACK or name.endswith(".localhost")


def content(request: Request) -> bytes:
    """Return the body, and keep it readable for the request's handler."""
    body = request.get_data(cache=True, parse_form_data=False)
    request.environ["wsgi.input"], request.environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    request.environ.pop("wsgi.input_terminated", None)
    return body


def _refusal(request: Request, reason: Reason) -> Response:
    family = _family(request)
    code = _CODES[reason][{"query": 0, "ec2": 0, "json": 1, "rest": 1, "s3": 2}[family]]
    if family == "ec2" and reason in {"unknown", "mismatch", "expired"}:
        code = "AuthFailure"
    return _answer(family, code, _MESSAGES[reason], 501 if reason == "unoffered" else 403)


def _family(request: Request) -> _Family:
    """Return the protocol of the requested service."""
    if "X-Amz-Target" in request.headers:
        return "json"
    scope = request.headers.get("Authorization", "") + request.args.get("X-Amz-Credential", "")
    found = _SCOPE.search(scope)
    service = found[1] if found else ""
    if service == "s3":
        return "s3"
    if request.mimetype == _FORM or "Action" in request.args or service in _XML:
        return "ec2" if service == "ec2" else "query"
    return "rest" if service else "s3"


def _answer(family: _Family, code: str, message: str, status: int) -> Response:
    number, said = str(uuid.uuid4()), escape(message)
    if family in {"json", "rest"}:
        answer = Response(json.dumps({"__type": code, "message": message}), status)
        answer.headers["Content-Type"] = "application/x-amz-json-1.1"
        answer.headers["x-amzn-ErrorType"] = code
        return answer
    error = f"<Code>{code}</Code><Message>{said}</Message>"
    if family == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{number}</RequestID></Response>"
    elif family == "s3":
        text = f"<Error>{error}<RequestId>{number}</RequestId></Error>"
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
            f"<RequestId>{number}</RequestId></ErrorResponse>"
        )
    return Response(text, status, mimetype="text/xml")


def _json_error(message: str, status: int) -> Response:
    return Response(json.dumps({"error": message}), status, mimetype="application/json")
