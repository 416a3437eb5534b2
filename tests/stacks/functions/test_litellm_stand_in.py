"""The proxy's stand-in refuses what LiteLLM refuses, in its form, and outlives its faults."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.stand_ins.litellm import Fault, LiteLLM, hashed
from stacks.functions.errors import RotationError
from stacks.functions.proxy import Answer, Request, send

MASTER = "sk-master-of-the-tests"
CUSTOM = "sk-given-by-a-test"


@pytest.fixture
def proxy() -> Iterator[LiteLLM]:
    with LiteLLM(MASTER) as running:
        yield running


def ask(proxy: LiteLLM, method: str, path: str, by: str = MASTER, **body: Any) -> Answer:
    return send(Request("127.0.0.1", proxy.port, method, path, by, body or None))


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/liveness", "/health/readiness"])
def test_health_needs_no_key(proxy: LiteLLM, path: str) -> None:
    assert ask(proxy, "GET", path, "").status == 200


def test_without_a_key_or_with_an_unknown_one_there_is_no_way_in(proxy: LiteLLM) -> None:
    refused = ask(proxy, "GET", "/key/info", "")
    unknown = ask(proxy, "GET", "/key/info", "sk-nobody")

    assert (refused.status, refused.body["error"]["code"], refused.body["error"]["type"]) == (
        401,
        "401",
        "auth_error",
    )
    assert (unknown.status, unknown.body["error"]["type"]) == (401, "token_not_found_in_db")
    assert "sk-nobody" not in unknown.message


def test_a_key_is_as_mighty_as_its_user(proxy: LiteLLM) -> None:
    ask(proxy, "POST", "/user/new", user_id="admin", user_role="proxy_admin", auto_create_key=False)
    ask(proxy, "POST", "/key/generate", key=CUSTOM, user_id="admin")
    plain = ask(proxy, "POST", "/key/generate").body["key"]

    assert ask(proxy, "POST", "/user/new", CUSTOM, user_id="another").status == 200
    assert ask(proxy, "POST", "/user/new", plain, user_id="a third").status == 403


def test_a_user_is_made_once(proxy: LiteLLM) -> None:
    assert ask(proxy, "POST", "/user/new", user_id="one").status == 200
    again = ask(proxy, "POST", "/user/new", user_id="one")

    assert again.status == 409
    assert "already exists" in again.message


@pytest.mark.parametrize(
    ("key", "status"), [("pk-given-by-a-test", 400), ("sk-fourteen-ch", 400), (CUSTOM, 200)]
)
def test_a_given_key_starts_with_sk_and_has_16_characters(proxy: LiteLLM, key: str, status: int) -> None:
    assert ask(proxy, "POST", "/key/generate", key=key).status == status


def test_an_alias_belongs_to_one_key_even_when_the_same_one_asks_again(proxy: LiteLLM) -> None:
    first = ask(proxy, "POST", "/key/generate", key=CUSTOM, key_alias="one")
    again = ask(proxy, "POST", "/key/generate", key=CUSTOM, key_alias="one")

    assert (first.status, again.status) == (200, 400)
    assert "already exists" in again.message
    assert ask(proxy, "POST", "/key/update", key=CUSTOM, key_alias="one").status == 200


def test_a_key_that_is_made_twice_keeps_its_first_end() -> None:
    now = [0.0]
    with LiteLLM(MASTER, clock=lambda: now[0]) as proxy:
        ask(proxy, "POST", "/key/generate", key=CUSTOM, duration="1d")
        ask(proxy, "POST", "/key/generate", key=CUSTOM, duration="7d")
        now[0] = 2 * 86400.0

        assert ask(proxy, "GET", f"/key/info?key={CUSTOM}").body["info"]["status"] == "expired"
        ask(proxy, "POST", "/key/update", key=CUSTOM, duration="7d")
        assert ask(proxy, "GET", f"/key/info?key={CUSTOM}").body["info"]["status"] == "active"


def test_a_key_is_found_by_its_hash_and_told_apart_when_it_is_deleted(proxy: LiteLLM) -> None:
    ask(proxy, "POST", "/key/generate", key=CUSTOM)
    path = f"/key/info?key={hashed(CUSTOM)}"

    assert ask(proxy, "GET", path).body["info"]["status"] == "active"
    ask(proxy, "POST", "/key/delete", keys=[CUSTOM])
    assert ask(proxy, "GET", path).body["info"]["status"] == "deleted"
    assert ask(proxy, "GET", "/key/info?key=nobodys").status == 404
    assert ask(proxy, "GET", "/key/info", CUSTOM).status == 401


def test_users_and_keys_outlive_a_restart_and_the_old_master_key_does_not(proxy: LiteLLM) -> None:
    ask(proxy, "POST", "/key/generate", key=CUSTOM)

    proxy.restart("sk-the-next-master-key")

    assert ask(proxy, "GET", f"/key/info?key={CUSTOM}", "sk-the-next-master-key").status == 200
    assert ask(proxy, "GET", "/key/info").status == 401


@pytest.mark.parametrize(("kind", "made"), [("drop-before", 404), ("drop-after", 200), ("error", 404)])
def test_a_fault_happens_so_many_times(proxy: LiteLLM, kind: Any, made: int) -> None:
    proxy.faults.append(Fault(kind, times=1, path="/key/generate"))

    if kind == "error":
        assert ask(proxy, "POST", "/key/generate", key=CUSTOM).status == 500
    else:
        with pytest.raises(RotationError, match="does not answer"):
            ask(proxy, "POST", "/key/generate", key=CUSTOM)
    assert ask(proxy, "GET", f"/key/info?key={CUSTOM}").status == made
    assert ask(proxy, "POST", "/key/generate", key=CUSTOM).status == 200


def test_what_it_remembers_of_requests_holds_no_key(proxy: LiteLLM) -> None:
    ask(proxy, "POST", "/key/generate", key=CUSTOM)
    ask(proxy, "GET", f"/key/info?key={CUSTOM}")

    assert [(call.method, call.path, call.status) for call in proxy.calls] == [
        ("POST", "/key/generate", 200),
        ("GET", "/key/info", 200),
    ]
    assert CUSTOM not in repr(proxy.calls)
