"""The global options, which every command has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The global options, as given before or after the command."""

    region: str | None = None
    profile: str | None = None
    poll_interval: float | None = None
    """Seconds between two looks at AWS; left out: the deployer adapts."""
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
