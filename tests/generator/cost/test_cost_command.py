"""`cost` and the cost in `plan` as a user meets them: files, folders, JSON, before and after."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployer import report
from deployer.plan import CostDifference, Plan, PlanCost, StackPlan
from tests.command import User
from tests.generator.cost.costs import shipped
from tests.places import ROOT

ROW = {"stack", "logical_id", "type", "item", "monthly_usd", "assumption"}


@pytest.fixture
def here(tmp_path: Path) -> User:
    """Somebody without an account: an estimate needs none."""
    return User.at(tmp_path)


def machine(user: User, *arguments: str) -> dict[str, Any]:
    done = user.run("cost", *arguments, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_machines_get_every_row_and_their_sum(here: User) -> None:
    found = machine(here, "prod")

    assert all(row.keys() == ROW for row in found["rows"])
    assert found["monthly_usd"] == shipped("prod").monthly_usd
    assert found["monthly_usd"] == pytest.approx(
        sum(row["monthly_usd"] or 0 for row in found["rows"]), abs=0.01
    )
    assert sum(found["stacks"].values()) == pytest.approx(found["monthly_usd"], abs=0.05)
    assert found["not_estimated"] == sum(row["monthly_usd"] is None for row in found["rows"]) > 0
    assert (found["environment"], found["region"], found["notices"]) == ("prod", "us-east-1", [])
    assert found["usage"]["log_gb"] == 5


def test_people_get_stacks_the_total_what_is_open_and_the_assumptions(here: User) -> None:
    done = here.run("cost", "prod")

    lines = done.out.splitlines()
    total = f"prod: ${shipped('prod').monthly_usd:,.2f} a month (us-east-1, prices of 2026-11-28)"
    assert done.code == 0
    assert total in lines
    assert [line for line in lines if line.startswith("database: $")]
    assert any("NatGateway1" in line and "730 h x $0.045" in line for line in lines)
    assert any(line.startswith("  one-off task (database/MigrationTask): usage-based") for line in lines)
    assert any("hours_per_month 730" in line for line in lines)


def test_assumptions_are_settings_and_a_rendered_folder_carries_them(here: User) -> None:
    here.edit("dev", "observability:\n", "usage:\n  nat_gb: 1000\n  hours_per_month: 365\n\nobservability:\n")
    assert here.run("generate", "dev", "--out", "built").code == 0

    from_file, from_folder = machine(here, "dev"), machine(here, "built")

    assert from_file == from_folder
    costs = {row["item"]: row["monthly_usd"] for row in from_folder["rows"]}
    assert (costs["NAT data"], costs["NAT gateway"]) == (45.0, 16.425)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ("nat_gb: -1", "usage.nat_gb: -1 is out of range; 0 to 10000000 GB"),
        ("hours_per_month: 0", "usage.hours_per_month: 0 is out of range; 1 to 744 hours"),
        ("lcu_average: .inf", "usage.lcu_average: .inf is not a number that can be used here"),
        ("log_gb: many", "usage.log_gb: expected a number"),
        ("nat_gbs: 1", "usage.nat_gbs: "),
    ],
)
def test_an_assumption_that_cannot_be_is_refused_with_its_line(here: User, usage: str, told: str) -> None:
    here.edit("dev", "observability:\n", f"usage:\n  {usage}\n\nobservability:\n")

    done = here.run("cost", "dev")

    assert done.code == 2
    assert told in done.err


def test_a_folder_that_says_nothing_of_use_or_holds_no_template_is_refused(here: User) -> None:
    assert here.run("generate", "dev", "--out", "built").code == 0
    index = here.folder / "built" / "manifest.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({name: value for name, value in content.items() if name != "usage"}))
    old = here.run("cost", "built")
    index.write_text(json.dumps(content))
    (here.folder / "built" / "alb.json").write_text("[]")
    broken = here.run("cost", "built")

    assert (old.code, broken.code) == (2, 2)
    assert "built: the manifest has no usage.hours_per_month: run `gatestack generate` again" in old.err
    assert "alb.json: a template is a JSON object with Resources" in broken.err


def test_another_region_is_told_apart(here: User) -> None:
    found = machine(here, "dev", "--region", "eu-central-1")

    (notice,) = found["notices"]
    assert notice.startswith("no price file for eu-central-1: the figures are us-east-1's; --live asks AWS")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["cost", "dev"], {"botocore", "cfnlint", "moto", "rich"}),
        (["cost", "--help"], {"botocore", "cfnlint", "moto", "troposphere"}),
        (["--help"], {"generator.cost.prices", "generator.cost.estimate"}),
        (["status", "--help"], {"generator.cost.prices", "generator.cost.estimate"}),
    ],
    ids=["cost dev", "cost --help", "--help", "status --help"],
)
def test_an_estimate_loads_no_aws_and_the_other_commands_no_estimate(
    arguments: list[str], unwanted: set[str]
) -> None:
    code = "import sys; from gatestack.__main__ import run; run(sys.argv[1:]); print('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set(done.stdout.rpartition("LOADED")[2].split()) & unwanted == set()


# --- plan ----------------------------------------------------------------------------------------


def planned(user: User, *arguments: str) -> Any:
    done = user.run("plan", *arguments, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)["cost"]


@pytest.mark.deep
def test_a_plan_says_what_an_environment_will_cost_and_then_what_a_change_does(user: User) -> None:
    total = shipped("dev").monthly_usd
    created = planned(user, "dev")
    assert (created["monthly_usd_before"], created["monthly_usd_after"]) == (0, total)
    assert len(created["differences"]) > 20
    assert user.run("deploy", "dev", "--yes").code == 0

    same = planned(user, "dev")
    assert same == {"monthly_usd_before": total, "monthly_usd_after": total, "differences": []}

    user.edit("dev", "instance_class: db.t3.micro", "instance_class: db.t3.small")
    user.edit("dev", "nat_gateways: 1", "nat_gateways: 2")
    difference = {"stack": "database", "logical_id": "Database", "item": "database instance"}
    chosen = planned(user, "dev", "--only", "database")
    assert chosen["differences"] == [difference | {"before": 13.14, "after": 26.28}]
    assert chosen["monthly_usd_before"] == total
    assert chosen["monthly_usd_after"] == pytest.approx(total + 13.14, abs=0.01)
    text = user.run("plan", "dev").out
    assert f"cost: ${total:,.2f} -> $" in text
    assert "  database/Database database instance: $13.14 -> $26.28" in text
    assert "  network/NatGateway2 NAT gateway: $0.00 -> $32.85" in text


def test_an_estimate_that_cannot_be_made_stops_no_plan(user: User) -> None:
    assert user.run("generate", "dev", "--out", "built").code == 0
    index = user.folder / "built" / "manifest.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps(content | {"usage": {"nat_gb": 1}}))

    done = user.run("plan", "built")

    assert done.code == 0, done.err
    assert "note: what this costs is not known: the manifest has no usage.hours_per_month" in done.out
    assert "cost:" not in done.out


def one_plan(cost: PlanCost | None) -> Plan:
    return Plan("dev", (StackPlan("alb", "dev-alb", "update", exact=True),), cost=cost)


def test_a_cost_is_one_line_and_the_largest_differences() -> None:
    differences = tuple(CostDifference("alb", f"A{n}", "alarm", 0, 7 - n) for n in range(7))

    lines = report.plan_text(one_plan(PlanCost(100, 128, differences))).splitlines()

    assert lines[3:] == [
        "cost: $100.00 -> $128.00 a month (+$28.00)",
        *(f"  alb/A{n} alarm: $0.00 -> ${7 - n}.00" for n in range(5)),
        "  and 2 smaller differences",
        "dev: 1 of 1 stacks change, outputs or tags only",
    ]


@pytest.mark.parametrize(
    ("cost", "line"),
    [
        (PlanCost(12.5, 12.5), "cost: $12.50 a month, as before"),
        (
            PlanCost(9, 0, (CostDifference("alb", "A", "alarm", 9, 0),)),
            "cost: $9.00 -> $0.00 a month (-$9.00)",
        ),
        (
            PlanCost(0, 9, (CostDifference("alb", "A", "alarm", 0, 9),)),
            "cost: $0.00 -> $9.00 a month (+$9.00)",
        ),
    ],
)
def test_a_first_deployment_and_a_last_one_are_no_lists_of_differences(cost: PlanCost, line: str) -> None:
    assert report.plan_text(one_plan(cost)).splitlines()[3:-1] == [line]


def test_markdown_has_the_cost_row_by_row_and_nothing_where_nobody_estimated() -> None:
    cost = PlanCost(1, 3, (CostDifference("alb", "A", "alarm", 1, 3),))

    text = report.plan_markdown(one_plan(cost))

    assert "**Cost**: $1.00 -> $3.00 a month (+$2.00)" in text
    assert "| alb/A | alarm | $1.00 -> $3.00 |" in text
    assert "**Cost**: $1.00 a month, as before" in report.plan_markdown(one_plan(PlanCost(1, 1)))
    assert "Cost" not in report.plan_markdown(one_plan(None))
