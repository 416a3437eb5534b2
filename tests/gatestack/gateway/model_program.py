"""What tests run in the place of LiteLLM: one model, which streams as slowly as a model does."""

import argparse
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAID = ("Hello ", "from ", "a ", "stand-in")
PAUSE = 0.1


class _Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ill = False
    """Whether its checks fail from now on: after a request to /ill."""

    def do_GET(self) -> None:
        _Model.ill = self.ill or self.path == "/ill"
        self._say("application/json", b"{}", 500 if self.ill else 200)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not asked["stream"]:
            message = {"choices": [{"message": {"content": "".join(SAID)}}]}
            self._say("application/json", json.dumps(message).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in SAID:
            self._piece(json.dumps({"choices": [{"delta": {"content": word}}]}))
            time.sleep(PAUSE)
        self._piece("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, said: str) -> None:
        line = f"data: {said}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _say(self, kind: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--host")
    options.add_argument("--port", type=int)
    given, _ = options.parse_known_args()
    if given.port is None:
        return  # the migration of a database
    if broken := os.environ.get("BROKEN"):
        sys.exit(broken)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer((given.host, given.port), _Model).serve_forever()


if __name__ == "__main__":
    main()
