"""Polls an operation that AWS carries out until it ends. The caller says what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from deployer.errors import Interrupted, LostSight, Transient
from deployer.options import Host
from deployer.run.polling_interval import PollingInterval

Found = TypeVar("Found")

SIGHT_SECONDS = 600.0
"""How long the endpoint may refuse every answer."""


@dataclass(frozen=True)
class Patience:
    """How long and how often to poll."""

    minutes: float
    poll_interval: float | None = None
    """Seconds between two polls; None: adapts."""
    speed: float = 1.0
    """How much faster than AWS the endpoint is."""


def wait(look: Callable[[], Found | None], host: Host, patience: Patience, going_on: str) -> Found:
    """
    Return the first result of *look* that is not None.

    *going_on* says what AWS continues, and how to check again.

    Raises:
        Interrupted: a signal came.
        LostSight: not over in time, or there was no answer for a long time.
        CloudError: AWS refused to show it.

    """
    began = seen = host.clock()
    interval = PollingInterval(patience.poll_interval, began)
    while True:
        if host.stop():
            raise Interrupted(f"interrupted: {going_on}")
        try:
            found = look()
            seen = host.clock()
            interval.relaxed()
        except Transient as error:
            found = None
            interval.strained()
            quiet = host.clock() - seen
            if quiet > SIGHT_SECONDS:
                raise LostSight(f"no answer for {quiet / 60:.0f} minutes ({error}): {going_on}") from error
        except LostSight as error:
            raise LostSight(f"{error}: {going_on}") from error
        if found is not None:
            return found
        if host.clock() - began >= patience.minutes * 60:
            raise LostSight(f"not finished after {patience.minutes:g} minutes: {going_on}")
        host.sleep(interval.pause(host.clock()))
