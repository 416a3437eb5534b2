"""What differs in a value is told by its path and name; two sides never look alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployer.facts.differences import apart, differences, said
from deployer.states import UNKNOWN, PropertyChange


def lines(before: Any, after: Any, name: str = "P") -> list[str]:
    """Return the lines about a property that changes from *before* to *after*."""
    texts = (each if each is None or isinstance(each, str) else json.dumps(each) for each in (before, after))
    return [said(one) for one in differences(name, PropertyChange("Properties", name, "Never", *texts))]


def variable(name: str, value: str) -> dict[str, str]:
    return {"Name": name, "Value": value}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a", "b", ["P: a -> b"]),
        (None, "b", ["+ P: b"]),
        ("a", None, ["- P: a"]),
        ("a", UNKNOWN, ["P: a -> (known after the change)"]),
        ({"A": 1, "B": {"C": 2}}, {"A": 1, "B": {"C": 3}}, ["P.B.C: 2 -> 3"]),
        ([variable("A", "1")], [variable("A", "2")], ["P[A]: 1 -> 2"]),
        ([variable("A", "1")], [variable("A", "1"), variable("B", "2")], ["+ P[B]: 2"]),
        ([variable("A", "1"), variable("B", "2")], [variable("B", "2")], ["- P[A]: 1"]),
        ([{"Name": "x", "Image": "a:1"}], [{"Name": "x", "Image": "a:2"}], ["P[x].Image: a:1 -> a:2"]),
        ([{"Name": "x", "Cpu": 1}], [{"Name": "x", "Cpu": 1, "User": "u"}], ["+ P[x].User: u"]),
        (["a", "b"], ["b", "c"], ["P[0]: a -> c"]),
        (["a"], ["a", "b"], ["+ P: b"]),
        (["a", "b"], ["b", "a"], ['P: ["a", "b"] -> ["b", "a"]']),
        ('{"Rules": [1]}', '{"Rules": [1, 2]}', ["+ P.Rules: 2"]),
        ("{cut", "{cut off", ["P: {cut -> {cut off"]),
        ({"A": "(hidden)"}, {"A": "(hidden, another value)"}, ["P.A: (hidden) -> (hidden, another value)"]),
    ],
)  # fmt: skip
def test_a_difference_names_what_differs(before: Any, after: Any, told: list[str]) -> None:
    assert lines(before, after) == told


def test_two_long_values_show_the_part_in_which_they_differ() -> None:
    left, right = apart(f"{'x' * 300}old{'y' * 300}", f"{'x' * 300}new{'y' * 300}")

    assert left != right
    assert ("old" in left, "new" in right) == (True, True)
    assert left.startswith("…")
    assert left.endswith("…")
    assert apart("x" * 100, "x" * 101) == (f"…{'x' * 20}", f"…{'x' * 21}")


def test_a_text_of_several_lines_is_a_diff() -> None:
    (one,) = differences("P", PropertyChange("Properties", "P", "", "a\nb\nc", "a\nB\nc"))

    assert one.lines == ("@@ -1,3 +1,3 @@", " a", "-b", "+B", " c")
