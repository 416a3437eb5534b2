"""`plan --comment`, on an agent that runs for a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gatestack.comments.fitted import mark
from tests.command import User
from tests.covering import only
from tests.gatestack.comments.review_servers import TOKEN, Reviews, variables
from tests.serving import serving

Agent = tuple[User, Reviews]


@pytest.fixture
def agent(request: pytest.FixtureRequest, deployed: User) -> Iterator[Agent]:
    azure = request.param == "Azure DevOps"
    reviews = Reviews(azure=azure)
    with serving(reviews) as url:
        own = variables(url, azure=azure, AGENT_TEMPDIRECTORY=str(deployed.folder / "temp"))
        yield replace(deployed, variables=deployed.variables | own), reviews


AGENTS = "GitHub", "Azure DevOps"
"""Each has one of both tests in `make test`; what is asked of each server is in test_comments.py."""


@pytest.mark.parametrize("agent", only({"Azure DevOps"}, AGENTS), indirect=True)
def test_the_plan_is_the_comment_and_the_result_stays(agent: Agent) -> None:
    user, reviews = agent
    first, second = user.run("plan", "local", "--comment"), user.run("plan", "local", "--comment")

    assert (first.code, second.code) == (0, 0), first.err
    (text,) = reviews.comments
    assert text.startswith(mark("local-litellm"))
    assert "## Plan for local" in text
    assert "is a comment of pull request 7" in first.err
    assert first.out == second.out
    assert TOKEN not in first.out + first.err + text


@pytest.mark.parametrize("agent", only({"GitHub"}, AGENTS), indirect=True)
def test_a_refusal_ends_with_1_after_the_plan_was_shown_and_saved(agent: Agent) -> None:
    user, reviews = agent
    reviews.refusals = [("GET", 403, {"message": f"no {TOKEN}"})]
    done = user.run("plan", "local", "--comment", "--save", "saved.plan")

    assert done.code == 1
    assert "the plan was made, and its comment was not: " in done.err
    assert TOKEN not in done.err
    assert "nothing changes" in done.out
    assert (user.folder / "saved.plan").is_file()


def test_without_a_pull_request_nothing_is_planned(deployed: User) -> None:
    done = deployed.run("plan", "local", "--comment")

    assert (done.code, done.out) == (2, "")
    assert "--comment is for a run of a pull request in GitHub Actions or Azure Pipelines" in done.err
