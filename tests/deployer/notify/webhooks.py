"""A webhook on this machine that records what it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Webhook:
    """A WSGI application; returns each of *answers* once, then 200."""

    answers: list[str] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.got.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        status = self.answers.pop(0) if self.answers else "202 Accepted"
        start_response(status, [("Location", "/elsewhere"), ("Retry-After", "0")])
        return [b"ok"]
