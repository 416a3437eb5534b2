"""`events --format html` as a reviewer meets it: in a browser, from a file, on runs of a real deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.pages.html import run_html
from gatestack import agents
from sandbox.server import Sandbox
from tests.browser import NARROW, WIDE, Browser, Page, Scheme
from tests.command import LOGIN, User
from tests.deployer.pages.contrast import too_faint
from tests.deployer.pages.run_events import Story, failed_update, page_of

REASON = "no capacity </script><img src=x onerror=\"document.title='attacked'\"> <b>now</b>"


@pytest.fixture(scope="module")
def user(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("reviewer")
    user = User.at(folder, AWS_ENDPOINT_URL=account.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)
    user.need_keys()  # as who has deployed it
    return user


@pytest.fixture(scope="module")
def pages(account: Sandbox, user: User) -> dict[str, Path]:
    """The pages about a first deployment, about nothing, and about an update that failed."""
    found = {"created": written(user, "local"), "nothing": written(user, "dev")}
    assert user.run("generate", "local", "--out", "built").code == 0
    path = user.folder / "built" / "service.json"
    document = json.loads(path.read_text())
    document["Resources"]["Service"]["Properties"]["HealthCheckGracePeriodSeconds"] = 77
    path.write_text(json.dumps(document))
    account.faults.add({"resources": [{"logical_id": "Service", "operation": "update", "reason": REASON}]})
    assert user.run("deploy", "built", "--yes").code == 1
    found["failed"] = written(user, "built")
    found["one"] = written(user, "built", "--stack", "network")
    return found


def written(user: User, *arguments: str) -> Path:
    done = user.run("events", *arguments, "--format", "html")
    assert done.code == 0, done.err
    path = user.folder / f"{'-'.join(arguments)}.html"
    path.write_text(done.out, encoding="utf-8")
    return path


@pytest.fixture
def created_page(browser: Browser, pages: dict[str, Path]) -> Iterator[Page]:
    with browser.open(pages["created"]) as page:
        yield page


def test_a_deployment_is_a_row_a_stack_and_below_it_a_row_a_resource(created_page: Page) -> None:
    assert created_page.seen("h1") == ["Last run on local"]
    assert created_page.one(".verdict").text.startswith("Deployment of 5 stacks done in ")
    stacks = created_page.seen(".group > summary .id")
    assert sorted(stacks) == ["alb", "database", "network", "security", "service"]
    assert stacks[-1] == "service"

    created_page.one("[data-fold=open]").click()

    resources = created_page.seen(".one > summary .id")
    assert {"Vpc", "Database", "LoadBalancer", "Service"} <= set(resources)
    assert len(resources) == len(created_page.all("table:not(.events) tbody tr")) - 5


def test_the_longest_path_is_marked_in_words_and_its_length_told_against_the_whole(
    created_page: Page,
) -> None:
    steps = created_page.seen(".steps li > b")
    assert steps[0] == "network"
    assert steps[-1] == "service"
    assert "database" in steps
    assert " of " in created_page.one("#path .sum").text
    assert "%" in created_page.one("#path .sum").text

    marked = [row for row in created_page.seen(".group > summary .who") if "longest path" in row]
    assert len(marked) == len(steps)
    assert any("Database" in row for row in created_page.seen(".steps li"))


def test_a_bar_stands_where_its_time_is(created_page: Page) -> None:
    """The database waits for the network, and is longer than anything else."""
    bars = {}
    for row in created_page.all(".group > summary"):
        style = row.find_element("css selector", ".bar").get_attribute("style") or ""
        left, width = (float(part) for part in re.findall(r"[\d.]+(?=%)", style))
        bars[row.find_element("css selector", ".id").text] = (left, width)
    assert bars["database"][0] >= sum(bars["network"]) - 0.01
    assert bars["service"][0] >= sum(bars["database"]) - 0.01
    assert bars["database"][1] == max(width for _, width in bars.values())


def test_arrow_keys_go_from_row_to_row_and_enter_opens_details(created_page: Page) -> None:
    created_page.one("[data-fold=shut]").click()
    created_page.script("document.querySelector('.chart summary').focus()")
    created_page.press("ARROW_DOWN")
    assert created_page.focused().text.startswith(created_page.seen(".group > summary .id")[1])

    created_page.press("HOME", "ARROW_RIGHT", "ARROW_DOWN", "ARROW_DOWN", "ENTER")

    resource = created_page.one(".one[open]")
    assert "CREATE_IN_PROGRESS" in resource.text
    assert "CREATE_COMPLETE" in resource.text


def test_what_a_bar_stands_for_is_shown_on_focus_and_hidden_by_escape(created_page: Page) -> None:
    created_page.one("[data-fold=shut]").click()
    created_page.script("document.querySelector('.chart summary').focus({focusVisible: true})")
    created_page.press("ARROW_DOWN", "ARROW_UP")
    (tip,) = created_page.seen(".tip")
    assert "creation, done: 0:0" in tip

    created_page.press("ESCAPE")

    assert created_page.seen(".tip") == []


def test_the_same_can_be_read_as_a_table_without_scripts(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.open(pages["created"], scripts=False) as page:
        assert page.seen("button") == []
        page.one("[aria-labelledby=table] summary").click()
        head = [cell.text for cell in page.all("[aria-labelledby=table] th[scope=col]")]
        rows = [" ".join(row.split()) for row in page.seen("[aria-labelledby=table] tbody tr")]
    assert head == ["what", "stack", "type", "what was done", "began", "took", "ended", "longest path"]
    database = next(row for row in rows if row.startswith("Database database"))
    assert database.startswith("Database database AWS::RDS::DBInstance creation ")
    assert database.endswith(" done yes")


def test_a_failure_stands_above_everything_with_its_cause_in_words(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.open(pages["failed"]) as page:
        assert "failed after" in page.one(".verdict").text
        assert page.seen("main h2")[0].endswith("First cause")
        cause = page.one("[aria-labelledby=cause]").text
        assert "Service AWS::ECS::Service in service, UPDATE_FAILED at " in cause
        assert REASON in cause
        assert page.all("img") == []
        assert page.script("return document.title") == "Last run on local"
        assert page.seen(".group > summary .ended") == ["rolled back"]
        assert "failed" in page.seen(".one > summary .ended")
        assert page.all(".group > summary .bar.p-rollback")


def test_only_the_stacks_of_the_last_run_are_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.open(pages["failed"]) as page:
        assert page.seen(".group > summary .id") == ["service"]
    with browser.open(pages["one"]) as page:
        assert page.seen(".group > summary .id") == ["network"]
        assert page.one(".verdict").text.startswith("Deployment of 1 stack done in ")


def test_an_environment_with_nothing_has_a_page_that_says_so(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.open(pages["nothing"]) as page:
        assert page.one(".verdict").text == "CloudFormation has no events of dev"
        assert page.all(".chart") == []
        assert "Not there: security, network, alb, database, service." in page.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["created", "failed"])
def test_it_fits_and_can_be_read_at_every_width_in_light_and_dark(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Scheme
) -> None:
    with browser.open(pages[name], width=width, scheme=scheme) as page:
        page.script("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert page.overflow() == 0
        assert too_faint(page) == []


def test_what_went_wrong_can_be_told_without_colours(browser: Browser) -> None:
    going = Story("alb").at(0, "CREATE_IN_PROGRESS").at(1, "CREATE_IN_PROGRESS", "LoadBalancer")
    with browser.open(run_html(page_of(failed_update(), going, now=120))) as page:
        page.one("[data-fold=open]").click()
        looks = page.script(
            "return [...document.querySelectorAll('.legend .bar')].map(each => {"
            " const style = getComputedStyle(each);"
            " return [style.backgroundImage.replace(/rgb\\([^)]*\\)/g, ''), style.borderTopStyle].join() })"
        )
        words = page.seen(".took .ended")
    assert len(set(looks)) >= 6  # done and "on the longest path" differ by the mark that stands beside them
    assert {"rolled back", "failed", "cancelled", "in progress"} <= set(words)


@pytest.mark.parametrize(
    "reason", ["x" * 20_000, "</details></main><h1>attacked</h1>", "\N{SNOWMAN} 漢字 {{ 7 * 7 }}"]
)
def test_whatever_a_reason_says_is_text(browser: Browser, reason: str) -> None:
    with browser.open(run_html(page_of(failed_update(reason))), width=NARROW) as page:
        assert page.one("blockquote").text == reason
        assert len(page.all("h1")) == 1
        page.one("[data-fold=open]").click()
        assert page.overflow() == 0


def test_a_page_cannot_follow(user: User) -> None:
    done = user.run("events", "local", "--follow", "--format", "html")

    assert done.code == 2
    assert "--format html draws the last deployment" in done.err


def test_an_agent_that_reads_the_page_from_a_step_finds_no_command_in_it(user: User) -> None:
    text = written(user, "local").read_text()

    assert agents.harmless(text) == text
