"""The words that CONTRIBUTING.md retires are in no page, message or help text."""

import ast
import re
from collections.abc import Iterator

from tests.docs.docs_pages import PAGES
from tests.places import ROOT


def retired() -> list[str]:
    """Return the right column of the table of words."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| write | not |")[2]
    rows = re.findall(r"(?m)^\| [^|]+ \| ([^|-]+) \|$", table)
    return [word.strip() for row in rows for word in row.split(",")]


def _pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text().partition("## Words")[0]
        yield page.relative_to(ROOT).as_posix(), re.sub(r"(?ms)^```.*?^```", "", text)


def _messages() -> Iterator[tuple[str, str]]:
    """Yield the texts of the commands and of the deployer; docstrings where `--help` shows them."""
    for folder in ("gatestack", "deployer"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            notes = set() if "commands" in path.parts else _docstrings(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in notes:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def _docstrings(tree: ast.AST) -> set[ast.expr]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def test_retired_words_are_used_nowhere() -> None:
    words = re.compile("|".join(rf"\b{word}\b".replace(" ", r"\s+") for word in retired()), re.IGNORECASE)

    assert len(retired()) > 15
    assert [
        f"{place}: {word}" for place, text in (*_pages(), *_messages()) for word in words.findall(text)
    ] == []
