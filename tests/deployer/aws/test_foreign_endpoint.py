"""An endpoint that has CloudFormation and no other service: gatestack does without the rest, and says so."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.backing import Backing
from sandbox.clock import RealClock
from sandbox.provisioning import Provisioned, Request
from sandbox.resources.schema import ProviderSchemas
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN, User


class Unread(ProviderSchemas):
    """Knows every type, and holds no value against its schema: an endpoint of somebody else's need not."""

    def refused(self, *_: object) -> tuple[()]:  # type: ignore[override] # of none of them
        return ()


SCHEMAS = Unread()


class Nothing:
    """Makes no resource anywhere; every one has an id and attributes of its own."""

    def create(self, request: Request) -> Provisioned:
        attributes = {name: f"{request.logical_id}.{name}" for name in SCHEMAS.attributes(request.type)}
        return Provisioned(f"{request.stack_name}-{request.logical_id}", attributes)

    def update(self, request: Request, old: Mapping[str, Any], current: Provisioned, /) -> Provisioned:
        return current

    def snapshot(self, request: Request, current: Provisioned, name: str) -> None:
        pass

    def delete(self, request: Request, current: Provisioned) -> None:
        """Leave nothing behind."""

    def duration(self, type_name: str, /) -> float:
        return 1.0

    def awaits(self, request: Request, current: Provisioned, told: Callable[[str | None], None]) -> bool:
        return False

    def resolve(self, reference: str) -> str:
        return "resolved"


def answering(status: str, content_type: str, body: bytes) -> Any:
    def services(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, [("Content-Type", content_type)])
        return [body]

    return services


@pytest.fixture(
    params=[  # what is understood of each, without an environment: test_endpoint.py
        pytest.param(("501 Not Implemented", "text/plain", b""), marks=pytest.mark.deep),
        pytest.param(("404 Not Found", "text/html", b"<html>no such page</html>"), marks=pytest.mark.deep),
        (
            "400 Bad Request",
            "text/xml",
            b"<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>",
        ),
    ],
    ids=["501", "404", "400"],
)
def endpoint(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    backing = Backing(lambda _: Nothing(), SCHEMAS, lambda url: url, answering(*request.param))
    with Sandbox(clock=RealClock(5_000.0), backing=backing, key=KEY) as running:
        yield running


def test_an_environment_lives_where_cloudformation_is_all_there_is(tmp_path: Path, endpoint: Sandbox) -> None:
    user = User.at(tmp_path, AWS_ENDPOINT_URL=endpoint.endpoint, GATESTACK_POLL_INTERVAL="0.05", **LOGIN)

    deployed = user.run("deploy", "dev", "--yes", "--format", "json")
    assert deployed.code == 0, deployed.err
    assert {stack["status"] for stack in json.loads(deployed.out)["stacks"]} == {"CREATE_COMPLETE"}
    assert "so no task is started" in deployed.err
    assert "the offered versions of postgres cannot be listed here" in deployed.err
    for stack in ("database", "service"):
        lines = [line for line in deployed.err.splitlines() if f"  {stack} " in line]
        assert any("the rotation functions cannot be made there" in line for line in lines)

    again = json.loads(user.run("deploy", "dev", "--yes", "--format", "json").out)
    assert {stack["action"] for stack in again["stacks"]} == {"none"}

    assert user.run("destroy", "dev", "--yes").code == 0
    assert {
        stack["status"] for stack in json.loads(user.run("status", "dev", "--format", "json").out)["stacks"]
    } == {None}
