"""Rewrites what is made of the shipped environments: golden templates, pictures, pages with tables."""

from pathlib import Path

from generator import manifest
from generator.picture.svg import picture
from generator.render import render
from stacks import bases
from stacks.environment import load
from stacks.parts import function_code
from tests.docs import types_page
from tests.places import ENVIRONMENTS, GOLDEN, ROOT
from tests.security import security_tables

PICTURES = ROOT / "docs" / "pictures"
PICTURED = ("dev", "prod", "llm-proxy-production", "llm-testing")
"""The environments whose pictures the documentation shows."""


def environment_files() -> list[Path]:
    """Every environment file that is shipped."""
    return bases.environment_files(ENVIRONMENTS)


def write_golden(path: Path, folder: Path) -> None:
    """
    Write what the environment file *path* renders to, without the functions' archive: its key identifies it.
    """
    manifest.write(render(load(path)), folder)
    (folder / function_code.FILE).unlink(missing_ok=True)


def drawn(path: Path) -> str:
    """Return the output of `gatestack graph ENV --format svg` for the environment file *path*."""
    return picture(render(load(path))) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "security-groups.md").write_text(security_tables.page(), encoding="utf-8")
    types_page.FILE.write_text(types_page.page(), encoding="utf-8")
    for path in environment_files():
        write_golden(path, GOLDEN / path.stem)
        if path.stem in PICTURED:
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / f"{path.stem}.svg").write_text(drawn(path), encoding="utf-8")
