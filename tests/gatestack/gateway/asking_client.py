"""A client that asks a gateway's model all the time, plainly and by streams, and notes what goes wrong."""

from __future__ import annotations

import http.client
import json
import threading
from types import TracebackType

EVERY = 0.1
"""Seconds between two requests."""
PATIENCE = 60.0


class Client:
    """Asks while the `with` block lasts; what is under way then is waited for."""

    def __init__(self, host: str, key: str = "", model: str = "hello") -> None:
        """Without a *key* it asks what nobody needs one for."""
        self._host, self._key, self._model = host, key, model
        self._ended = threading.Event()
        self._asking = threading.Thread(target=self._ask)
        self._under_way: list[threading.Thread] = []
        self.said: list[str] = []
        self.failed: list[str] = []

    def __enter__(self) -> Client:
        self._asking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in (self._asking, *self._under_way):
            thread.join()

    def _ask(self) -> None:
        number = 0
        while not self._ended.wait(EVERY):
            number += 1
            thread = threading.Thread(target=self._noted, args=(number % 2 == 0,))
            self._under_way.append(thread)
            thread.start()

    def _noted(self, stream: bool) -> None:  # noqa: FBT001 - a thread's argument
        try:
            self.said.append(self._answer(stream=stream))
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            self.failed.append(f"{'stream' if stream else 'plain'}: {type(error).__name__}: {error}")

    def _answer(self, *, stream: bool) -> str:
        """Return what the model says, or that the gateway lives; raises where it is not all there."""
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        try:
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
        finally:
            connection.close()
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
