"""Stands between commands and a sandbox, and notes what IAM would have been asked for each request."""

from __future__ import annotations

from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from sandbox.access.wire import actions


class Recorder:
    """An endpoint that forwards everything to another one, while the `with` block lasts."""

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
                recorder.actions.update(actions(self.command, self.path, dict(self.headers), body))
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
                """Log nothing."""

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
