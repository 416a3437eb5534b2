"""
Calls of AWS's JSON protocol (one POST, the operation in a header) that are answered in front of moto.

Parses a call from a WSGI request and writes its response; independent of operations.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ApiError

Environ = dict[str, Any]
Json = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")
_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class JsonCall:
    """One call, in the region that it is signed for; `beneath` lets moto answer it."""

    region: str
    body: Mapping[str, Any]
    beneath: Callable[[], Json]


Operation = Callable[[JsonCall], Json]


class _Refused(Exception):  # noqa: N818 - the result of moto for the call
    """Moto refused a forwarded call."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        super().__init__(status)
        self.answer = (status, headers, body)


def in_front(operations: Mapping[str, Operation], moto: Wsgi) -> Wsgi:
    """Return an application that answers *operations*, by X-Amz-Target, and passes the rest to *moto*."""

    def app(environ: Environ, start_response: Any) -> Iterable[bytes]:
        operation = operations.get(environ.get("HTTP_X_AMZ_TARGET", ""))
        if operation is None:
            return moto(environ, start_response)
        status, headers, body = _answered(operation, environ, moto)
        start_response(status, headers)
        return [body]

    return app


def _answered(operation: Operation, environ: Environ, moto: Wsgi) -> tuple[str, list[tuple[str, str]], bytes]:
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = [("Content-Type", _TYPE)]

    def beneath() -> Json:
        return _beneath({**environ, "wsgi.input": io.BytesIO(content)}, moto)

    try:
        answer = operation(JsonCall(_region(environ), json.loads(content or b"{}"), beneath))
    except ApiError as error:
        refusal = {"__type": error.code, "message": error.message}
        return f"{error.status} Refused", headers, json.dumps(refusal).encode()
    except _Refused as refused:
        return refused.answer
    return "200 OK", headers, json.dumps(answer).encode()


def _beneath(environ: Environ, moto: Wsgi) -> Json:
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        started[:] = [status, headers]

    body = b"".join(moto(environ, start_response))
    status, headers = started
    if not status.startswith("2"):
        raise _Refused(status, headers, body)
    answer: Json = json.loads(body or b"{}")
    return answer


def _region(environ: Environ) -> str:
    found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found.group(1) if found else "us-east-1"
