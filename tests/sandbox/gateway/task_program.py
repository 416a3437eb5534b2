"""The image's program in the tests: it returns its variables on request, and ends on a signal."""

import argparse
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"pid": os.getpid(), "variables": dict(os.environ)}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _go(*_: object) -> None:
    sys.stdout.write("told to go\n")
    sys.exit(0)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--host")
    options.add_argument("--port", type=int)
    options.add_argument("--broken")
    given = options.parse_args()
    if given.broken:
        sys.stdout.write(f"the configuration says {given.broken}\n")
        sys.exit(3)
    signal.signal(signal.SIGTERM, _go)
    sys.stdout.write(f"started with {os.environ.get('VERSION')}\n")
    sys.stdout.flush()
    HTTPServer((given.host, given.port), _Answers).serve_forever()


if __name__ == "__main__":
    main()
