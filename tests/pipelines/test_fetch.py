"""What pipelines fetch tokens and cosign with, against a server of this process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pipelines import fetch
from tests.serving import serving


class Place:
    """Answers with one status after the other, and notes who asked for what, and how."""

    def __init__(self, *statuses: str, leads_to: str = "") -> None:
        self.statuses = [*statuses]
        self.leads_to = leads_to
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append((environ["REQUEST_METHOD"], environ.get("HTTP_AUTHORIZATION")))
        start_response(self.statuses.pop(0), [("Location", self.leads_to)] if self.leads_to else [])
        return [b"what is \xffthere"]


def fetched(*words: str) -> tuple[int, list[float]]:
    """Return the exit code, and the pauses between tries."""
    pauses: list[float] = []
    return fetch.main([*words], pauses.append), pauses


@pytest.mark.parametrize(("words", "method"), [((), "GET"), (("--post",), "POST")])
def test_what_is_there_is_written_as_it_is(
    words: tuple[str, ...], method: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    place = Place("200 OK")
    with serving(place) as address:
        assert fetched(*words, address) == (0, [])

    assert (capfdbinary.readouterr().out, place.asked) == (b"what is \xffthere", [(method, None)])


def test_what_passes_is_tried_again_and_what_does_not_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    busy, refusing = Place("503 Busy", "429 Later", "200 OK"), Place("403 Forbidden")
    with serving(busy) as address:
        assert fetched(address) == (0, [1, 2])
    with serving(refusing) as address:
        assert fetched(address) == (1, [])

    assert "HTTP Error 403: Forbidden what is" in capfd.readouterr().err


def test_a_place_that_is_away_is_tried_five_times_more(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(Place()) as address:
        pass

    assert fetched(address) == (1, [1, 2, 4, 8, 16])
    assert "refused" in capfd.readouterr().err


def test_the_token_that_asks_goes_to_the_first_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "of-the-job")
    elsewhere = Place("200 OK")
    with serving(elsewhere) as there:
        place = Place("302 Found", leads_to=there)
        with serving(place) as address:
            assert fetched("--bearer", "TOKEN", address) == (0, [])

    assert (place.asked, elsewhere.asked) == ([("GET", "Bearer of-the-job")], [("GET", None)])


def test_a_variable_that_is_not_set_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fetched("--bearer", "NOWHERE", "http://127.0.0.1:1")

    assert (ended.value.code, "NOWHERE is not set" in capsys.readouterr().err) == (2, True)
