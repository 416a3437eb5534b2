"""The documents' cost tables stand in docs/costs.md, with today's figures and a reason for what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from generator.cost.prices import load
from tests.generator.cost.cost_tables import (
    PAGE,
    TABLES,
    Compared,
    Line,
    Table,
    _difference,
    compared,
    written,
)

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = {"S0: the services": 9, "S0: low traffic": 9, "S0: four tiers": 4, "S1: development": 9}
ROWS |= {"S1: what production adds": 4, "S1: what production must have": 1}
ROWS |= {"S2: two configurations": 2, "S3: monthly costs": 7}
"""Cost rows of the documents: a row that is lost is seen."""


def page_rows() -> Iterator[tuple[str, list[str]]]:
    """Yield heading and cells of every row of the page's tables."""
    heading = ""
    for line in TEXT.splitlines():
        heading = line.removeprefix("## ") if line.startswith("## ") else heading
        if heading in ROWS and line.startswith("|") and not line.startswith(("| the document says", "|---")):
            yield heading, [cell.strip() for cell in line.strip().strip("|").split("|")]


LINES = [(table.title, line.says) for table in TABLES for line in table.lines]


@pytest.mark.parametrize(("title", "says"), LINES, ids=lambda text: text)
def test_every_row_of_the_documents_has_our_figure_and_a_reason_where_it_is_another(
    title: str, says: str
) -> None:
    (row,) = (row for row in compared() if (row.title, row.says) == (title, says))
    (cells,) = (cells for heading, cells in page_rows() if (heading, cells[0]) == (row.title, row.says))

    assert tuple(cells[:4]) == row.cells, "run: python -m tests.generator.cost.cost_tables"
    assert len(cells) == 5
    assert not row.needs_words or len(cells[4]) > 15, "a difference over 10 % needs its reason"


def test_the_page_has_all_rows_and_no_other() -> None:
    found = list(page_rows())

    assert {table.title: len(table.lines) for table in TABLES} == ROWS
    assert len(found) == sum(ROWS.values())
    assert written(TEXT) == TEXT


def test_the_page_has_the_day_of_the_prices() -> None:
    assert f"compiled on {load('us-east-1').seen.isoformat()}" in TEXT


def test_the_pages_reasons_add_up() -> None:
    """Amounts that the total of S1 and the reasons beside it name."""
    figures = {row.says.partition(":")[0]: row.ours for row in compared() if row.title == "S1: development"}
    rest = figures.pop("total") - sum(figures.values())
    (total,) = (
        cells for heading, cells in page_rows() if heading == "S1: development" and "total" in cells[0]
    )

    assert re.search(r"\$(\d+\.\d\d) that the document has no row for", total[4])[1] == f"{rest:.2f}"  # type: ignore[index]


@pytest.mark.parametrize(
    ("ours", "line", "difference", "words"),
    [
        (33, Line("", 30, ()), 0.1, False),
        (33.1, Line("", 30, ()), 0.1033, True),
        (26, Line("", 30, ()), -0.1333, True),
        (170, Line("", 150, (), 200), 0, False),
        (230, Line("", 150, (), 200), 0.15, True),
        (100, Line("", 150, (), 200), -0.3333, True),
        (0, Line("", 0, ()), 0, False),
        (5, Line("", 0, ()), float("inf"), True),
    ],
)
def test_a_difference_is_that_to_the_nearest_figure_of_the_document(
    ours: float, line: Line, difference: float, *, words: bool
) -> None:
    found = Compared("", "", "", ours, _difference(ours, line))

    assert found.difference == pytest.approx(difference, abs=0.0001)
    assert found.needs_words == words


def test_a_row_that_the_page_does_not_have_is_told() -> None:
    assert isinstance(TABLES[0], Table)
    with pytest.raises(LookupError, match="has no row"):
        written(TEXT.replace("| KMS, 1 customer key: ~$1 |", "| KMS |"))
