#!/usr/bin/env python3
"""
For pipelines: `fetch.py [--post] [--bearer VARIABLE] ADDRESS` writes the response to standard output.

VARIABLE is the environment variable with the bearer token: it is on no command line, and is not sent to
another address on a redirect. Temporary failures (a busy server, a network that is down) are retried five
times; any other error ends with exit code 1 and the response on standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PASSES = {408, 429, 500, 502, 503, 504}
"""Statuses of HTTP that a retry may change."""
PAUSES = (1, 2, 4, 8, 16)
"""Seconds before each further try."""


def main(words: list[str] | None = None, sleep: Callable[[float], object] = time.sleep) -> int:
    """Do what the command line says, or *words*; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--post", action="store_true", help="ask with POST and an empty JSON body")
    parser.add_argument("--bearer", metavar="VARIABLE", help="the variable with the token that asks")
    parser.add_argument("address")
    asked = parser.parse_args(words)
    request = Request(asked.address, data=b"" if asked.post else None)  # noqa: S310 - the pipeline's own
    request.add_header("Content-Type", "application/json")
    if asked.bearer:
        if not os.environ.get(asked.bearer):
            parser.error(f"{asked.bearer} is not set")
        request.add_unredirected_header("Authorization", f"Bearer {os.environ[asked.bearer]}")
    for pause in (*PAUSES, None):
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                sys.stdout.buffer.write(answer.read())
                return 0
        except HTTPError as error:
            why = f"{error} {error.read(2000).decode(errors='replace')}"
            passes = error.code in PASSES
        except (OSError, HTTPException) as error:
            why, passes = str(error), True
        if pause is None or not passes:
            break
        sleep(pause)
    sys.stderr.write(f"{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
