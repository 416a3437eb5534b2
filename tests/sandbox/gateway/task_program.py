"""What the tests run as an image: it says its variables to whoever asks, and goes when it is told to."""

import argparse
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802 - the library's name
        body = json.dumps({"pid": os.getpid(), "variables": dict(os.environ)}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--host")
    options.add_argument("--port", type=int)
    options.add_argument("--broken")
    given = options.parse_args()
    if given.broken:
        print("the configuration says", given.broken)
        sys.exit(3)
    signal.signal(signal.SIGTERM, lambda *_: (print("told to go"), sys.exit(0)))
    print("started with", os.environ.get("VERSION"), flush=True)
    HTTPServer((given.host, given.port), _Answers).serve_forever()


if __name__ == "__main__":
    main()
