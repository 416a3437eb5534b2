"""What `local start --gateway` runs: LiteLLM itself, in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from sandbox.gateway import Program, write_programs
from sandbox.state import made

_FOLDER = "gateway"
IMAGES = ("ghcr.io/berriai/litellm", "ghcr.io/berriai/litellm-database")
"""LiteLLM's published images, whose entry point is `litellm`."""


def prepared(state: Path) -> Path:
    """Return the gateway's folder below the sandbox's state folder, with the programs in it."""
    made(state)
    folder = state / _FOLDER
    program = Program((str(folder / "litellm" / "bin" / "litellm"),), host="--host", without=("DATABASE_",))
    write_programs(folder, dict.fromkeys(IMAGES, program))
    return folder
