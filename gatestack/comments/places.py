"""
Where a pull request's comments are: URLs and field names per server, from the CI variables. Pure.

Sources: GitHub docs, "Default environment variables", "REST API endpoints for issue comments"; Azure DevOps,
"Predefined variables" and "Pull Request Threads" (REST API 7.1), read in November 2026. The longest comments:
GitHub refuses more than 65,536 characters, Azure DevOps more than 150,000, each in its error message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deployer.web.exchange import Question, Reply, allowed
from gatestack.agents import Azure, GitHub, agent, run_url

AZURE_VERSION = "7.1"
NOT_HERE = "--comment is for a run of a pull request"


class NoPullRequestError(Exception):
    """There is no pull request to comment, or no token to do it with; the message says what to do."""


@dataclass(frozen=True)
class Found:
    """A comment that begins with the mark."""

    path: str
    """Where it is changed."""


@dataclass(frozen=True)
class GitHubPlace:
    """A pull request on GitHub."""

    api: str
    repository: str
    number: int
    token: str = field(repr=False)
    source: str = ""
    """Commit and run, as Markdown."""
    most: int = 65_000
    page_length: int = 100
    server: str = "GitHub"

    def listing(self, page: int) -> Question:
        """Return the request for the *page*-th hundred comments, from 1."""
        return self.question(
            "GET", f"{self._base}/issues/{self.number}/comments?per_page={self.page_length}&page={page}"
        )

    def comments(self, document: Any) -> Iterator[tuple[str, Found]]:
        """Yield text and place of each comment of a listing."""
        for one in document:
            yield str(one.get("body") or ""), Found(f"{self._base}/issues/comments/{int(one['id'])}")

    def change(self, found: Found, text: str) -> Question:
        """Return the request that changes the text of the comment *found*."""
        return self.question("PATCH", found.path, {"body": text})

    def creation(self, text: str) -> Question:
        """Return the request that creates a comment."""
        return self.question("POST", f"{self._base}/issues/{self.number}/comments", {"body": text})

    def remedy(self, reply: Reply) -> str:
        """Return what to do about a refusal."""
        match reply.status:
            case 401:
                return "the token is not accepted: give the step GITHUB_TOKEN: ${{ github.token }}"
            case 403 | 404:
                return (
                    "the token may not comment: give the job `permissions: pull-requests: write`; "
                    "runs of a fork's pull request get no such token"
                )
            case _:
                return "run the job again"

    @property
    def _base(self) -> str:
        return f"{self.api}/repos/{self.repository}"

    def question(self, method: str, url: str, document: Any = None) -> Question:
        """Return one request with the token."""
        headers = {"Authorization": f"Bearer {self.token}", "X-GitHub-Api-Version": "2022-11-28"}
        return Question(method, url, headers, document)


@dataclass(frozen=True)
class AzurePlace:
    """A pull request of Azure Repos: a comment of ours is the first one of a thread."""

    collection: str
    project: str
    repository: str
    number: int
    token: str = field(repr=False)
    source: str = ""
    most: int = 149_000
    page_length: int = 0
    """All threads are in one response."""
    server: str = "Azure DevOps"

    def listing(self, page: int) -> Question:  # noqa: ARG002 - there is one page
        """Return the request for all threads."""
        return self.question("GET", self._threads)

    def comments(self, document: Any) -> Iterator[tuple[str, Found]]:
        """Yield text and place of the first comment of each existing thread."""
        for thread in document["value"]:
            first = next(iter(thread.get("comments") or ()), None)
            if first and not thread.get("isDeleted") and not first.get("isDeleted"):
                path = f"{self._threads}/{int(thread['id'])}/comments/{int(first['id'])}"
                yield str(first.get("content") or ""), Found(path)

    def change(self, found: Found, text: str) -> Question:
        """Return the request that changes the text of the comment *found*."""
        return self.question("PATCH", found.path, {"content": text})

    def creation(self, text: str) -> Question:
        """
        Return the request that creates a thread; it is closed, so that no policy waits for an answer to it.
        """
        comment = {"parentCommentId": 0, "content": text, "commentType": "text"}
        return self.question("POST", self._threads, {"comments": [comment], "status": "closed"})

    def remedy(self, reply: Reply) -> str:
        """
        Return what to do about a refusal; without a login, there is a page (203) or a redirect to one (302).
        """
        match reply.status:
            case 203 | 302 | 401:
                return "the token is not accepted: give the step SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
            case 403 | 404:
                return (
                    "the token may not comment: allow the project's build service to contribute to pull "
                    "requests (Project settings, Repositories, Security)"
                )
            case _:
                return "run the job again"

    @property
    def _threads(self) -> str:
        project, repository = quote(self.project, safe=""), quote(self.repository, safe="")
        requests = f"{self.collection}/{project}/_apis/git/repositories/{repository}/pullRequests"
        return f"{requests}/{self.number}/threads"

    def question(self, method: str, url: str, document: Any = None) -> Question:
        """Return one request with the token and the API's version."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return Question(method, f"{url}?api-version={AZURE_VERSION}", headers, document)


Place = GitHubPlace | AzurePlace


def place(variables: Mapping[str, str]) -> Place:
    """
    Return the pull request that the agent with these *variables* runs for.

    Raises:
        NoPullRequestError: it runs for none, or a variable is missing; nothing was asked of anybody.

    """
    match agent(variables):
        case Azure():
            return _azure(variables)
        case GitHub():
            return _github(variables)
    raise NoPullRequestError(f"{NOT_HERE} in GitHub Actions or Azure Pipelines: leave it out elsewhere")


def _github(variables: Mapping[str, str]) -> GitHubPlace:
    number = _event_number(variables.get("GITHUB_EVENT_PATH", "")) or _number(
        re.fullmatch(r"refs/pull/(\d+)/\w+", variables.get("GITHUB_REF", ""))
    )
    if number is None:
        raise NoPullRequestError(f"{NOT_HERE}, and this one has none (GITHUB_EVENT_PATH, GITHUB_REF)")
    repository = variables.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise NoPullRequestError("GITHUB_REPOSITORY does not name a repository")
    api = _address("GITHUB_API_URL", variables.get("GITHUB_API_URL") or "https://api.github.com")
    token = variables.get("GITHUB_TOKEN", "")
    if not token:
        raise NoPullRequestError("--comment needs a token: give the step GITHUB_TOKEN: ${{ github.token }}")
    source = _source(variables.get("GITHUB_SHA", ""), run_url(variables))
    return GitHubPlace(api, repository, number, token, source)


def _azure(variables: Mapping[str, str]) -> AzurePlace:
    said = variables.get("SYSTEM_PULLREQUEST_PULLREQUESTID", "")
    if not said.isdigit():
        raise NoPullRequestError(f"{NOT_HERE}, and this one has none (SYSTEM_PULLREQUEST_PULLREQUESTID)")
    provider = variables.get("BUILD_REPOSITORY_PROVIDER", "TfsGit")
    if provider != "TfsGit":
        raise NoPullRequestError("--comment in Azure Pipelines is for pull requests of Azure Repos")
    project = variables.get("SYSTEM_TEAMPROJECTID") or variables.get("SYSTEM_TEAMPROJECT", "")
    repository = variables.get("BUILD_REPOSITORY_ID", "")
    if not project or not repository:
        raise NoPullRequestError("SYSTEM_TEAMPROJECTID and BUILD_REPOSITORY_ID name no repository")
    collection = _address("SYSTEM_COLLECTIONURI", variables.get("SYSTEM_COLLECTIONURI", ""))
    token = variables.get("SYSTEM_ACCESSTOKEN", "")
    if not token:
        what = "give the step SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
        raise NoPullRequestError(f"--comment needs a token: {what}")
    commit = variables.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or variables.get("BUILD_SOURCEVERSION", "")
    return AzurePlace(collection, project, repository, int(said), token, _source(commit, run_url(variables)))


def _address(name: str, url: str) -> str:
    if not allowed(url):
        raise NoPullRequestError(f"{name} is neither https:// nor on this machine: no token is sent there")
    return url.rstrip("/")


def _event_number(path: str) -> int | None:
    """Return the number of the pull request in the event's file; of an issue, only where it is one."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return None
    if not isinstance(event, dict):
        return None
    issue = event.get("issue")
    request = event.get("pull_request") or (
        issue if isinstance(issue, dict) and "pull_request" in issue else None
    )
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def _number(found: re.Match[str] | None) -> int | None:
    return int(found[1]) if found else None


def _source(commit: str, url: str) -> str:
    of = f"Commit {commit[:12]}" if re.fullmatch(r"[0-9a-f]{7,64}", commit) else ""
    run = f"[run]({url})" if url else ""
    return ", ".join(filter(None, (of, run)))
