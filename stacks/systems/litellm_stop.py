"""
How LiteLLM stops, and how it runs without its database. Pure.

First the load balancer deregisters a task, and sends it no new requests; requests in progress have
`alb.deregistration_delay_seconds`, after which their connections are closed. Then ECS sends SIGTERM: LiteLLM
1.108.7 closes its port, finishes open requests within GRACEFUL_SHUTDOWN_TIMEOUT, and writes its queues.
SIGKILL follows after `service.stop_timeout_seconds`. `make test-litellm` tests both ways to stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stacks.settings import Settings

WRITES_SECONDS: Final = 10
"""Left between the last answer and SIGKILL, for the rows that are queued; LiteLLM reckons with as many."""


def variables(settings: Settings) -> Mapping[str, str]:
    """Return how long LiteLLM continues open responses after SIGTERM."""
    seconds = max(settings.service.stop_timeout_seconds - WRITES_SECONDS, 1)
    return {"GRACEFUL_SHUTDOWN_TIMEOUT": str(seconds)}


def advice(settings: Settings) -> Iterator[str]:
    """Warn of answers that the replacement of a task cuts off, and of a gateway that is open for a while."""
    delay, longest = (
        settings.alb.deregistration_delay_seconds,
        _setting(settings, "litellm", "request_timeout"),
    )
    if isinstance(longest, (int, float)) and delay < longest:
        yield (
            f"alb.deregistration_delay_seconds: {delay} is less than {longest}, request_timeout in "
            "service.config.litellm_settings: a longer answer is cut off when its task is replaced"
        )
    if _setting(settings, "general", "allow_requests_on_db_unavailable") in {True, "true", "True"}:
        yield (
            "service.config.general_settings.allow_requests_on_db_unavailable: while the database is away, "
            "requests with any key are answered, and their cost is not recorded"
        )


def _setting(settings: Settings, section: str, name: str) -> object:
    found = settings.service.config.get(f"{section}_settings")
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, (bool, int, float, str)) else None
