"""Stands between commands and a sandbox, and notes what IAM would have been asked for each request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_OF_BUCKETS = {
    "encryption": "EncryptionConfiguration",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "versioning": "BucketVersioning",
}
_OF_OBJECTS = {
    "HEAD": "s3:GetObject",
    "GET": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


class Recorder:
    """An endpoint that passes everything on to another one, while the `with` block lasts."""

    def __init__(self, endpoint: str) -> None:
        self.actions: set[str] = set()
        self.requests = 0
        recorder, target = self, urlsplit(endpoint).netloc

        class Passing(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._pass_on
                raise AttributeError(name)

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.requests += 1
                recorder.actions.update(asked(self.command, self.path, dict(self.headers), body))
                connection = HTTPConnection(target)
                headers = {name: value for name, value in self.headers.items() if name != "Connection"}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {
                        "connection",
                        "content-length",
                        "transfer-encoding",
                        "server",
                        "date",
                    }:
                        self.send_header(name, value)
                length = (
                    answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                )
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's word
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def asked(method: str, path: str, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """Yield the IAM actions of one request (Service Authorization Reference)."""
    found = _SCOPE.search(headers.get("Authorization", ""))
    service = found[1] if found else "unsigned"
    service = {"monitoring": "cloudwatch"}.get(service, service)  # signed by another name than IAM knows
    if target := headers.get("X-Amz-Target"):
        yield f"{service}:{target.rpartition('.')[2]}"
    elif b"Action=" in body:
        yield f"{service}:{parse_qs(body.decode())['Action'][0]}"
    elif service == "s3":
        yield from _of_s3(method, path, body)
    elif service == "route53":
        yield "route53:ListResourceRecordSets" if "/rrset" in path else "route53:GetHostedZone"
    elif service == "lambda" and method == "GET":
        yield "lambda:ListTags" if "/tags/" in path else "lambda:GetFunction"
    elif service != "unsigned":
        yield f"{service}:{json.dumps([method, path])}"


def _of_s3(method: str, path: str, body: bytes) -> Iterator[str]:
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True).keys()
    of_bucket = [word for key, word in _OF_BUCKETS.items() if key in query]
    if of_bucket:
        yield f"s3:{'Put' if method == 'PUT' else 'Get'}{of_bucket[0]}"
    elif "delete" in query:
        yield "s3:DeleteObject"
        if b"VersionId" in body:
            yield "s3:DeleteObjectVersion"
    elif "versions" in query:
        yield "s3:ListBucketVersions"
    elif parts.path.strip("/").count("/"):
        yield _OF_OBJECTS[method]
    else:
        yield "s3:CreateBucket" if method == "PUT" else "s3:ListBucket"
