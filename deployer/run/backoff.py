"""Retries reads while AWS throttles, before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from deployer.errors import Transient
from deployer.options import Host

Found = TypeVar("Found")

SECONDS = 120.0
PAUSE = 2.0


def with_backoff(host: Host, ask: Callable[[], Found]) -> Found:
    """
    Return the result of *ask*, a read, retried for two minutes while AWS throttles.

    Raises:
        Transient: it stays busy, somebody presses Ctrl-C, or there is no connection, which a person should
            know at once: it may be a wrong endpoint.

    """
    began = host.clock()
    while True:
        try:
            return ask()
        except Transient as error:
            if not error.code or host.stop() or host.clock() - began > SECONDS:
                raise
            host.sleep(PAUSE)
