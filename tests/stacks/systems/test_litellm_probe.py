"""The container's own check, against a stand-in that answers as LiteLLM 1.108.7 does."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stacks.systems.litellm_probe import probe

NOT_CONNECTED = (200, {"status": "healthy", "db": "Not connected"})
CONNECTED = (200, {"status": "healthy", "db": "connected"})
DISCONNECTED = (503, {"status": "healthy", "db": "disconnected"})


@contextmanager
def litellm(ready: tuple[int, object], alive: int = 200) -> Iterator[int]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = ready if self.path == "/health/readiness" else (alive, "I'm alive!")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def database() -> Iterator[int]:
    """Give the port of a database that can be reached."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def nobody() -> int:
    """Give a port that nothing listens on."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def exit_code(port: int, **variables: str) -> int:
    _, _, *words = probe(port, "/health/liveliness")
    return subprocess.run(
        [sys.executable, *words], env=variables, check=False, capture_output=True
    ).returncode


@pytest.mark.parametrize("ready", [CONNECTED, NOT_CONNECTED, DISCONNECTED])
def test_a_task_that_does_not_answer_is_replaced(ready: tuple[int, object]) -> None:
    with litellm(ready, alive=503) as port:
        assert exit_code(port) == 1
    assert exit_code(port) == 1, "and one that does not listen"


@pytest.mark.parametrize("beside", [True, False], ids=["port beside the host", "port behind it"])
def test_a_task_that_started_during_a_failover_is_replaced(database: int, *, beside: bool) -> None:
    place = {"DATABASE_HOST": "127.0.0.1", "DATABASE_PORT": str(database)}
    place = place if beside else {"DATABASE_HOST": f"127.0.0.1:{database}"}
    with litellm(NOT_CONNECTED) as port:
        assert exit_code(port, **place) == 1


def test_a_database_that_is_away_for_all_takes_no_task_away(nobody: int) -> None:
    with litellm(NOT_CONNECTED) as port:
        assert exit_code(port, DATABASE_HOST=f"127.0.0.1:{nobody}") == 0


@pytest.mark.parametrize(
    "ready",
    [
        CONNECTED,
        DISCONNECTED,
        (200, {"status": "healthy", "db": "stalled"}),
        (200, "odd"),
        (404, {}),
        (200, {}),
    ],
)
def test_what_litellm_mends_itself_or_does_not_say_takes_no_task_away(
    ready: tuple[int, object], database: int
) -> None:
    with litellm(ready) as port:
        assert exit_code(port, DATABASE_HOST=f"127.0.0.1:{database}") == 0


def test_without_a_database_there_is_nothing_to_lose() -> None:
    with litellm(NOT_CONNECTED) as port:
        assert exit_code(port) == 0
