"""A client that asks a gateway's model all the time, by new and by kept connections, and notes failures."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing
from types import TracebackType

EVERY = 0.1
"""Seconds between two requests."""
PATIENCE = 60.0


class Client:
    """Sends requests while the `with` block lasts; the last ones are waited for."""

    def __init__(self, host: str, key: str = "", model: str = "hello") -> None:
        """Without a *key* it requests what needs none."""
        self._host, self._key, self._model = host, key, model
        self._ended = threading.Event()
        self._asking = [threading.Thread(target=each) for each in (self._ask, self._ask_again)]
        self._under_way: list[threading.Thread] = []
        self.said: list[str] = []
        self.failed: list[str] = []

    def __enter__(self) -> Client:
        for thread in self._asking:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._asking:
            thread.join()
        for thread in self._under_way:
            thread.join()

    def _ask(self) -> None:
        """Send each request on a new connection, whether or not the last one is answered."""
        number = 0
        while not self._ended.wait(EVERY):
            number += 1
            thread = threading.Thread(target=self._ask_once, args=(number % 2 == 0,))
            self._under_way.append(thread)
            thread.start()

    def _ask_once(self, stream: bool) -> None:  # noqa: FBT001 - a thread's argument
        with closing(self._connection()) as connection:
            self._noted(connection, stream=stream)

    def _ask_again(self) -> None:
        """Send requests on one connection, which is kept."""
        with closing(self._connection()) as connection:
            while not self._ended.wait(EVERY):
                self._noted(connection, stream=False)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, timeout=PATIENCE)

    def _noted(self, connection: http.client.HTTPConnection, *, stream: bool) -> None:
        try:
            self.said.append(self._answer(connection, stream=stream))
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            connection.close()
            self.failed.append(f"{'stream' if stream else 'plain'}: {type(error).__name__}: {error}")

    def _answer(self, connection: http.client.HTTPConnection, *, stream: bool) -> str:
        """Return the model's answer, or that the gateway lives; raises if it is incomplete."""
        if not self._key:
            connection.request("GET", "/health/liveliness")
            return _read(connection).decode()
        asked = {
            "model": self._model,
            "stream": stream,
            "messages": [{"role": "user", "content": "hello"}],
        }
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
        text = _read(connection).decode()
        if not stream:
            return str(json.loads(text)["choices"][0]["message"]["content"])
        pieces = [line.removeprefix("data: ") for line in text.splitlines() if line]
        if pieces[-1:] != ["[DONE]"]:
            raise ValueError(f"the stream ends early: {text[-100:]}")
        return "".join(json.loads(one)["choices"][0]["delta"].get("content") or "" for one in pieces[:-1])


def _read(connection: http.client.HTTPConnection) -> bytes:
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise ValueError(f"{answer.status} {body[:200]!r}")
    return body
