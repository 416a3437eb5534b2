"""HTTP servers on addresses of this machine, as targets: what they answer is a test's to say."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StandIn(ThreadingHTTPServer):
    """A target that returns the request, and streams as slowly as a test decides."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, port: int = 0) -> None:
        self.health = 200
        self.checks = 0
        self.next_piece = threading.Semaphore(0)
        self.held: list[socket.socket] = []
        super().__init__((address, port), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def target(self) -> dict[str, Any]:
        """In RegisterTargets' form."""
        host, port = self.server_address[:2]
        return {"Id": str(host), "Port": port}

    def stop(self) -> None:
        """Refuse connections from now on, and close those that are kept alive."""
        self.shutdown()
        self.server_close()
        for each in self.held:
            each.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing of clients that disconnect."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StandIn

    def setup(self) -> None:
        super().setup()
        self.server.held.append(self.connection)

    def do_GET(self) -> None:
        if self.path == "/health":
            self.server.checks += 1
            self._say(self.server.health, b"")
        elif self.path.startswith("/stream"):
            self._stream()
        elif self.path == "/garbage":
            self.wfile.write(b"SSH-2.0-nothing of HTTP\r\n\r\n")
            self.close_connection = True
        elif self.path == "/hang-up":
            self.close_connection = True
        elif self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            self.close_connection = True
        elif self.path == "/socket":
            self._upgrade()
        else:
            self._echo()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()

    def _echo(self) -> None:
        body = self._body()
        told = {
            "by": self.server.server_address[0],
            "method": self.command,
            "path": self.path,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "length": len(body),
        }
        self._say(200, json.dumps(told).encode())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Keep-Alive", "timeout=5")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            self.server.next_piece.acquire()
            piece = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _upgrade(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.end_headers()
        while said := self.connection.recv(100):
            self.connection.sendall(b"heard " + said)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""


@contextmanager
def stand_ins(*addresses: str) -> Iterator[list[StandIn]]:
    """Give one target for each of *addresses*, each on a free port."""
    made = [StandIn(address) for address in addresses]
    try:
        yield made
    finally:
        for each in made:
            each.stop()
