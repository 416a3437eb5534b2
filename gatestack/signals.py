"""The host of a run: clock, sleep, signals. One Ctrl-C, SIGTERM or SIGHUP ends a run in an orderly way."""

from __future__ import annotations

import os
import select
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from deployer.options import Host
from deployer.progress import Tell

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a run to end: from a user, a cancelled pipeline, a closed terminal or connection."""
PATIENCE = 3
"""After this many signals the process ends at once."""
WORKERS = 8
"""Parallel requests: enough to start hundreds of stacks together, few enough for AWS's rates."""


class _Signals:
    """Counts signals, and wakes a sleeper through a pipe: a handler may not use locks."""

    def __init__(self) -> None:
        self.count = 0
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)

    def take(self, _number: int, _frame: object) -> None:
        """Handle a signal."""
        self.count += 1
        if self.count >= PATIENCE:
            raise KeyboardInterrupt
        os.write(self._writing, b"!")

    def sleep(self, seconds: float) -> None:
        """Sleep until the time is over or a signal comes; one since the last sleep counts."""
        ready, _, _ = select.select([self._reading], [], [], max(seconds, 0.0))
        if ready:
            os.read(self._reading, 64)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reading)
        os.close(self._writing)


def _heard() -> tuple[signal.Signals, ...]:
    """Return the signals that ask this process to end; under `nohup`, not that of a closed terminal."""
    return tuple(
        number
        for number in STOPPING
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    )


@contextmanager
def interrupting() -> Iterator[None]:
    """Let these signals interrupt the process as Ctrl-C does, while it waits for an answer."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def host(tell: Tell) -> Iterator[Host]:
    """Give a run its host; while it lasts, signals are counted instead of ending the process."""
    signals = _Signals()
    before = {number: signal.signal(number, signals.take) for number in _heard()}
    try:
        yield Host(
            tell=tell,
            clock=time.monotonic,
            sleep=signals.sleep,
            run_id=uuid.uuid4().hex[:12],
            stop=lambda: signals.count,
            workers=WORKERS,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.close()
