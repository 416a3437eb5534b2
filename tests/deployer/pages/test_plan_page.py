"""`plan --format html` as a reviewer meets it: in a browser, from a file, on plans of a real deployment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from deployer.plan import Plan, PlanCost, StackPlan
from deployer.states import Change
from gatestack import agents
from sandbox.server import Sandbox
from tests.browser import NARROW, WIDE, Browser, NoBrowserError, Page, Scheme
from tests.command import LOGIN, User
from tests.deployer.pages.contrast import too_faint
from tests.deployer.pages.plan_pages import detail, html, update

SECRET = "sk-of-somebody-else"
NEW_NAME = "/ecs/another-name"
MARKED_UP = "The <b>CPU</b> is over 42 %"
ATTACKS = (
    "</script><script>document.title = 'attacked'</script>",
    '"><img src="x" onerror="document.title = \'attacked\'">',
    "</details></main><h1>attacked</h1>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}backwards\N{POP DIRECTIONAL FORMATTING} \N{SNOWMAN} 漢字",
)


@pytest.fixture(scope="module")
def reviewer(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user with templates in `built` that change the environment."""
    folder = tmp_path_factory.mktemp("reviewer")
    user = User.at(folder, AWS_ENDPOINT_URL=account.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)
    user.need_keys()  # as who has deployed it
    assert user.run("generate", "local", "--out", "built").code == 0
    edit(folder / "built" / "service.json", changed)
    return user


@pytest.fixture(scope="module")
def pages(reviewer: User) -> dict[str, Path]:
    """The pages about a new environment, one that stays as it is, and one that changes."""
    return {
        "new": written(reviewer, "dev"),
        "same": written(reviewer, "local"),
        "changed": written(reviewer, "built"),
        "allowed": written(reviewer, "built", "--allow-replace", "TaskLog"),
    }


def written(user: User, *arguments: str) -> Path:
    done = user.run("plan", *arguments, "--format", "html")
    assert done.code == 0, done.err
    path = user.folder / f"{'-'.join(arguments)}.html"
    path.write_text(done.out, encoding="utf-8")
    return path


def edit(path: Path, change: Callable[[dict[str, dict[str, dict[str, dict[str, object]]]]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def changed(document: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
    """Replace what holds data and what does not, change a little, remove an alarm and add one."""
    resources = document["Resources"]
    resources["TaskLog"]["Properties"]["LogGroupName"] = NEW_NAME
    (container,) = resources["ProxyTask"]["Properties"]["ContainerDefinitions"]  # type: ignore[misc]
    # in front: of a long list the page shows the beginning
    more = [{"Name": "A_KEY", "Value": SECRET}, {"Name": "MODE", "Value": "fast"}]
    container["Environment"] = more + container["Environment"]  # type: ignore[has-type]
    resources["AnotherAlarm"] = dict(resources["HighMemory"])
    resources["HighCpu"]["Properties"] |= {"Threshold": 42, "AlarmDescription": MARKED_UP}
    del resources["HighMemory"]


@pytest.fixture
def changed_page(browser: Browser, pages: dict[str, Path]) -> Iterator[Page]:
    with browser.open(pages["changed"]) as page:
        yield page


def test_a_new_environment_is_shown_stack_by_stack_with_all_that_is_added(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.open(pages["new"]) as page:
        assert page.seen("h1") == ["Plan for dev"]
        assert page.seen(".verdict") == ["5 of 5 stacks change"]
        assert page.seen(".stack h3") == ["security", "network", "alb", "database", "service"]
        assert "added" in page.one(".top .counts").text
        assert len(page.all(".change .sign.k-add")) == len(page.all(".change")) > 80
        assert page.all("#losses") == []


def test_an_environment_that_stays_as_it_is_says_so_and_has_nothing_to_filter(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with browser.open(pages["same"]) as page:
        assert page.seen(".verdict") == ["Nothing changes"]
        assert page.seen(".badge") == ["no change"] * 5
        assert page.all("form") == []


def test_lost_data_and_replacements_stand_above_all_changes_with_what_allows_them(changed_page: Page) -> None:
    panels = changed_page.seen("main > section > h2")
    assert panels[0].endswith("Data at risk")
    assert panels[1].endswith("Interruption")
    assert panels[2].endswith("Replaced")

    (loss,) = changed_page.seen("[aria-labelledby=losses] li")
    assert loss.startswith("TaskLog AWS::Logs::LogGroup in service")
    assert "because of LogGroupName" in loss
    assert "Refused without --allow-replace TaskLog" in loss
    assert changed_page.seen(".command") == ["gatestack deploy built --allow-replace TaskLog"]
    assert any(row.startswith("ProxyTask") for row in changed_page.seen("[aria-labelledby=replacements] li"))


def test_a_link_at_the_top_leads_to_the_change_it_names(changed_page: Page) -> None:
    changed_page.one("[data-fold=shut]").click()
    assert changed_page.all(".tree details[open]") == []

    changed_page.one("[aria-labelledby=losses] a").click()

    assert changed_page.focused().text.split()[1] == "TaskLog"
    assert changed_page.one("details.change[open]").is_displayed()


def test_consent_that_was_given_with_the_plan_is_shown(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.open(pages["allowed"]) as page:
        assert "Allowed: the plan was made with --allow-replace TaskLog" in page.text()
        assert page.all(".command") == []


def test_every_property_shows_its_values_and_what_a_change_of_it_does(changed_page: Page) -> None:
    text = changed_page.text()
    assert NEW_NAME in text
    assert MARKED_UP in text
    threshold = next(row for row in changed_page.seen(".property") if row.startswith("Threshold"))
    assert (
        threshold.split() == ["Threshold", "in", "place", "before", "80", "after", "42"] or "42" in threshold
    )
    assert any("fast" in row for row in changed_page.seen(".property"))
    assert "replaces the resource" in text


def test_one_command_writes_the_plan_and_its_page(account: Sandbox, tmp_path: Path) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL=account.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)

    done = user.run("plan", "local", "--save", "plan.json", "--format", "html")

    assert done.out.startswith("<!doctype html>")
    assert done.out.rstrip().endswith("</html>")
    assert json.loads((tmp_path / "plan.json").read_text())["environment"] == "local"


def test_no_secret_is_on_the_page(reviewer: User) -> None:
    text = written(reviewer, "built").read_text()

    assert SECRET not in text
    assert "hidden, another value" in text


def test_the_page_can_be_worked_by_keyboard_alone(changed_page: Page) -> None:
    changed_page.press("TAB")
    assert changed_page.focused().text == "Skip to the changes"

    changed_page.script("document.querySelector('[data-fold=shut]').focus()")
    changed_page.press("ENTER")
    assert changed_page.all(".tree details[open]") == []
    changed_page.script("document.querySelector('.tree summary').focus()")
    changed_page.press("END")
    assert changed_page.focused().text.startswith("service")
    changed_page.press("ARROW_RIGHT", "ARROW_DOWN")
    first = changed_page.focused().text
    assert changed_page.script("return document.activeElement.parentElement.matches('.change')")
    changed_page.press("ENTER")
    assert len(changed_page.all(".change[open]")) == 1
    changed_page.press("ARROW_DOWN", "ARROW_UP")
    assert changed_page.focused().text == first
    changed_page.press("ARROW_LEFT")
    assert changed_page.all(".change[open]") == []
    changed_page.press("ARROW_UP", "HOME")
    assert changed_page.focused().text.startswith("security")


def test_the_focus_can_be_seen(changed_page: Page) -> None:
    for selector in (".tree summary", "[data-fold]", "#text", "[aria-labelledby=losses] a"):
        changed_page.script("document.querySelector(arguments[0]).focus({focusVisible: true})", selector)
        style = changed_page.script("return getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", selector


def test_the_filter_narrows_by_text_and_by_kind_and_says_how_much_is_left(changed_page: Page) -> None:
    whole = len(changed_page.seen(".change"))

    changed_page.one("#text").send_keys("tasklog logs::loggroup")
    assert [row.split()[1] for row in changed_page.seen(".change")] == ["TaskLog"]
    assert changed_page.seen(".stack h3") == ["service"]
    assert changed_page.one("#found").text == f"1 of {whole} changes shown"

    changed_page.one("#text").clear()
    changed_page.one("input[value=remove]").click()
    changed_page.one("input[value=replace]").click()
    changed_page.one("input[value=change]").click()
    assert [row.split()[1] for row in changed_page.seen(".change")] == ["AnotherAlarm"]

    for kind in ("remove", "replace", "change"):
        changed_page.one(f"input[value={kind}]").click()
    assert len(changed_page.seen(".change")) == whole
    assert len(changed_page.seen(".stack")) == 5


def test_without_scripts_everything_can_be_read(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.open(pages["changed"], scripts=False) as page:
        assert page.seen("form, button") == []
        assert page.one("#losses").is_displayed()
        page.all(".stack:not([open]) > summary")[0].click()
        assert "Nothing changes here." in page.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["new", "changed"])
def test_it_fits_and_can_be_read_at_every_width_in_light_and_dark(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: Scheme
) -> None:
    with browser.open(pages[name], width=width, scheme=scheme) as page:
        page.one("[data-fold=open]").click()
        assert page.overflow() == 0
        assert too_faint(page) == []


def test_light_and_dark_are_different(browser: Browser, pages: dict[str, Path]) -> None:
    colour = "return getComputedStyle(document.documentElement).backgroundColor"
    with browser.open(pages["same"], scheme="light") as page:
        light = page.script(colour)
        page.scheme("dark")
        assert page.script(colour) != light


def test_headings_go_down_one_level_at_a_time_and_every_id_is_there_once(changed_page: Page) -> None:
    levels = changed_page.script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    )
    ids = changed_page.script("return [...document.querySelectorAll('[id]')].map(each => each.id)")

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(ids) == len(set(ids))


def test_on_paper_nothing_is_folded_away(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.open(pages["changed"], scripts=False) as page:
        folded = page.all("details:not([open]) > :not(summary)")
        assert folded
        assert not any(each.is_displayed() for each in folded)
        page.on_paper()
        assert all(page.script("return arguments[0].checkVisibility()", each) for each in folded)
        assert page.print_out().startswith(b"%PDF")


def test_a_page_that_asks_the_network_would_fail_these_tests(browser: Browser) -> None:
    with (
        pytest.raises(AssertionError, match=r"http://example\.com/"),
        browser.open("<!doctype html><title>x</title><img src='http://example.com/a.png'>"),
    ):
        pass


def test_a_machine_without_a_browser_fails_these_tests_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SE_MANAGER_PATH", "/bin/false")  # what would look for one, and fetch one

    with pytest.raises(NoBrowserError, match="apt-get install chromium chromium-driver"), Browser():
        pass


@pytest.mark.parametrize("attack", [*ATTACKS, "x" * 20_000], ids=range(len(ATTACKS) + 1))
def test_whatever_stands_in_a_plan_is_text(browser: Browser, attack: str) -> None:
    change = Change(
        "Modify",
        attack,
        f"AWS::{attack}",
        attack,
        "True",
        details=(detail(attack, attack, "1", "Always"), detail("Json", json.dumps([attack] * 9), "[]")),
    )
    stack = StackPlan(
        attack, attack, "update", exact=False, changes=(change,), reason=attack, problems=(attack,)
    )
    plan = Plan(attack, (stack, update(change)), (attack,), PlanCost(1, 2))

    with browser.open(html(plan), width=NARROW) as page:
        page.one("[data-fold=open]").click()
        assert page.script("return document.title") == f"Plan for {attack}".strip()
        assert page.all("img") == []
        assert len(page.all("h1")) == 1
        assert page.script("return document.querySelector('h1').textContent").endswith(attack)
        assert page.seen("[aria-labelledby=notices] li") == [attack]
        assert page.overflow() == 0


def test_an_agent_that_reads_the_page_from_a_step_finds_no_command_in_it(pages: dict[str, Path]) -> None:
    """Else it would be changed on its way, and its script would no longer be the one its policy lets run."""
    text = pages["changed"].read_text()

    assert agents.harmless(text) == text
