"""Whatever surrounds a command: where its requests go, what it says, and with which exit code."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from sandbox import local
from sandbox.clock import RealClock
from sandbox.resources.services import Services
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN, User
from tests.forked_commands import Commands, Ran, commands
from tests.serving import serving
from tests.surroundings import ANSWERS, AWS, CODES, LOCAL, SECRET, Row

ARGUMENTS = {
    "plan": ("plan", "{env}"),
    "deploy": ("deploy", "{env}", "--yes"),
    "status": ("status", "{env}"),
    "verify": ("verify", "{env}"),
    "destroy": ("destroy", "{env}", "--yes"),
    "cost": ("cost", "{env}", "--live"),
}


class Proxy(BaseHTTPRequestHandler):
    """Notes what it is asked for, and refuses it."""

    asked: list[str]

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def _refuse(self) -> None:
        self.asked.append(self.requestline)
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name is the library's
        """Say nothing."""


@dataclass(frozen=True)
class World:
    """A folder with a sandbox, another sandbox, a proxy, and a process that runs commands there."""

    folder: Path
    own: str
    sandbox: str
    proxy: str
    answers: str
    asked: list[str]
    commands: Commands

    def filled(self, text: str) -> str:
        """Return *text* with the world's own addresses."""
        for word, value in {
            "{sandbox}": self.sandbox,
            "{own}": self.own,
            "{answers}": self.answers,
            "{listening}": self.answers.removeprefix("http://"),
            "{home}": str(self.commands.home),
        }.items():
            text = text.replace(word, value)
        return text

    def run(self, row: Row, command: str, env: str) -> Ran:
        """Run *command* in the surrounding *row*."""
        home = self.commands.home
        rmtree(home)
        home.mkdir()
        for name, content in row.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else self.filled(content).encode())
            path.chmod(0o700)
        proxies = {"HTTP_PROXY": self.proxy, "HTTPS_PROXY": self.proxy, "GATESTACK_POLL_INTERVAL": "0.02"}
        if env != "local":
            proxies["NO_PROXY"] = "127.0.0.1"
        variables = proxies | {name: self.filled(value) for name, value in row.variables.items()}
        arguments = [part.format(env=env) for part in ARGUMENTS[command]]
        self.asked.clear()
        return self.commands.run(self.folder, variables, *arguments, *row.options)


def refusing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with the error that the path names, as CloudFormation and STS do."""
    name = environ["PATH_INFO"].strip("/")
    code = CODES.get(name, name)
    start_response("403 Forbidden", [("Content-Type", "text/xml")])
    return [
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{ANSWERS[name]}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>".encode()
    ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    User.at(folder)
    (folder / "home").mkdir()
    asked: list[str] = []
    handler = type("Noting", (Proxy,), {"asked": asked})
    Services().reset()
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        commands(folder / "home") as running,
        serving(refusing) as answers,
        Sandbox(clock=RealClock(20_000), key=KEY) as other,
    ):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        own = local.start(folder / ".gatestack", speed=20_000).endpoint
        proxy = f"http://127.0.0.1:{server.server_port}"
        assert own
        yield World(folder, own, other.endpoint, proxy, answers, asked, running)
        local.stop(folder / ".gatestack")
        server.shutdown()


def spread(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Give each row two of the commands that log in; each of them meets every kind of row."""
    kinds = ("plan", "deploy", "destroy", "verify")
    return tuple(
        replace(row, commands=("status", kinds[place % 4] if row.code else "plan"))
        for place, row in enumerate(rows)
    )


def cases(rows: tuple[Row, ...]) -> list[object]:
    return [
        pytest.param(row, command, id=f"{row.name}-{command}") for row in rows for command in row.commands
    ]


@pytest.mark.parametrize(("row", "command"), cases(LOCAL))
def test_nothing_of_local_leaves_this_machine(world: World, row: Row, command: str) -> None:
    done = world.run(row, command, "local")

    assert (done.strayed, world.asked) == ((), [])
    assert done.code == row.code or (command == "verify" and {done.code, row.code} == {0, 1}), done.err
    assert row.says in done.err + done.out
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err


@pytest.mark.parametrize(("row", "command"), cases(spread(AWS)))
def test_what_is_wrong_before_anything_began_is_one_sentence(world: World, row: Row, command: str) -> None:
    done = world.run(row, command, "dev")

    told = done.err.strip().splitlines()
    assert done.code == row.code, done.err
    assert world.filled(row.says) in done.err
    assert row.code == 0 or [line.startswith("error: ") for line in told].count(True) == 1
    assert not any(word in done.err + done.out for word in ("Traceback", "unexpected", SECRET))


def test_local_is_the_environment_of_that_name_and_no_other(world: World) -> None:
    """Else `make deploy-env`, which asks nobody, would deploy it to AWS."""
    file = world.folder / "environments" / "local.yaml"
    text = file.read_text()
    file.write_text(text.replace("environment: local", "environment: team"))
    try:
        done = world.run(Row("its own name", 2, "", LOGIN), "deploy", "local")
    finally:
        file.write_text(text)

    assert (done.code, done.strayed, world.asked) == (2, (), [])
    assert "environments/local.yaml is for team, and local is the environment of the sandbox" in done.err
