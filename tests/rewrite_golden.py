"""Rewrites tests/golden from the shipped environment files: `make golden`, then read the diff."""

from pathlib import Path

from generator import manifest
from generator.render import render
from stacks.environment import load
from stacks.parts import function_code

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"


def environment_files() -> list[Path]:
    """Every environment file that is shipped."""
    return sorted((ROOT / "environments").glob("*.yaml"))


def write_golden(path: Path, folder: Path) -> None:
    """Write what the environment file *path* renders to, but for the functions' archive: its key tells it."""
    manifest.write(render(load(path)), folder)
    (folder / function_code.FILE).unlink(missing_ok=True)


if __name__ == "__main__":
    for path in environment_files():
        write_golden(path, GOLDEN / path.stem)
