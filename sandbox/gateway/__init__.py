"""The sandbox that runs what it is asked to run. Loaded only where a sandbox was started with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gateway:
    """That what is in the sandbox runs, and with what."""

    folder: Path
    """Where what runs keeps its files; emptied when the sandbox ends."""
    postgres: tuple[Path, ...] = ()
    """Folders to look for PostgreSQL's programs in, before this Python's packages and the PATH."""
