"""Every command, option, make target and link in the pages exists."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from gatestack.cli import COMMANDS
from tests.docs import docs_pages
from tests.docs.docs_pages import PAGES, Command, anchors, links
from tests.places import ROOT

LONGEST = 350
"""Lines of a page; the four systems' pages and the reference are tables that nobody reads through."""
TABLES = {"docs/aws.md", "docs/environment.md", "docs/systems/litellm.md", "CHANGELOG.md"}
AWS_ITSELF = {"configure", "help"}
"""Commands of the AWS CLI that are no service."""
ONLY_IN_VERSION_2 = {("logs", "tail")}
"""Made by the AWS CLI itself, out of several requests (AWS CLI Command Reference, version 2)."""
AWS_GLOBAL = {"--endpoint-url", "--query", "--output", "--region", "--profile"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_in_a_page_exists(page: Path) -> None:
    wrong = [
        f"{one}\n    {docs_pages.objection(one.text)}"
        for one in docs_pages.commands()
        if one.page == name_of(page) and docs_pages.objection(one.text)
    ]

    assert "\n".join(wrong) == ""


def test_the_pages_are_full_of_commands() -> None:
    """What finds nothing checks nothing."""
    found = docs_pages.commands()

    assert len({one.text for one in found}) > 80
    assert {one.page for one in found} >= {"README.md", "docs/operations.md", "docs/first-deployment.md"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gatestack fly dev", "there is no command fly"),
        ("gatestack plan dev --svae FILE", "No such option '--svae'"),
        ("gatestack plan dev --format pdf", "--format takes"),
        ("gatestack status dev now", "takes 1 arguments, not 2"),
        ("gatestack secret put dev NAME", "there is no command put"),
        ("make money", "no target money"),
        ("make lint EVN=dev", "no variable EVN"),
        ("gatestack --region eu-central-1 plan dev --only alb", ""),
        ("gatestack deploy dev --region eu-central-1", ""),
        ("gatestack secret", ""),
        ("make lint ENV=dev", ""),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, told: str) -> None:
    said = docs_pages.objection(text)

    assert told in said if told else said == ""


def test_the_readmes_table_has_every_command_with_options_that_exist() -> None:
    table = (ROOT / "README.md").read_text().partition("## The commands")[2].partition("## ")[0]
    spans = [
        span for cell in re.findall(r"(?m)^\| (`.*?) \|", table) for span in re.findall(r"`([^`]+)`", cell)
    ]
    last = ""
    for span in spans:  # `local start`, `stop`: the group is said once
        words = span.replace("[", "").replace("]", "")
        last = words.split()[0] if words.split()[0] in COMMANDS else last
        whole = words if words.split()[0] in COMMANDS else f"{last} {words}"
        assert docs_pages.objection(f"gatestack {whole}") == ""

    assert {span.split()[0] for span in spans} & COMMANDS.keys() == COMMANDS.keys()


@pytest.mark.parametrize(
    "command", [one for one in docs_pages.foreign() if one.program == "aws"], ids=lambda one: one.text[:60]
)
def test_every_command_of_aws_exists_with_its_options(command: Command) -> None:
    words = command.text.split()[1:]
    while words and words[0] in AWS_GLOBAL:
        words = words[2:]
    service, *rest = words
    if service in AWS_ITSELF or (service, *rest[:1]) in ONLY_IN_VERSION_2 or not rest:
        return
    model = botocore.session.Session().get_service_model({"s3api": "s3"}.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[rest[0]]).input_shape
    known = {f"--{xform_name(member, '-')}" for member in shape.members} if shape else set()
    known |= {option.replace("--", "--no-", 1) for option in known}
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}

    assert options - known - AWS_GLOBAL == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        place, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                waiting.append(target)

    assert {name_of(page) for page in PAGES} - {name_of(page) for page in reached} <= {"CHANGELOG.md"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_is_no_book(page: Path) -> None:
    if name_of(page) not in TABLES:
        assert len(page.read_text().splitlines()) <= LONGEST


def test_the_index_of_the_pages_names_them_all() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}

    assert {page for page in (ROOT / "docs").glob("**/*.md") if page != index} - linked == set()
