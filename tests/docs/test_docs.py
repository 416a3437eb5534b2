"""What the pages say of the program is so: tests, alarms, messages, the picture of the stacks."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deployer.graph import graph
from generator.diagram import Wiring, mermaid, text
from generator.render import render
from stacks.environment import load, parse_settings
from tests.docs.docs_pages import PAGES, SHELL
from tests.places import ROOT, is_test_file
from tests.stacks.key_changes import BASES

PROGRAM = ("deployer", "gatestack", "generator", "stacks")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(?:tests/)?(test_\w+\.py)`", page.read_text()))

    assert {name for name in named if not is_test_file(name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_of_the_code_that_a_page_names_exists(page: Path) -> None:
    named = set(
        re.findall(
            rf"`((?:{'|'.join(PROGRAM)}|sandbox|security)/[\w/.-]+\.(?:py|yaml|json|sh))`", page.read_text()
        )
    )

    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_what_a_failed_rotation_says_on_its_page_is_what_the_functions_say() -> None:
    page = (ROOT / "docs" / "rotation-failed.md").read_text()
    table = page.partition("| log line")[2].partition("## ")[0]
    said = "".join(path.read_text() for path in (ROOT / "stacks" / "functions").glob("*.py"))
    quoted = re.findall(r"(?m)^\| `([^`]+)`", table)

    assert len(quoted) > 5
    assert [words for words in quoted if words not in said] == []


def test_what_commands_say_on_the_page_of_troubles_is_what_they_say() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    tables = re.findall(r"(?s)<!-- said: \w+ -->(.*?)<!-- end said -->", page)
    quoted = [
        words
        for table in tables
        for cell in re.findall(r"(?m)^\| (`.*?) \|", table)
        for words in re.findall(r"`([^`]+)`", cell)
    ]
    sources = [path.read_text() for folder in PROGRAM for path in (ROOT / folder).rglob("*.py")]
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))

    assert (len(tables), len(quoted) > 40) == (4, True)
    assert [words for words in quoted if words not in said] == []


def _alarms() -> set[str]:
    """Return every alarm there is: ``service-HighCpu``; those of Redis without their node's number."""
    templates = [
        (path.stem, json.loads(path.read_text())) for path in (ROOT / "tests" / "golden").glob("*/*.json")
    ]
    full = render(parse_settings(yaml.safe_dump(BASES["litellm"]), Path("e.yaml")))
    templates += [(stack.name, json.loads(stack.template)) for stack in full.stacks]
    return {
        f"{stack}-{name.rstrip('0123456789')}"
        for stack, template in templates
        for name, resource in template.get("Resources", {}).items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" or name == "StoppedTasks"
    }


def test_the_page_for_the_night_has_every_alarm_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("<!-- alarms -->")[2].partition("\n## ")[0]
    named = re.findall(r"(?m)^\| `([^`]+)` \| .{10,} \| .{5,} \|$", table)

    assert set(named) == _alarms()
    assert len(named) == len(set(named))


def test_the_picture_of_the_stacks_is_what_the_templates_say() -> None:
    """`gatestack graph dev`, also with `--format mermaid`, makes the blocks anew."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    found = graph(render(load(ROOT / "environments" / "dev.yaml")).stacks)
    prefixes = {stack.name: f"{stack.stack_name}-" for stack in found.stacks}
    imports = {
        (consumer, producer): [
            name.removeprefix(prefixes[producer]) for name in found.imported(consumer, producer)
        ]
        for consumer in found.names
        for producer in sorted(found.needs[consumer])
    }
    wiring = Wiring(found.waves(), imports)

    assert _block(page, "graph") == f"```mermaid\n{mermaid(wiring)}\n```"
    assert _block(page, "wiring") == f"```\n{text(wiring)}\n```"


def _block(page: str, name: str) -> str:
    return page.partition(f"<!-- begin {name} -->")[2].partition(f"<!-- end {name} -->")[0].strip()


def test_no_page_names_a_language_of_which_its_commands_would_not_be_read() -> None:
    """A fenced block with commands in it is one that `docs_pages` reads."""
    blocks = [
        (page.name, language)
        for page in PAGES
        for language, body in re.findall(r"(?ms)^\s*```(\w*)\n(.*?)^\s*```", page.read_text())
        if re.search(r"(?m)^\s*(gatestack|make) [a-z]", body) and language not in SHELL
    ]

    assert blocks == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_code_span_is_closed(page: Path) -> None:
    text = re.sub(r"(?ms)^\s*```.*?^\s*```", "", page.read_text())

    assert [part for part in text.split("\n\n") if part.count("`") % 2] == []
