"""Rewrites tests/golden from the shipped environment files: `make golden`, then read the diff."""

from pathlib import Path

from generator import manifest
from generator.render import render
from stacks.environment import load

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"


def environment_files() -> list[Path]:
    """Every environment file that is shipped."""
    return sorted((ROOT / "environments").glob("*.yaml"))


if __name__ == "__main__":
    for path in environment_files():
        manifest.write(render(load(path)), GOLDEN / path.stem)
