"""docs/aws.md: every type of every template has its row, each row says everything, what it names is there."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.docs.types_page import FILE, PARTS, looks, page, rows, set_properties
from tests.places import ROOT


def test_the_page_is_what_the_rows_and_schemas_make_of_it() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), (
        "an intended change? run `make golden` and read the diff"
    )


def test_every_type_has_its_row_with_the_first_stack_that_has_it_and_no_row_is_left() -> None:
    there = {type_: part for type_, (part, _) in set_properties().items()}
    said = [(row.type, part) for part in PARTS for row in rows(part)]

    assert sorted(said) == sorted(there.items())


def test_the_templates_that_are_shipped_have_no_other_types() -> None:
    golden = (json.loads(path.read_text()) for path in (ROOT / "tests" / "golden").glob("*/*.json"))

    assert {
        one["Type"] for file in golden for one in file.get("Resources", {}).values()
    } <= set_properties().keys()


@pytest.mark.parametrize("part", PARTS)
def test_each_row_says_everything_in_whole_sentences(part: str) -> None:
    cells = [(row.type, key, said) for row in rows(part) for key, said in asdict(row).items()]
    texts = [one for one in cells if one[1] not in {"type", "where"}]
    types = [row.type for row in rows(part)]

    assert [one[:2] for one in texts if not one[2].endswith(".") or len(one[2]) < len("Nothing.")] == []
    assert types == sorted(types)


@pytest.mark.parametrize("part", PARTS)
def test_the_files_that_a_row_names_are_there_and_a_test_is_among_them(part: str) -> None:
    missing = [(row.type, one) for row in rows(part) for one in row.where if not (ROOT / one).is_file()]
    untested = [
        row.type for row in rows(part) if not any(Path(one).name.startswith("test_") for one in row.where)
    ]

    assert (missing, untested) == ([], [])


def test_the_first_account_has_twenty_things_to_look_at_each_by_a_command() -> None:
    found = looks()

    assert len(found) == 20
    assert [one.look for one in found if not one.command.startswith(("aws ", "gatestack "))] == []
    assert [one.look for one in found if not (one.right.endswith(".") and one.why.endswith("."))] == []
