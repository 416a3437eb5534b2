"""The machine a run is on: clock, sleep, signals. Ctrl-C or SIGTERM once asks a run to end, twice ends it."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from deployer.options import Host
from deployer.progress import Tell

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def host(tell: Tell) -> Iterator[Host]:
    """Give a run its host; while it lasts, signals are counted instead of ending the process."""
    taken = threading.Event()
    count = 0

    def take(_signal: int, _frame: object) -> None:
        nonlocal count
        count += 1
        taken.set()

    def sleep(seconds: float) -> None:
        taken.wait(seconds)
        taken.clear()

    before = {number: signal.signal(number, take) for number in STOPPING}
    try:
        yield Host(
            tell=tell, clock=time.monotonic, sleep=sleep, run_id=uuid.uuid4().hex[:12], stop=lambda: count
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
