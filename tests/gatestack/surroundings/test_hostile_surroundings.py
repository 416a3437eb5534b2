"""Whatever surrounds a command: where its requests go, what it says, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from sandbox import local
from sandbox.clock import RealClock
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.forked_commands import Commands, Ran, commands
from tests.gatestack.surroundings.machines import MACHINES
from tests.gatestack.surroundings.small_world import ARGUMENTS, ENV, FIVE, ROUND, Small, small
from tests.gatestack.surroundings.surroundings import ALIKE, ANSWERS, AWS, CODES, LOCAL, SECRET, Row
from tests.places import ROOT
from tests.serving import serving


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
    small: Small
    proxy: str
    answers: str
    asked: list[str]
    commands: Commands

    def filled(self, text: str) -> str:
        """Return *text* with the world's own addresses."""
        for word, value in {
            "{sandbox}": self.sandbox,
            "{own}": self.own,
            "{small}": self.small.sandbox.endpoint,
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
        if env == ENV and row.codes.get(command, row.code) != 2:
            self.small.ready(command)
        (home / "a-file").touch()
        for name, content in row.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else self.filled(content).encode())
            path.chmod(0o700)
        proxies = {"HTTP_PROXY": self.proxy, "HTTPS_PROXY": self.proxy, "GATESTACK_POLL_INTERVAL": "0.02"}
        proxies["XDG_STATE_HOME"] = str(self.folder / "state")
        if env != "local":
            proxies["NO_PROXY"] = "127.0.0.1"
        variables = proxies | {name: self.filled(value) for name, value in row.variables.items()}
        arguments = [part.format(env=env) for part in ARGUMENTS[command]]
        self.asked.clear()
        self.small.sandbox.calls.clear()
        with _read_only(self.folder, home) if row.process.bound else nullcontext():
            return self.commands.run(self.folder, variables, *arguments, *row.options, process=row.process)


@contextmanager
def _read_only(*folders: Path) -> Iterator[None]:
    """Let nobody but root write into *folders*."""
    every = [path for folder in folders for path in (folder, *folder.rglob("*")) if path.is_dir()]
    for path in every:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in every:
            path.chmod(0o755)


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
        small(folder, running) as little,
    ):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        own = local.start(folder / "state" / "gatestack", speed=20_000).endpoint
        proxy = f"http://127.0.0.1:{server.server_port}"
        assert own
        yield World(folder, own, other.endpoint, little, proxy, answers, asked, running)
        local.stop(folder / "state" / "gatestack")
        server.shutdown()


def cases(rows: tuple[Row, ...], *, spread: bool = False) -> list[object]:
    """
    Return each row with each command; what is not run in `make test` is deep.

    *spread*: each row's quick one is another of the five, so that each command meets every kind of row.
    """
    found = []
    turn = cycle(ROUND)
    for row in rows:
        quick = () if row.name in ALIKE else (next(turn),) if spread else row.commands
        for command in (*FIVE, *(one for one in row.commands if one not in FIVE)):
            marks = () if command in quick else pytest.mark.deep
            found.append(pytest.param(row, command, id=f"{row.name}-{command}", marks=marks))
    return found


def check(world: World, row: Row, command: str, done: Ran) -> None:
    """Check what holds in every surrounding."""
    said = done.err + done.out
    assert done.code == row.codes.get(command, row.code), (done.err, done.strayed)
    assert set(done.strayed) <= set(row.asks)
    hosts = {line.split()[1].removeprefix("http://").partition("/")[0] for line in world.asked}
    assert hosts <= set(row.asks)
    assert len(world.asked) <= 12
    assert len(world.small.sandbox.calls) <= 40
    assert not any(
        word in said for word in ("Traceback", "unexpected", SECRET, LOGIN["AWS_SECRET_ACCESS_KEY"])
    )


BESIDES = (
    Row("an account's login", 0, "sandbox: eval", LOGIN, options=("--sandbox",)),
    Row("an endpoint", 0, "", {"AWS_ENDPOINT_URL": "{sandbox}", **LOGIN}, options=("--sandbox",)),
    Row("some endpoints", 0, "", {"AWS_ENDPOINT_URL_S3": "{sandbox}", **LOGIN}, options=("--sandbox",)),
    Row("AWS's own", 0, "", {"AWS_ENDPOINT_URL": "https://sts.amazonaws.com"}, options=("--sandbox",)),
    Row("a profile that is not there", 0, "", {"AWS_PROFILE": "no", "GATESTACK_SANDBOX": "1"}),
)
"""What says where the requests go, beside the option or variable that has the last word."""


def test_what_is_alike_is_there() -> None:
    assert {row.name for row in (*LOCAL, *AWS, *MACHINES, *BESIDES)} >= ALIKE


@pytest.mark.parametrize(("row", "command"), cases(LOCAL))
def test_nothing_of_local_leaves_this_machine(world: World, row: Row, command: str) -> None:
    done = world.run(row, command, "local")

    concerned = row.code or command in row.commands  # what goes well says its sentence where it is asked
    if command == "verify" and (done.code, row.code) == (1, 0):
        assert done.out  # what is there is not whole: that is for it to say
        row = replace(row, code=1)
    check(world, row, command, done)
    assert not concerned or row.says in done.err + done.out


@pytest.mark.parametrize(("row", "command"), cases(AWS, spread=True))
def test_what_is_wrong_before_anything_began_is_one_sentence(world: World, row: Row, command: str) -> None:
    done = world.run(row, command, ENV)

    check(world, row, command, done)
    told = done.err.strip().splitlines()
    assert world.filled(row.says) in done.err
    assert row.code == 0 or [line.startswith("error: ") for line in told].count(True) == 1


@pytest.mark.parametrize(("row", "command"), cases(MACHINES, spread=True))
def test_whatever_machine_it_runs_on_a_command_ends_as_on_any(world: World, row: Row, command: str) -> None:
    done = world.run(row, command, ENV)

    check(world, row, command, done)
    assert row.says in done.err


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_make_without_env_runs_what_is_run_here(command: str) -> None:
    """So the rows of `local` hold for it; what it would run is shown by `make --dry-run`."""
    run = ("make", "--dry-run", "--old-file", ".venv/.ready", f"{command}-env")
    own = {"PATH": os.environ["PATH"], "AWS_PROFILE": "team", **LOGIN}
    shown = subprocess.run(run, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout

    assert shown.splitlines()[-1] == f".venv/bin/gatestack {command} local --yes"


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.name, marks=pytest.mark.deep if row.name in ALIKE else ()) for row in BESIDES],
)
def test_with_sandbox_nothing_of_any_environment_leaves_this_machine(world: World, row: Row) -> None:
    done = world.run(row, "plan", "prod")

    assert (done.code, done.strayed, world.asked) == (0, (), []), done.err
    assert row.says in done.err


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
