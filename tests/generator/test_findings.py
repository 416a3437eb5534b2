"""Findings with the line to change, and as the documents that tools read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from generator.findings.junit import junit
from generator.findings.located import Located, Sources
from generator.findings.sarif import Tool, sarif
from generator.lint import Finding
from stacks.checking.yaml_tree import Tree
from stacks.environment import loaded
from tests.generator import finding_documents

TEMPLATE = json.dumps(
    {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "a"}, {"Key": "b"}]}}
        }
    },
    indent=1,
)
BASE = """\
tier: dev
service:
  cpu: 512
  image: ecr
"""
FILE = """\
extends: base.yaml
system: litellm
environment: dev
service:
  memory_mb: 2048
extend:
  patches:
    - {stack: service, resource: Patched, path: Properties.A, remove: true, reason: ours}
"""
TOOL = Tool("cfn-lint", "1.0", "https://example.com", "lint")
NASTY = "'a\x01]]>&\"\n::error::b %20 \U0001f600\ud800 <x>"


def finding(path: str = "Resources/Service/Properties/B", **changes: object) -> Finding:
    parts = path.split("/")
    logical_id = parts[1] if len(parts) > 1 else None
    whole = Finding("service", logical_id, path, "E1", "error", "wrong", None)
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "dev.yaml").write_text(FILE)
    settings, tree = loaded(tmp_path / "dev.yaml")
    return Sources(
        "dev", Path("built"), {"service": TEMPLATE}, tmp_path / "dev.yaml", tree, settings.added.patches
    )


def where(sources: Sources, one: Finding) -> tuple[str, int | None]:
    (found,) = sources.locate([one])
    return Path(found.file).name, found.line


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("service.memory_mb", ("dev.yaml", 5)),
        ("service.cpu", ("base.yaml", 3)),
        ("service.max_tasks, service.cpu", ("base.yaml", 3)),
        ("service.max_tasks", ("dev.yaml", 4)),
        ("environment", ("dev.yaml", 3)),
        ("database.engine_version", ("dev.yaml", 1)),
    ],
)
def test_a_finding_that_a_key_decides_stands_where_the_key_is_or_would_be(
    sources: Sources, setting: str, place: tuple[str, int]
) -> None:
    assert where(sources, finding(setting=setting)) == place


def test_a_patched_resource_s_finding_stands_at_the_patch(sources: Sources) -> None:
    assert where(sources, finding("Resources/Patched/Properties/A", setting="service.cpu")) == ("dev.yaml", 8)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Resources/Queue/Properties/Tags/1/Key", 11),
        ("Resources/Queue/Properties/Gone", 5),
        ("Resources/Queue", 3),
        ("Gone", None),
        ("line 7", 7),
    ],
)
def test_any_other_stands_in_the_template_or_the_nearest_above(
    sources: Sources, path: str, line: int
) -> None:
    assert where(sources, finding(path)) == ("service.json", line)
    assert where(Sources("dev", Path("built"), sources.texts), finding(path, setting="service.cpu")) == (
        "service.json",
        line,
    )


@pytest.mark.parametrize(
    ("source", "place"),
    [("own/extras.yaml:12", ("extras.yaml", 12)), ("own/extras.yaml", ("extras.yaml", None))],
)
def test_one_of_a_team_s_template_stands_there(sources: Sources, source: str, place: tuple[str, int]) -> None:
    assert where(sources, finding(source=source)) == place


def test_a_template_that_is_no_json_names_no_line() -> None:
    broken = Sources("dev", Path("built"), {"service": "{"}, Path("dev.yaml"), Tree(value={}))

    assert where(broken, finding()) == ("service.json", None)


def located(**changes: object) -> Located:
    whole = Located(
        "dev", "service", "Resources/A", "E1", "error", "wrong", "service.cpu", "environments/dev.yaml", 3
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


MANY = (
    located(),
    located(rule="W2", level="warning", line=None, setting=None),
    located(message=NASTY, place=NASTY, rule="R " + NASTY, file="/elsewhere/a b%:#?.yaml", level="note"),
)


@pytest.mark.parametrize("found", [(), MANY], ids=["none", "many"])
def test_sarif_is_what_its_specification_says_whatever_a_rule_says(found: tuple[Located, ...]) -> None:
    results = finding_documents.sarif(sarif(found, TOOL))

    assert [one["level"] for one in results] == [one.level for one in found]
    if found:
        assert finding_documents.place(results[0]) == ("environments/dev.yaml", 3)
        assert finding_documents.place(results[1]) == ("environments/dev.yaml", None)
        assert finding_documents.place(results[2]) == ("file:///elsewhere/a%20b%25%3A%23%3F.yaml", 3)


def test_a_result_keeps_its_fingerprint_where_lines_move_and_no_two_share_one() -> None:
    def prints(*found: Located) -> list[object]:
        return [one["partialFingerprints"] for one in finding_documents.sarif(sarif(found, TOOL))]

    assert prints(located()) == prints(located(line=99, file="environments/base.yaml"))
    others = [
        located(),
        located(stack="alb"),
        located(environment="qa"),
        located(rule="E2"),
        located(message="x"),
    ]
    assert len({json.dumps(one) for one in prints(*others)}) == len(others)


def test_junit_has_a_test_for_each_clean_template_and_one_for_each_finding() -> None:
    when = datetime(2026, 11, 28, 3, 4, 5, tzinfo=UTC)
    root = finding_documents.junit(junit(MANY, {"dev": ("alb", "service"), "qa": ("alb",)}, when))

    names = [[case.attrib["name"] for case in suite.findall("testcase")] for suite in root]
    assert [one.attrib["timestamp"] for one in root] == ["2026-11-28T03:04:05"] * 2
    assert (names[0][:3], names[1]) == (["alb.json", "E1 Resources/A", "W2 Resources/A"], ["alb.json"])
    failure = root[0].find("testcase/failure")
    assert failure is not None
    assert failure.text == "environments/dev.yaml:3: E1 service: Resources/A: wrong (change service.cpu)"
