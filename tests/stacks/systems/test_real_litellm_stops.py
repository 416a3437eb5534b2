"""What LiteLLM does when ECS ends its task: SIGTERM, and SIGKILL after stop_timeout_seconds."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stacks.environment import load
from tests.places import ROOT
from tests.stacks.systems.running_litellm import Proxy, running

pytestmark = pytest.mark.litellm

ANSWER = ("It ", "takes ", "its ", "time.")


class Model(ThreadingHTTPServer):
    """A model whose streamed answer ends only when it may."""

    may_end = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answers(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in ANSWER[:2]:
            self._send(word)
        self.server.may_end.wait(120)
        for word in ANSWER[2:]:
            self._send(word)
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, word: str) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        chunk = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def streaming(folder: Path, **variables: str) -> Iterator[tuple[Proxy, Model, Any]]:
    """Give a LiteLLM with an answer under way, of which the first words have come."""
    model = Model(("127.0.0.1", 0), Answers)
    model.may_end = threading.Event()
    threading.Thread(target=model.serve_forever, daemon=True).start()
    slow = {"model": "openai/slow", "api_key": "made-up", "api_base": model.address}
    settings = load(ROOT / "environments" / "dev.yaml")
    try:
        with running(settings, folder, {"model_name": "slow", "litellm_params": slow}, **variables) as proxy:
            answer = proxy.completion("slow", stream=True)
            assert b"It" in answer.readline()
            yield proxy, model, answer
    finally:
        model.may_end.set()
        model.shutdown()


def test_an_answer_under_way_is_finished_after_sigterm(tmp_path: Path) -> None:
    with streaming(tmp_path) as (proxy, model, answer):
        proxy.process.send_signal(signal.SIGTERM)
        _wait_until_it_takes_no_more(proxy)
        model.may_end.set()

        rest = answer.read().decode()

        assert (ANSWER[-1] in rest, "[DONE]" in rest) == (True, True), rest
        assert proxy.process.wait(timeout=60) in {0, -signal.SIGTERM}


def test_an_answer_without_end_holds_it_no_longer_than_it_was_told(tmp_path: Path) -> None:
    """GRACEFUL_SHUTDOWN_TIMEOUT leaves the ten seconds until SIGKILL to what LiteLLM writes at its end."""
    with streaming(tmp_path, GRACEFUL_SHUTDOWN_TIMEOUT="4") as (proxy, _, _answer):
        began = time.monotonic()
        proxy.process.send_signal(signal.SIGTERM)

        proxy.process.wait(timeout=60)

        assert 4 <= time.monotonic() - began < 4 + 10


def _wait_until_it_takes_no_more(proxy: Proxy) -> None:
    """Return when the port is closed, which is the first thing that a server does that ends."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            proxy.get("/health/liveliness")
        except OSError:
            return
    pytest.fail("it still takes requests a minute after SIGTERM")
