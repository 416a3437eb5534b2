"""Text of templates and of AWS ends no table, label, span or element of a report or a drawing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer import report
from deployer.day2 import watch_report as look_report
from deployer.plan import CostDifference, Plan, PlanCost
from deployer.states import Change
from generator import diagram, escapes
from generator.diagram import Wiring
from generator.traffic import Group, Peer, Rule, Traffic, Wearer
from tests.command import User
from tests.deployer.pages.plan_pages import detail, html, update

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "a | b | c",
    "`x` ``y``",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "a\n\n# heading\n| x |",
    "a\r::add-mask::b",
    '"; evil [label="x',
    'a"] --> b["c',
    "back\\slash\\",
    "@org/team look",
    "&lt;script&gt;",
    "**bold** ~~gone~~",
    "</details></summary><b>",
    "x\x1b]0;t\x07\u202ey\x00\ud800",
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def has_no_markdown(text: str) -> None:
    """Nothing in *text*, outside its code spans, is HTML, a link, a mention or an unescaped cell."""
    assert not re.search(r"<(?!/?(details|summary)>)", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "@" not in text
    assert CONTROLS.search(text.replace("\n", "")) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_of_a_markdown_table_is_one_cell(text: str) -> None:
    said = escapes.markdown(text)

    has_no_markdown(said)
    assert "\n" not in said
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`]", re.sub(r"\\[\\|`]", "", said))


@given(st.text())
def test_a_code_span_is_ended_by_no_text(text: str) -> None:
    said = escapes.markdown_code(text)

    fence = re.match("`+", said)
    assert fence is not None
    inner = said[len(fence[0]) : -len(fence[0])]
    assert said.endswith(fence[0])
    assert fence[0] not in re.findall("`+", inner)
    assert "\n" not in said


@given(st.text(st.sampled_from('ab\\"\n\r\x1b\u202e')))
def test_a_string_of_dot_is_ended_by_no_text(text: str) -> None:
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', escapes.dot_string(text))


@given(st.text(st.sampled_from('ab"]#;&<>\n-|`')))
def test_a_label_of_mermaid_is_ended_by_no_text(text: str) -> None:
    assert re.fullmatch(r'"(?:[\w .:/-]|#\d+;)*"', escapes.mermaid_label(text))


@pytest.mark.parametrize("name", HOSTILE)
def test_stacks_with_hostile_names_are_drawn_as_what_they_are(name: str) -> None:
    wiring = Wiring(((name, "end"), ("alb",)), {("alb", name): (name, "Url"), ("alb", "end"): ("A",)})

    mermaid = diagram.mermaid(wiring).splitlines()
    dot = diagram.dot(wiring)

    assert mermaid[1] == f"  stack0[{escapes.mermaid_label(name)}]"
    assert mermaid[2:4] == ['  stack1["end"]', "  alb"]
    assert all(re.fullmatch(r"  \w+ -->\|\d\| \w+", line) for line in mermaid[4:])
    assert len(re.sub(r'"(?:[^"\\]|\\.)*"', "S", dot).splitlines()) == 7
    assert '"' not in re.sub(r'"(?:[^"\\]|\\.)*"', "S", dot)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_table_of_security_groups_shows_a_description_and_no_more(text: str) -> None:
    group = Group("network", "Web", text, (Wearer("service", text, "X"),))
    rule = Rule("network/Web", "in", text, text, Peer("cidr", text), text)

    table = diagram.security(Traffic((group,), (rule,)))

    has_no_markdown(table)
    rows = [line for line in table.splitlines() if line]
    assert [len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", row))) for row in rows] == [4, 4, 4, 7, 7, 7, 7]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_plan_in_markdown_shows_texts_of_aws_and_no_more(text: str) -> None:
    change = Change("Modify", text, text, details=(detail(text, text, text),))
    cost = PlanCost(1.0, 2.0, (CostDifference(text, text, text, 1.0, 2.0),))
    plan = Plan("dev", (update(change, problems=(text,)),), notices=(text,), cost=cost)

    said = report.plan_markdown(plan)

    has_no_markdown(re.sub(r"^- (`+).*\1$", "", said, flags=re.MULTILINE))
    assert len(said.splitlines()) == len(report.plan_markdown(_calm(plan, text)).splitlines())


def _calm(plan: Plan, text: str) -> Plan:
    change = Change("Modify", "One", "T", details=(detail("P", "a", "b"),))
    cost = PlanCost(1.0, 2.0, (CostDifference("a", "b", "c", 1.0, 2.0),))
    return Plan(plan.environment, (update(change, problems=("p",)),), notices=("n",), cost=cost)


@pytest.mark.parametrize("text", [one for one in HOSTILE if "\ud800" not in one])
def test_a_page_shows_texts_of_aws_and_no_element_of_theirs(text: str) -> None:
    change = Change("Modify", text, text, details=(detail(text, text, text),))

    page = html(Plan("dev", (update(change, problems=(text,)),), notices=(text,)))

    assert page.count("<script>") == 1
    assert "<img" not in page
    assert "</details></summary>" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_an_event_is_one_line_of_json(text: str) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from deployer.states import StackEvent  # noqa: PLC0415

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    line = look_report.event_line("a", StackEvent("1", "arn", "s", moment, text, "x", "T", "S", text))

    assert "\n" not in line
    assert json.loads(line)["reason"] == text


def hostile_folder(user: User, text: str) -> None:
    """Write a folder whose network's template describes a security group by *text*."""
    assert user.run("generate", "dev", "--out", "built").code == 0
    path = user.folder / "built" / "network.json"
    template = json.loads(path.read_text())
    groups = [one for one in template["Resources"].values() if one["Type"] == "AWS::EC2::SecurityGroup"]
    for one in groups:
        one["Properties"]["GroupDescription"] = text
        one["Properties"]["Tags"] = [{"Key": "Name", "Value": text}]
    path.write_text(json.dumps(template))


def test_no_format_of_graph_passes_a_templates_text_on_raw(tmp_path: Path) -> None:
    user = User.at(tmp_path)
    hostile_folder(user, '<script>x</script> | "quoted" \x1b[31m\u202e `code` \x00 end')

    told = {
        style: user.run("graph", "built", "--format", style)
        for style in ("text", "mermaid", "dot", "security", "svg")
    }

    for style, done in told.items():
        assert done.code == 0, (style, done.err)
        assert "<script>" not in done.out, style
        assert CONTROLS.search(done.out.replace("\n", "")) is None, style
    assert "&#60;script&#62;" in told["security"].out
    ElementTree.fromstring(told["svg"].out)  # noqa: S314 - what is tried here
