"""What makes the sandbox answer requests, not only API calls: loaded where it runs with its gateway alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gateway:
    """How the sandbox runs with its gateway."""

    folder: Path
    """For what outlives a restart; closed to other users."""
