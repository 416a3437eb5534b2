"""An AWS that gives one answer which is none: everything else it passes on to the sandbox behind it."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FOREIGN = "nonsense.example.com"
"""Where redirects lead; it must not be looked up."""
PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome to the hotel</body></html>"


def answer(
    body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/xml", length: int | None = None
) -> bytes:
    """Return an HTTP response; *length*: its declared length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers, "Connection: close"]
    if not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def xml(text: str) -> bytes:
    return answer(f'<?xml version="1.0"?>{text}'.encode())


def refusal(code: str, message: str, status: str) -> bytes:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return answer(f"<ErrorResponse>{error}</ErrorResponse>".encode(), status=status)


def json(text: str, status: str = "200 OK") -> bytes:
    return answer(text.encode(), kind="application/x-amz-json-1.1", status=status)


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
NONSENSE: dict[str, bytes] = {
    # a portal, a load balancer, a proxy in between
    "a page": answer(PAGE, kind="text/html"),
    "a page of a server that is down": answer(PAGE, status="503 Service Unavailable", kind="text/html"),
    "a page that forbids": answer(PAGE, status="403 Forbidden", kind="text/html"),
    "a page of nothing": answer(PAGE, status="404 Not Found", kind="text/html"),
    "a proxy that wants a login": answer(
        b"me:{secret}@proxy", "Proxy-Authenticate: Basic", status="407 Proxy Authentication Required"
    ),
    "a redirect": answer(b"", f"Location: https://{FOREIGN}/", status="301 Moved Permanently"),
    "a redirect that repeats the request": answer(
        b"", f"Location: https://{FOREIGN}/", status="307 Temporary Redirect"
    ),
    "a redirect to another region": answer(
        refusal("PermanentRedirect", "elsewhere", "x").partition(b"\r\n\r\n")[2],
        "x-amz-bucket-region: eu-west-1",
        status="301 Moved Permanently",
    ),
    # bodies
    "nothing": answer(b""),
    "nothing, and no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "XML that ends too early": xml("<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"),
    "XML of something else": xml("<feed><entry>news</entry></feed>"),
    "XML that is empty": xml("<r/>"),
    "XML of wrong types": xml(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks>none</Stacks></DescribeStacksResult>"
        "</DescribeStacksResponse>"
    ),
    "XML of a time that is none": xml(
        "<R><R><Stacks><member><StackName>x</StackName><CreationTime>soon</CreationTime><StackStatus>BLUE"
        "</StackStatus></member></Stacks><StackEvents><member><Timestamp>soon</Timestamp></member>"
        "</StackEvents></R></R>"
    ),
    "XML of entities": xml(f'<!DOCTYPE r [<!ENTITY e0 "x">{ENTITIES}]><r>&e9;</r>'),
    "XML that is deep": xml("<a>" * 50_000 + "</a>" * 50_000),
    "a list": json("[]"),
    "null": json("null"),
    "JSON of wrong types": json('{"Stacks": 1, "services": "x", "SecretString": {}, "Parameter": []}'),
    "JSON of times without an end": json('{"services": [{"createdAt": 1e999}], "CreatedDate": 1e999}'),
    "an encoding that is none": answer(b"\xff\xfe", kind="application/x-amz-json-1.1; charset=moon"),
    "JSON that is deep": json("[" * 100_000),
    "JSON that ends too early": json('{"services": [{"serviceName": '),
    "bytes": answer(bytes(range(256)), kind="application/octet-stream"),
    "a large body": answer(b"x" * 5_000_000, kind="text/plain"),
    "a body that ends too early": answer(b"<a/>", length=4_000),
    "chunks that are none": answer(b"zz\r\nhello\r\n", "Transfer-Encoding: chunked"),
    "what is not compressed": answer(b"<a/>", "Content-Encoding: gzip"),
    # errors
    "an error with 200": refusal("AccessDenied", "no", "200 OK"),
    "an error without a code": refusal("", "", "400 Bad Request"),
    "an error of codes that are none": refusal(
        "&lt;b&gt;", "&#10;&#10;##vso[task.complete]", "400 Bad Request"
    ),
    "an error with the request": refusal("Rejected", "{authorization} {secret}", "400 Bad Request"),
    "an error in JSON of wrong types": json('{"__type": 5, "message": ["x"]}', "400 Bad Request"),
    "an error that is a list": json("[1]", "400 Bad Request"),
    "an error that is deep": json("[" * 100_000, "500 Internal Server Error"),
    "a status that is none": answer(b"", status="999 So It Is"),
    # connections
    "the end": b"",
    "a greeting": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "half a status": b"HTTP/1.1 2",
    "headers without an end": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(5_000)),
    "a header without an end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000,
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n<a/>",
    "going on and on": b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    "reset": b"RESET",
}
"""Name -> what is written to the connection, before it is closed."""


class Relay:
    """Forwards requests to *behind*; those that *wrong* selects get nonsense instead."""

    def __init__(self, secret: str) -> None:
        self.behind = ""
        self.secret = secret
        self.nonsense = b""
        self.wrong: Callable[[int], bool] = lambda _: False
        """Number of a request, from 0 on -> whether it gets nonsense."""
        self.count = 0
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def begin(
        self, behind: str, nonsense: bytes = b"", wrong: Callable[[int], bool] = lambda _: False
    ) -> None:
        """Restart counting at 0."""
        self.behind, self.nonsense, self.wrong, self.count = behind, nonsense, wrong, 0
        self.asked.clear()

    def take(self, line: str) -> bool:
        """Count a request; returns whether it gets nonsense."""
        with self._lock:
            self.count += 1
            self.asked.append(line)
            return self.wrong(self.count - 1)


class _Handler(BaseHTTPRequestHandler):
    relay: Relay

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.close_connection = True
        if self.relay.take(f"{self.requestline} {body[:80]!r}"):
            self._talk_nonsense()
            return
        host = urlsplit(self.relay.behind).netloc
        behind = http.client.HTTPConnection(host, timeout=60)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":
                behind.putheader(name, value)
        behind.endheaders(body)
        got = behind.getresponse()
        content = got.read()
        self.send_response_only(got.status)
        for name, value in got.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        behind.close()

    def _talk_nonsense(self) -> None:
        said = self.relay.nonsense
        if said == NONSENSE["reset"]:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        request = self.headers.get("Authorization", "").encode()
        for word, value in ((b"{authorization}", request), (b"{secret}", self.relay.secret.encode())):
            said = said.replace(word, value)
        try:
            self.wfile.write(said)
        except OSError:
            self.close_connection = True  # the client has closed the connection

    def handle_expect_100(self) -> bool:
        return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name is the library's
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: clients may disconnect."""


@contextmanager
def relay(secret: str) -> Iterator[tuple[Relay, str]]:
    """Give a relay and its address, while the block lasts."""
    made = Relay(secret)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"relay": made}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
