"""The documentation names only what is there."""

import re
from pathlib import Path

import pytest

from gatestack.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(?:tests/)?(test_\w+\.py)`", page.read_text()))

    assert {name for name in named if not (ROOT / "tests" / name).is_file()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`gatestack (?:--\S+ )*([a-z]+)", page.read_text()))

    assert named - COMMANDS.keys() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    named = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", page.read_text()))

    assert named - targets == set()


def test_what_a_failed_rotation_says_on_its_page_is_what_the_functions_say() -> None:
    page = (ROOT / "docs" / "rotation-failed.md").read_text()
    table = page.partition("| what the line says")[2].partition("## ")[0]
    said = "".join(path.read_text() for path in (ROOT / "stacks" / "functions").glob("*.py"))
    quoted = re.findall(r"(?m)^\| `([^`]+)`", table)

    assert len(quoted) > 5
    assert [words for words in quoted if words not in said] == []


def test_the_readmes_table_has_every_command() -> None:
    table = (ROOT / "README.md").read_text().partition("## The commands")[2].partition("## ")[0]

    cells = re.findall(r"(?m)^\| (`.*?) \|", table)
    named = {name for cell in cells for name in re.findall(r"^`([a-z]+)|`([a-z]+) ", cell)}

    assert {one or other for one, other in named} == COMMANDS.keys()
