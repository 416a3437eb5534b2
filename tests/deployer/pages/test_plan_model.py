"""What the page about a plan says, before it is laid out: risks, kinds, properties, values, cost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.facts.summary import properties
from deployer.options import Options
from deployer.pages.plan_page import plan_page
from deployer.pages.properties import PropertyView, property_view
from deployer.pages.values import UNKNOWN, Value, value
from deployer.plan import CostDifference, Plan, PlanCost, StackPlan
from deployer.states import Change, PropertyChange
from tests.deployer.pages.plan_pages import detail, made, page, update

DATABASE = Change(
    "Modify",
    "Database",
    "AWS::RDS::DBInstance",
    "dev-db",
    "True",
    "ReplaceAndSnapshot",
    details=(detail("Port", "1", "2"), detail("Engine", "postgres", "mysql", "Always")),
)
TASK = Change("Modify", "Task", "AWS::ECS::TaskDefinition", replacement="Conditional")
PREDICTED = StackPlan(
    "service",
    "dev-litellm-service",
    "create",
    exact=False,
    changes=(Change("Add", "Service", "AWS::ECS::Service"),),
    reason="what it imports does not exist yet",
)


def text_of(shown: Value, kind: str) -> str:
    """Return the lines of one side of a diff: those that are gone, or new, and those that stay."""
    lines = [line for block in shown.blocks for line in block.lines if line.kind in {kind, "same"}]
    return "\n".join("".join(part.text for part in line.parts) for line in lines)


def property_views(details: tuple[PropertyChange, ...]) -> list[PropertyView]:
    """Return the rows of a change with *details*."""
    return [property_view(one) for one in properties(Change("Modify", "A", "T", details=details))]


def test_what_is_lost_stands_apart_from_what_is_only_replaced_with_its_reason_and_its_fate() -> None:
    shown = page(Plan("dev", (update(DATABASE, TASK, protected=("Database",)),)))

    (loss,), (replaced,) = shown.losses, shown.replacements
    assert (loss.change.logical_id, loss.because, loss.consent) == ("Database", ("Engine",), "missing")
    assert loss.change.fate == "the old one is deleted, after a snapshot"
    assert (replaced.change.logical_id, replaced.change.word) == ("Task", "may be replaced")
    assert shown.loss_command == "gatestack deploy dev --allow-replace Database"


def test_consent_that_was_given_or_cannot_be_asked_for_yet_is_told_as_such() -> None:
    given_ = page(Plan("dev", (update(DATABASE),)), "Database")
    guessed = StackPlan("database", "d", "update", exact=False, changes=(replace(DATABASE, details=()),))
    later = page(Plan("dev", (guessed,)))

    assert (given_.losses[0].consent, given_.loss_command) == ("given", "")
    assert later.losses[0].consent == "open"


def test_the_command_keeps_the_consent_that_is_there() -> None:
    given_ = Options(allow_replace=frozenset({"Bucket"}), fresh=True).flags
    plan = Plan("dev", (update(DATABASE, protected=("Database",)),), flags=given_)

    command = page(plan).loss_command

    assert command == "gatestack deploy dev --allow-replace Bucket --fresh --allow-replace Database"


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        (Change("Add", "A", "T"), "add", "added"),
        (Change("Modify", "A", "T", replacement="False"), "change", "changed"),
        (Change("Modify", "A", "T", replacement="True"), "replace", "replaced"),
        (Change("Remove", "A", "T"), "remove", "removed"),
        (Change("Import", "A", "T"), "other", "imported"),
        (Change("Dynamic", "A", "T"), "other", "not known yet"),
        (Change("SyncWithActual", "A", "T"), "change", "changed"),
        (Change("Unheard", "A", "T"), "other", "Unheard"),
    ],
)
def test_every_action_of_a_change_set_has_a_word(change: Change, kind: str, word: str) -> None:
    shown = page(Plan("dev", (update(change),))).stacks[0].changes[0]

    assert (shown.kind, shown.word) == (kind, word)


def test_the_verdict_says_what_happens_in_total() -> None:
    nothing = StackPlan("network", "n", "none", exact=True, reason="nothing to change")
    tags = replace(update(), changes=())

    assert page(Plan("dev", (nothing,))).verdict == "Nothing changes"
    assert page(Plan("dev", (nothing, tags))).verdict == "1 of 2 stacks change, in outputs or tags only"
    assert page(Plan("dev", (nothing, PREDICTED))).verdict == "1 of 2 stacks change"
    broken = replace(update(TASK), problems=("no image", "no export"))
    assert page(Plan("dev", (broken,))).verdict == (
        "1 of 1 stacks change, and deploying this would fail: 2 problems"
    )


def test_predicted_stacks_are_named_with_the_reason_and_exact_ones_need_none() -> None:
    shown = page(Plan("dev", (update(TASK), PREDICTED)))

    assert [(stack.name, stack.reason) for stack in shown.predicted] == [
        ("service", "what it imports does not exist yet")
    ]
    assert [stack.reason for stack in shown.stacks] == ["", "what it imports does not exist yet"]


def test_the_account_is_that_of_the_file_else_that_of_a_stack_else_left_out() -> None:
    known = page(Plan("dev", (update(),))).facts
    unknown = page(Plan("dev", (PREDICTED,))).facts
    said = plan_page(Plan("dev", (update(),)), replace(made(), account="999999999999")).facts

    assert known[0] == ("Account", "123456789012")
    assert said[0] == ("Account", "999999999999")
    assert dict(unknown) == {"Region": "us-east-1", "Made": "2026-11-21 09:00:00 UTC"}


def test_of_many_changes_only_those_that_matter_are_open_at_first() -> None:
    small = [Change("Modify", f"R{at}", "T", details=(detail("P", "1", "2"),)) for at in range(20)]

    many = page(Plan("dev", (update(*small, DATABASE),))).stacks[0].changes
    few = page(Plan("dev", (update(*small[:3]),))).stacks[0].changes

    assert [one.logical_id for one in many if one.open] == ["Database"]
    assert all(one.open for one in few)


def test_cost_is_told_when_somebody_has_estimated_it() -> None:
    rows = (CostDifference("database", "Database", "db.t4g.medium", 50, 45.5),)
    plan = Plan("dev", (update(),), cost=PlanCost(1100.2, 1095.7, rows))

    cost = page(plan).cost
    same = page(replace(plan, cost=PlanCost(5, 5.001))).cost

    assert cost is not None
    assert same is not None
    assert (cost.before, cost.after, cost.difference) == ("$1,100.20", "$1,095.70", "\N{MINUS SIGN}$4.50")
    assert (cost.direction, cost.rows[0].difference) == ("less", "\N{MINUS SIGN}$4.50")
    assert (same.direction, same.difference) == ("same", "none")
    assert page(Plan("dev", ())).cost is None


def test_a_property_that_is_told_twice_is_one_row_with_everything_that_is_known() -> None:
    named = PropertyChange("Properties", "Tags", "Conditionally", cause="ParameterReference Owner")
    inside = PropertyChange("Properties", "/Properties/Tags/0/Value", "Never", "a", "b")
    other = PropertyChange("Metadata", "", "Never")

    first, second = property_views((named, inside, other))

    assert (first.name, first.effect, first.drastic) == ("Tags[0].Value", "may replace the resource", True)
    assert (first.value.before, first.value.after) == ("a", "b")
    assert first.cause == "ParameterReference Owner"
    assert (second.name, second.value.told) == ("Metadata", False)


def test_names_say_where_in_the_resource_a_property_is() -> None:
    found = [
        property_views((PropertyChange(attribute, name),))[0].name
        for attribute, name in [
            ("Properties", "/Properties/A~1b/0/C"),
            ("Properties", "Cpu"),
            ("Tags", ""),
            ("Tags", "/Tags/0/Value"),
            ("DeletionPolicy", "DeletionPolicy"),
            ("Metadata", "/Metadata/x"),
        ]
    ]

    assert found == ["A/b[0].C", "Cpu", "Tags", "Tags[0].Value", "DeletionPolicy", "Metadata.x"]


def test_short_values_stand_side_by_side_and_long_ones_are_a_diff_by_lines() -> None:
    assert value("1", "2") == Value("1", "2")
    assert value(None, "2") == Value(None, "2")
    assert value("1", UNKNOWN) == Value("1", None, unknown_after=True)
    assert not value(None, None).told

    before = [{"Name": "proxy", "Image": "a:1", "Environment": [{"Name": f"V{at}"} for at in range(20)]}]
    after = [before[0] | {"Image": "a:2"}]
    shown = value(json.dumps(before), json.dumps(after))

    assert json.loads(text_of(shown, "gone")) == before
    assert json.loads(text_of(shown, "new")) == after
    changed = [line for block in shown.blocks for line in block.lines if line.kind != "same"]
    assert [[part.text for part in line.parts if part.marked] for line in changed] == [["1"], ["2"]]
    assert any(block.folded and len(block.lines) > 50 for block in shown.blocks)


def test_what_is_not_known_yet_inside_a_value_is_said_in_words() -> None:
    shown = value('{"Address": "a"}', f'{{"Address": "{UNKNOWN}"}}')

    assert (shown.before, shown.after) == ('{"Address": "a"}', '{"Address": "(not known yet)"}')


@given(st.text(), st.text())
def test_nothing_of_a_value_is_left_out(before: str, after: str) -> None:
    shown = value(before, f"{after}\n")

    lines = [line.replace("\r\n", "\n").replace("\r", "\n") for line in (before, f"{after}\n")]
    if not before.lstrip().startswith(("{", "[")) and not after.lstrip().startswith(("{", "[")):
        assert text_of(shown, "gone") == lines[0]
        assert text_of(shown, "new") == lines[1]


def test_very_long_values_take_no_time() -> None:
    one, other = "word " * 30_000, "other " * 30_000
    many, more = (json.dumps([{"at": at} for at in range(begin, 9_000)], indent=2) for begin in (0, 5))

    assert text_of(value(one, other), "new") == other
    assert text_of(value(many, more), "new") == more
