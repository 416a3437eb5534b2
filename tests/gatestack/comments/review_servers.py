"""GitHub and Azure DevOps, as far as a pull request's comments go; they record what is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TOKEN = "ghs_0123456789abcdefghij0123456789"
STATUS = {
    200: "200 OK",
    201: "201 Created",
    203: "203 Non-Authoritative Information",
    302: "302 Found",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    503: "503 Unavailable",
}


@dataclass
class Reviews:
    """A WSGI application; `refusals` come first, each once: a status and a document, or a lost response."""

    azure: bool = False
    comments: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path with query, of each request."""
    refusals: list[tuple[str, int, Any]] = field(default_factory=list)
    """Method, status, document; a status of 0 does what is asked and then answers 503."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path, query = (environ[key] for key in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING"))
        self.asked.append((method, f"{path}?{query}" if query else path))
        size = int(environ.get("CONTENT_LENGTH") or 0)
        sent = json.loads(environ["wsgi.input"].read(size)) if size else None
        status, document = self._answer(method, path, query, sent, environ.get("HTTP_AUTHORIZATION"))
        headers = [("Content-Type", "application/json"), ("Retry-After", "0"), ("Location", "/_signin")]
        start_response(STATUS[status], headers)
        return [document if isinstance(document, bytes) else json.dumps(document).encode()]

    def _answer(self, method: str, path: str, query: str, sent: Any, token: str | None) -> tuple[int, Any]:
        refusal = next((one for one in self.refusals if one[0] == method), None)
        if refusal:
            self.refusals.remove(refusal)
            if refusal[1]:
                return refusal[1], refusal[2]
        if token != f"Bearer {TOKEN}":
            return (203, b"<html>Sign in</html>") if self.azure else (401, {"message": "Bad credentials"})
        done = (self._azure if self.azure else self._github)(method, path, query, sent)
        return (503, {"message": "later"}) if refusal else done

    def _github(self, method: str, path: str, query: str, sent: Any) -> tuple[int, Any]:
        if method == "GET":
            assert path == "/repos/acme/gateway/issues/7/comments"
            page = int(re.findall(r"page=(\d+)", query)[-1])
            some = list(enumerate(self.comments))[(page - 1) * 100 : page * 100]
            return 200, [{"id": number, "body": text} for number, text in some]
        if method == "PATCH":
            self.comments[int(path.removeprefix("/repos/acme/gateway/issues/comments/"))] = sent["body"]
            return 200, {"id": 1}
        assert path == "/repos/acme/gateway/issues/7/comments"
        self.comments.append(sent["body"])
        return 201, {"id": len(self.comments) - 1}

    def _azure(self, method: str, path: str, query: str, sent: Any) -> tuple[int, Any]:
        threads = "/acme/p 1/_apis/git/repositories/r1/pullRequests/7/threads"
        assert path.startswith(threads), path
        assert query == "api-version=7.1"
        if method == "GET":
            found = [
                {"id": number, "comments": [{"id": 1, "content": text}]}
                for number, text in enumerate(self.comments)
            ]
            deleted = {
                "id": 99,
                "isDeleted": True,
                "comments": [{"id": 1, "content": found and self.comments[0]}],
            }
            return 200, {"value": [deleted, {"id": 98, "comments": []}, *found]}
        if method == "PATCH":
            number = re.fullmatch(r"/(\d+)/comments/1", path.removeprefix(threads))
            assert number
            self.comments[int(number[1])] = sent["content"]
            return 200, {"id": 1}
        assert (sent["status"], sent["comments"][0]["commentType"]) == ("closed", "text")
        self.comments.append(sent["comments"][0]["content"])
        return 200, {"id": len(self.comments) - 1}


def variables(url: str, *, azure: bool, **others: str) -> dict[str, str]:
    """The environment variables of an agent that runs for pull request 7."""
    if azure:
        own = {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{url}/acme/",
            "SYSTEM_TEAMPROJECTID": "p 1",
            "BUILD_REPOSITORY_ID": "r1",
            "BUILD_REPOSITORY_PROVIDER": "TfsGit",
            "BUILD_BUILDID": "42",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "SYSTEM_PULLREQUEST_SOURCECOMMITID": "0123456789abcdef",
            "SYSTEM_ACCESSTOKEN": TOKEN,
        }
    else:
        own = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/gateway",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_RUN_ID": "42",
            "GITHUB_SHA": "0123456789abcdef",
            "GITHUB_TOKEN": TOKEN,
        }
    return own | others
