"""`cost --live`: what the Price List API is asked, over HTTP, and what is taken of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from deployer.aws.prices import HOME, Answer, Answers, Question
from deployer.aws.prices import PriceList as Asked
from generator.cost.prices import load
from tests.command import LOGIN, User
from tests.generator.cost.price_list import PriceList, Product, fargate
from tests.serving import serving

GB = Question("gb", "AmazonECS", (("productFamily", "Compute"),), "Fargate-GB-Hours")
CPU = Question("cpu", "AmazonECS", (("productFamily", "Compute"),), "Fargate-vCPU-Hours:perCPU")
KEY = Question("key", "awskms", (), "KMS-Keys")
BOARD = Question(
    "board", "AmazonCloudWatch", (("productFamily", "Dashboard"),), "DashboardsUsageHour", everywhere=True
)
KEYS = Product(
    "awskms",
    "Encryption Key",
    {"regionCode": "eu-west-1", "usagetype": "eu-west-1-KMS-Keys"},
    (("0", "1.0"),),
    "Keys",
)
BOARDS = Product(
    "AmazonCloudWatch",
    "Dashboard",
    {"regionCode": "", "usagetype": "DashboardsUsageHour"},
    (("0", "0"), ("3", "3.0")),
)


def asked(app: PriceList, region: str, *questions: Question) -> Answers:
    """Ask the price list *app* these questions, over HTTP."""
    session = botocore.session.Session()
    session.set_credentials("AKIAEXAMPLE", "example")
    with serving(app) as address:
        clients = partial(session.create_client, region_name=HOME, endpoint_url=address)
        return Asked(clients).ask(region, questions)


def test_prices_of_the_region_come_from_all_pages_and_only_on_demand_ones() -> None:
    app = PriceList((*fargate("USE1-", "us-east-1"), *fargate("EUC1-", "eu-central-1", factor=1.5)))

    found = asked(app, "eu-central-1", GB, CPU)

    assert found.prices == {
        "gb": Answer(0.0066675, date(2026, 11, 20)),
        "cpu": Answer(0.06072, date(2026, 11, 20)),
    }
    assert [call.get("NextToken") for call in app.calls] == [None, "2", "4", "6"]
    assert app.calls[0]["Filters"] == [
        {"Type": "TERM_MATCH", "Field": "productFamily", "Value": "Compute"},
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"},
    ]


def test_regions_are_spelled_in_three_ways_and_some_products_belong_to_none() -> None:
    app = PriceList((*fargate("EU-", "eu-west-1"), KEYS, BOARDS))

    found = asked(app, "eu-west-1", GB, KEY, BOARD)

    assert {name: one.usd for name, one in found.prices.items()} == {"gb": 0.004445, "key": 1.0, "board": 3.0}
    assert [one["Field"] for one in app.calls[-1]["Filters"]] == ["productFamily"]


@pytest.mark.parametrize(
    ("products", "reason"),
    [
        ((), "the Price List has no price for AmazonECS Fargate-GB-Hours"),
        (
            (*fargate("USE1-", "us-east-1"), *fargate("", "us-east-1", factor=2)),
            "the Price List has 2 prices for AmazonECS Fargate-GB-Hours",
        ),
    ],
)
def test_a_question_without_one_clear_answer_has_none(products: Any, reason: str) -> None:
    found = asked(PriceList(products), "us-east-1", GB)

    assert (found.prices, found.unanswered) == ({}, {"gb": reason})


@pytest.mark.parametrize(
    "raw", ["nonsense", "[]", '{"product": {"attributes": {"usagetype": "Fargate-GB-Hours"}}}']
)
def test_an_answer_that_nobody_understands_is_told(raw: str) -> None:
    found = asked(PriceList(raw=raw), "us-east-1", GB)

    assert "is not understood" in found.unanswered["gb"]


def test_one_refusal_is_enough() -> None:
    app = PriceList(refusal=("AccessDeniedException", "not authorized to perform pricing:GetProducts"))

    found = asked(app, "us-east-1", GB, KEY, BOARD)

    assert len(app.calls) == 1
    assert all("pricing:GetProducts" in reason for reason in found.unanswered.values())
    assert found.unanswered.keys() == {"gb", "key", "board"}


def test_every_price_of_the_file_can_be_asked_for_but_those_of_models_and_insights() -> None:
    silent = {name.partition("/")[0] for name, price in load("us-east-1").prices.items() if price.ask is None}

    models = {"bedrock-input-million", "bedrock-output-million"}
    assert silent == models | {"insights-vcpu-hour", "insights-acu-hour"}


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def region() -> PriceList:
    """Frankfurt's prices of tasks, half as much again as Virginia's; nothing else is known there."""
    return PriceList(fargate("EUC1-", "eu-central-1", factor=1.5))


@pytest.fixture
def user(tmp_path: Path, region: PriceList) -> Iterator[User]:
    with serving(region) as address:
        yield User.at(tmp_path, AWS_ENDPOINT_URL=address, AWS_EC2_METADATA_DISABLED="true", **LOGIN)


def fargate_rows(text: str) -> dict[str, float]:
    rows = json.loads(text)["rows"]
    return {row["item"]: row["monthly_usd"] for row in rows if row["item"].startswith("Fargate")}


def test_live_prices_lie_over_the_files_and_the_rest_is_told(user: User) -> None:
    arguments = ("cost", "llm-testing", "--region", "eu-central-1")
    file = user.run(*arguments, "--format", "json")
    live = user.run(*arguments, "--live", "--format", "json")
    text = user.run(*arguments, "--live")

    assert (file.code, live.code, text.code) == (0, 0, 0)
    assert fargate_rows(file.out) == {"Fargate vCPU": 29.5504, "Fargate memory": 6.4897}
    assert fargate_rows(live.out) == {"Fargate vCPU": 44.3256, "Fargate memory": 9.7346}
    found = json.loads(live.out)
    assert found["region"] == "eu-central-1"
    assert found["prices"] == {"region": "us-east-1", "seen": "2026-11-28", "live": 2}
    notes = [line for line in text.out.splitlines() if line.startswith("note: ")]
    assert (
        notes[0]
        == f"note: 2 of {len(notes_names(notes)) + 2} prices are eu-central-1's by the Price List API"
    )
    assert "note: from the file (us-east-1's of 2026-11-28): nat-hour: " in text.out
    assert "the Price List API's prices of 2026-11-20" in text.out
    no_file = (
        "no price file for eu-central-1: the figures are us-east-1's; --live asks AWS for eu-central-1's own"
    )
    assert json.loads(file.out)["notices"] == [no_file]


def notes_names(notes: list[str]) -> list[str]:
    """Return the prices that the notes name as the file's."""
    listed = [note.partition("): ")[2].partition(": ")[0] for note in notes[1:]]
    return [name for names in listed for name in names.split(", ")]


def test_answers_are_kept_for_a_day(user: User, region: PriceList) -> None:
    first = user.run("cost", "llm-testing", "--region", "eu-central-1", "--live", "--format", "json")
    region.calls.clear()
    second = user.run("cost", "llm-testing", "--region", "eu-central-1", "--live", "--format", "json")

    assert "AmazonECS" not in {call["ServiceCode"] for call in region.calls}
    assert json.loads(second.out)["rows"] == json.loads(first.out)["rows"]

    file = user.folder / ".gatestack" / "prices" / "eu-central-1.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"asked": (datetime.now(UTC) - timedelta(hours=25)).isoformat()}))
    user.run("cost", "llm-testing", "--region", "eu-central-1", "--live")
    assert "AmazonECS" in {call["ServiceCode"] for call in region.calls}

    file.write_text("{}")
    assert user.run("cost", "llm-testing", "--region", "eu-central-1", "--live").code == 0


def test_who_may_not_ask_gets_the_files_prices_and_the_reason(user: User, region: PriceList) -> None:
    region.refusal = ("AccessDeniedException", "User is not authorized")

    done = user.run("cost", "dev", "--live")

    assert done.code == 0
    assert "note: 0 of " in done.out
    assert "grant the permission pricing:GetProducts" in done.out
    assert "(us-east-1, prices of 2026-11-28)" in done.out


def test_the_sandbox_is_asked_for_nothing(user: User, region: PriceList) -> None:
    here = User(user.folder, {})

    done = here.run("cost", "local", "--live")

    assert done.code == 0
    assert "note: local is the sandbox, which has no price list: the figures are the file's" in done.out
    assert region.calls == []
