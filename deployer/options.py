"""A user's options of a run, and the host it runs on (clock, sleep, signals). Pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from deployer.progress import Tell


@dataclass(frozen=True)
class Options:
    """What the commands let a user choose."""

    only: frozenset[str] = frozenset()
    """Short names; empty means all stacks."""
    allow_replace: frozenset[str] = frozenset()
    """Logical ids of stateful resources that may be deleted or replaced."""
    on_failure: Literal["continue", "stop"] = "continue"
    force: bool = False
    """Destroy: production, and stacks with termination protection."""
    migrate_exports: bool = False
    """Deploy: exports in use may change, in phases in which something may be interrupted."""
    revert_drift: bool = False
    """Deploy: changes made outside CloudFormation are reverted, where the endpoint supports it."""
    skip_in_rollback: frozenset[str] = frozenset()
    """Deploy: logical ids of resources that a failed rollback may skip."""
    fresh: bool = False
    """Deploy: resources that an earlier `destroy` kept are not imported."""
    poll_interval: float | None = None
    """Seconds between two polls; None: adapts."""
    show_events: bool = True
    env: str = ""
    """What the user calls the environment in a command; two systems may both have a ``dev``."""
    push: str = ""
    """What puts the tasks' ``{image}`` into its repository, where `gatestack image` cannot."""
    command: str = ""
    """The command that resumes the run, if it is not one on an environment."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The options as a command needs them again: without them, a resumed run could be refused."""
        named = {
            "--only": self.only,
            "--allow-replace": self.allow_replace,
            "--skip-in-rollback": self.skip_in_rollback,
        }
        each = [f"{flag} {name}" for flag, names in named.items() for name in sorted(names)]
        switches = {
            "--migrate-exports": self.migrate_exports,
            "--revert-drift": self.revert_drift,
            "--fresh": self.fresh,
            "--on-failure stop": self.on_failure == "stop",
            "--force": self.force,
        }
        return (*each, *(flag for flag, given in switches.items() if given))


@dataclass(frozen=True)
class Host:
    """What a run needs of the machine it is on."""

    tell: Tell
    clock: Callable[[], float]
    """Seconds that never go backwards."""
    sleep: Callable[[float], None]
    """May return early, on a signal."""
    run_id: str
    """Letters and digits, unique to the run: they tell requests apart."""
    stop: Callable[[], int] = lambda: 0
    """How many signals to stop have come."""
    workers: int = 1
    """Parallel requests, for different stacks; with more than one, *tell* is called from threads."""
