"""Sending a trace: what a collector can answer, and that nobody waits for one that does not."""

from __future__ import annotations

import _thread
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from deployer.web.exchange import Question, Reply
from gatestack.tracing.sending import send
from gatestack.tracing.settings import Settings
from tests.gatestack.tracing.collector import Collector
from tests.serving import serving

TOKEN = "token-0123456789abcdef"
TO = Settings("", {"Authorization": f"Bearer {TOKEN}"}, {}, "", "", 2.0)


@pytest.fixture
def here() -> Iterator[tuple[Collector, Settings]]:
    collector = Collector()
    with serving(collector) as url:
        yield collector, replace(TO, url=f"{url}/v1/traces")


def test_a_trace_is_posted_as_json_with_the_headers(here: tuple[Collector, Settings]) -> None:
    collector, to = here

    assert send({"resourceSpans": []}, to) == ""
    assert collector.got == [{"resourceSpans": []}]
    (asked,) = collector.asked
    assert (asked["REQUEST_METHOD"], asked["PATH_INFO"]) == ("POST", "/v1/traces")
    assert (asked["CONTENT_TYPE"], asked["HTTP_AUTHORIZATION"]) == ("application/json", f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (("200 OK", {"partialSuccess": {"rejectedSpans": "0"}}), ""),
        (("200 OK", []), ""),
        (("200 OK", {"partialSuccess": {"rejectedSpans": "3"}}), "it rejected 3 spans"),
        (
            ("200 OK", {"partialSuccess": {"rejectedSpans": 3, "errorMessage": f"bad {TOKEN}"}}),
            "it rejected 3 spans: bad (hidden)",
        ),
        (("401 Unauthorized", {"message": f"unknown {TOKEN}"}), "it answers 401: unknown (hidden)"),
        (("307 Temporary Redirect", {}), "it answers 307"),
        (("503 Service Unavailable", {}), "it answers 503"),
    ],
)
def test_what_a_collector_refuses_is_one_sentence_without_the_token(
    here: tuple[Collector, Settings], answer: tuple[str, Any], problem: str
) -> None:
    collector, to = here
    collector.answers = [answer]

    assert send({}, to) == problem
    assert len(collector.got) == 1  # once: nobody waits for another attempt


def test_a_collector_that_is_not_there_or_does_not_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = replace(TO, url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", seconds=0.2)
        began = time.monotonic()
        assert "no answer" in send({}, to)
        assert time.monotonic() - began < 5
    assert "no answer" in send({}, to)


def test_ctrl_c_ends_the_wait_and_is_no_exception() -> None:
    def ask(_: Question) -> Reply:
        _thread.interrupt_main()
        Event().wait(30)
        raise AssertionError

    assert send({}, replace(TO, seconds=20), ask) == "interrupted"


def test_what_nobody_has_foreseen_is_no_exception_and_tells_no_secret() -> None:
    def ask(_: Question) -> Reply:
        raise RuntimeError(TOKEN)

    assert send({}, TO, ask) == "RuntimeError"


def test_a_header_that_is_none_is_not_repeated(here: tuple[Collector, Settings]) -> None:
    _, to = here

    problem = send({}, replace(to, headers={"Authorization": f"Bearer {TOKEN}\nX: y"}))

    assert problem
    assert TOKEN not in problem
