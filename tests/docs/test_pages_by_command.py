"""The program names a page by `gatestack docs`, which an installed gatestack has, and never by a file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatestack.commands.docs import pages
from tests.command import User
from tests.places import ROOT

PACKAGES = ("deployer", "gatestack", "generator", "sandbox", "stacks")
COPIED = (ROOT / "pipelines", ROOT / "image", ROOT / "gatestack" / "repository" / "files")
"""Files that `gatestack init` puts into a team's repository."""
FILE = re.compile(r"\bdocs/[\w./-]*\w")
PAGE = re.compile(r"\bgatestack docs ([\w/-]+)")


def spoken() -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every text of the program, docstrings left out, and of each copied file."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield from _texts(path)
    for folder in COPIED:
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.name, path.read_text(encoding="utf-8")


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mute = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in mute:
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


ALLOWED = {"stacks/reference_words.py"}
"""It makes a page of the documentation, docs/environment.md."""


def test_no_message_names_a_file_of_the_documentation() -> None:
    told = [(place, one) for place, text in spoken() for one in FILE.findall(text)]
    assert [one for one in told if one[0].partition(":")[0] not in ALLOWED] == []


def test_each_page_that_a_message_names_is_there() -> None:
    named = {one for _, text in spoken() for one in PAGE.findall(text)}
    assert {"operations", "rotation-failed", "bootstrap", "image", "pipelines"} <= named
    assert named - {*pages()} == set()


def test_the_command_prints_a_page_and_lists_them(user: User) -> None:
    listed = user.run("docs")
    assert (listed.code, re.search(r"^rotation-failed +\w", listed.out, re.MULTILINE) is not None) == (
        0,
        True,
    )
    assert [line.split()[0] for line in listed.out.splitlines()] == [*pages()]
    for name in ("rotation-failed", "systems/litellm.md", "docs/operations.md"):
        page = ROOT / "docs" / f"{name.removeprefix('docs/').removesuffix('.md')}.md"
        assert user.run("docs", name).out.strip() == page.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ("rotation-faild", "did you mean rotation-failed?"),
        ("../pyproject.toml", "`gatestack docs` lists the pages"),
    ],
)
def test_a_page_that_is_none_is_refused(user: User, page: str, hint: str) -> None:
    done = user.run("docs", page)
    assert (done.code, done.err.splitlines()[-1]) == (2, f"Error: there is no page {page}; {hint}")
