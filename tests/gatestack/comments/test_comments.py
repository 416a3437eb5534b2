"""The plan as a pull request's comment, on servers that record what they are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployer.web.exchange import ExchangeError, Question, allowed, ask_once, pause
from gatestack.comments.fitted import fitted, mark
from gatestack.comments.places import NoPullRequestError, Place, place
from gatestack.comments.sticky import NotCommentedError, comment
from tests.gatestack.comments.review_servers import TOKEN, Reviews, variables
from tests.serving import serving

PLAN = "## Plan for dev\n\n| stack | action |\n"
NAME = "dev-litellm"


@pytest.fixture(params=[False, True], ids=["GitHub", "Azure DevOps"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Reviews, Place]]:
    reviews = Reviews(azure=request.param)
    with serving(reviews) as url:
        yield reviews, place(variables(url, azure=request.param))


def write(where: Place, text: str = PLAN, name: str = NAME) -> list[float]:
    slept: list[float] = []
    comment(where, name, text, slept.append)
    return slept


Server = tuple[Reviews, Place]


def test_a_comment_is_made_once_and_changed_from_then_on(server: Server) -> None:
    reviews, where = server
    reviews.comments = ["looks good", "before " + mark(NAME)]

    write(where)
    write(where, "another plan")
    write(where, "of prod", "prod-litellm")

    assert reviews.comments[:2] == ["looks good", "before " + mark(NAME)]
    assert [one.split("\n")[0] for one in reviews.comments[2:]] == [mark(NAME), mark("prod-litellm")]
    assert reviews.comments[2].endswith("another plan")
    assert "Commit 0123456789ab" in reviews.comments[2]
    assert "[run](https://" in reviews.comments[2] or reviews.azure  # whose server has no TLS
    assert [method for method, _ in reviews.asked] == ["GET", "POST", "GET", "PATCH", "GET", "POST"]


def test_a_comment_beyond_the_first_hundred_is_found() -> None:
    reviews = Reviews(comments=[*(f"comment {number}" for number in range(250)), mark(NAME)])
    with serving(reviews) as url:
        write(place(variables(url, azure=False)))

    assert (len(reviews.comments), len(reviews.asked)) == (251, 4)


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_a_server_that_is_busy_is_asked_again(server: Server, method: str) -> None:
    reviews, where = server
    reviews.comments = [mark(NAME)] if method == "PATCH" else []
    reviews.refusals = [(method, 503, {}), (method, 503, {})]

    assert write(where) == [0.0, 0.0]
    assert len(reviews.comments) == 1


def test_an_answer_that_was_lost_makes_no_second_comment(server: Server) -> None:
    reviews, where = server
    reviews.refusals = [("POST", 0, None)]

    write(where)

    assert len(reviews.comments) == 1
    assert [method for method, _ in reviews.asked] == ["GET", "POST", "GET", "PATCH"]


def test_after_three_attempts_it_gives_up(server: Server) -> None:
    reviews, where = server
    reviews.refusals = [("GET", 503, {"message": "x"})] * 9

    with pytest.raises(NotCommentedError, match=r"refuses the comment \(503, \"x\"\): run the job again"):
        write(where)
    assert len(reviews.asked) == 3


def test_a_comment_that_may_not_be_changed_is_made_anew(server: Server) -> None:
    reviews, where = server
    reviews.comments = [mark(NAME)]
    reviews.refusals = [("PATCH", 403, {"message": "not yours"})]

    write(where)

    assert len(reviews.comments) == 2


REFUSED = {
    401: ("the token is not accepted: give the step ", "the token is not accepted: give the step "),
    302: ("run the job again", "the token is not accepted: give the step SYSTEM_ACCESSTOKEN"),
    203: ("run the job again", "the token is not accepted: give the step SYSTEM_ACCESSTOKEN"),
    403: ("`permissions: pull-requests: write`", "allow the project's build service to contribute"),
    404: ("`permissions: pull-requests: write`", "allow the project's build service to contribute"),
}


@pytest.mark.parametrize("status", REFUSED)
def test_a_refusal_says_what_to_do_and_repeats_no_page_and_no_token(server: Server, status: int) -> None:
    reviews, where = server
    said: Any = {"message": f"<html>Authorization: Bearer {TOKEN}</html>"} if status != 203 else b"<html>"
    reviews.refusals = [("GET", status, said)]

    with pytest.raises(NotCommentedError) as refused:
        write(where)
    assert REFUSED[status][reviews.azure] in str(refused.value)
    assert f"({status}" in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert TOKEN not in repr(where)
    assert len(reviews.asked) == 1


def test_what_answers_with_something_else_is_told(server: Server) -> None:
    reviews, where = server
    reviews.refusals = [("GET", 200, ["x"] if not reviews.azure else {"odd": 1})]

    with pytest.raises(NotCommentedError, match="something else than comments"):
        write(where)


def test_nobody_there_is_told() -> None:
    with serving(Reviews()) as url:
        where = place(variables(url, azure=False))

    with pytest.raises(NotCommentedError, match=r"GitHub: no answer: .*: run the job again"):
        write(where)


# where


@pytest.mark.parametrize(
    ("azure", "changed", "words"),
    [
        (False, {"GITHUB_REF": "refs/heads/main"}, "--comment is for a run of a pull request, and this one"),
        (False, {"GITHUB_TOKEN": ""}, "give the step GITHUB_TOKEN: "),
        (
            False,
            {"GITHUB_API_URL": "http://api.github.com"},
            "GITHUB_API_URL is neither https:// nor on this",
        ),
        (False, {"GITHUB_REPOSITORY": "../../x"}, "GITHUB_REPOSITORY does not name"),
        (False, {"GITHUB_ACTIONS": ""}, "in GitHub Actions or Azure Pipelines: leave it out elsewhere"),
        (True, {"SYSTEM_PULLREQUEST_PULLREQUESTID": ""}, "and this one has none"),
        (True, {"SYSTEM_ACCESSTOKEN": ""}, "give the step SYSTEM_ACCESSTOKEN: $(System.AccessToken)"),
        (True, {"SYSTEM_COLLECTIONURI": "ftp://x"}, "SYSTEM_COLLECTIONURI is neither"),
        (True, {"BUILD_REPOSITORY_PROVIDER": "GitHub"}, "is for pull requests of Azure Repos"),
        (True, {"BUILD_REPOSITORY_ID": ""}, "name no repository"),
    ],
)
def test_without_a_pull_request_or_a_token_nothing_begins(
    azure: bool,  # noqa: FBT001 - which of two agents
    changed: dict[str, str],
    words: str,
) -> None:
    with pytest.raises(NoPullRequestError) as refused:
        place(variables("https://example.com", azure=azure, **changed))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("event", "number"),
    [
        ({"pull_request": {"number": 12}}, 12),
        ({"issue": {"number": 13, "pull_request": {}}}, 13),
        ({"issue": {"number": 14}}, 7),
        ([], 7),
        (None, 7),
    ],
    ids=str,
)
def test_the_event_names_the_pull_request_before_the_branch_does(
    tmp_path: Path, event: object, number: int
) -> None:
    path = tmp_path / "event.json"
    path.write_text("{" if event is None else json.dumps(event))

    where = place(variables("https://example.com", azure=False, GITHUB_EVENT_PATH=str(path)))
    assert where.number == number


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://api.github.com", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.example.com", False),
        ("http://example.com", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://[", False),
    ],
)
def test_only_https_and_this_machine_are_asked(url: str, may: bool) -> None:  # noqa: FBT001
    assert allowed(url) is may
    if not may:
        with pytest.raises(ExchangeError, match="neither https"):
            ask_once(Question("GET", url, {}))


def test_a_server_s_wish_for_a_pause_is_followed_within_reason() -> None:
    assert [pause(1, None), pause(2, None), pause(1, 7.0), pause(1, 9999.0)] == [2.0, 4.0, 7.0, 30.0]


# as much as fits


def test_what_fits_is_whole() -> None:
    assert fitted("dev", "run", "plan", 100) == f"{mark('dev')}\n\nrun\n\nplan"


def test_what_does_not_fit_is_cut_between_lines_says_so_and_closes_what_is_open() -> None:
    lines = ["<details><summary>alb</summary>", "", "```diff", *(f"+ line {number}" for number in range(400))]
    plan = "\n".join([*lines, "```", "</details>"])

    text = fitted("dev", "", plan, 2000)

    assert len(text) <= 2000
    assert f"**This comment is cut**: {405 - text.count('+ line') - 3} of 405 lines do not fit." in text
    assert text.endswith("\n```\n\n</details>")
    assert fitted("dev", "", plan, 65_000).endswith(plan)


def test_one_endless_line_is_left_out() -> None:
    text = fitted("dev", "", "x" * 70_000, 65_000)

    assert "1 of 1 lines do not fit" in text
    assert len(text) < 1000
