"""Clients of AWS for a function that has seconds, not minutes."""

from __future__ import annotations

import sys
from typing import Any

import boto3
from botocore.config import Config

QUICK = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
"""A step makes some ten calls; the first one that gets no answer ends it well within Lambda's time limit."""


def client(service: str) -> Any:
    """Return a client of *service*; Lambda's environment says region and credentials."""
    # Typed for one literal name at a time, where types are installed.
    make: Any = boto3.client
    return make(service, config=QUICK)


def say(line: str) -> None:
    """Write *line* to the function's log: Lambda keeps what goes to standard output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
