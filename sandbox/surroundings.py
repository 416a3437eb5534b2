"""What the services behind the endpoint know of the sandbox: its address, its time, its faults."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.clock import Action
from sandbox.faults import Faults
from sandbox.key import Key


def _never(seconds: float, action: Action) -> None:
    del seconds, action


@dataclass(frozen=True)
class Surroundings:
    """Without a sandbox, in tests of the services alone, time is the system's and nothing is scheduled."""

    endpoint: str = ""
    now: Callable[[], float] = time.time
    """Virtual seconds since the epoch."""
    after: Callable[[float, Action], None] = _never
    """Schedules an action in so many virtual seconds; takes the control plane's lock."""
    faults: Faults = field(default_factory=Faults)
    speed: Callable[[], float] = lambda: 1.0
    """Virtual seconds in a real one."""
    login: Callable[[str, str], Key] = lambda _role, _session: Key.new()
    """Returns the key of a role's session, by the role's ARN and the session's name."""
    key: Key = field(default_factory=Key.new)
    """The key of the services' own clients, and of the functions."""
