"""A client that asks ten times a second notices nothing of what is done to the gateway that answers it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.clock import RealClock
from sandbox.gateway import Gateway, Program
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY, LOGIN, User
from tests.gatestack.gateway.asking_client import Client

IMAGE = "ghcr.io/berriai/litellm-database"
MODEL = Path(__file__).parent / "model_program.py"
SPEED = 1_200.0


@contextmanager
def gateway(folder: Path) -> Iterator[User]:
    """Give a user of a sandbox that runs a stand-in for LiteLLM."""
    Services().reset()
    gateway = Gateway(folder / "gateway", {IMAGE: Program((sys.executable, str(MODEL)), host="--host")})
    gateway.folder.mkdir()
    with Sandbox(clock=RealClock(SPEED), key=KEY, gateway=gateway) as sandbox:
        yield User.at(folder, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.05", **LOGIN)


def deployed(user: User) -> str:
    """Deploy `local` for the first time; returns where it answers."""
    done = user.run("deploy", "local", "--yes")
    assert done.code == 0, done.err
    url = json.loads(user.run("outputs", "local", "--format", "json").out)["outputs"]["alb"]["Url"]
    return urlsplit(url).netloc


def test_neither_a_rollout_nor_a_release_that_fails_in_express_mode_fails_a_request(tmp_path: Path) -> None:
    with gateway(tmp_path) as user:
        file = user.folder / "environments" / "local.yaml"
        file.write_text(f"{file.read_text()}\ndeployment:\n  mode: express\n")
        with Client(deployed(user), key="any") as client:
            rolled = user.run("rollout", "local")
            count = len(client.said)
            user.edit("local", "service:", "service:\n  environment: {BROKEN: no such model}")
            broken = user.run("deploy", "local", "--yes")
        stacks = json.loads(user.run("status", "local", "--format", "json").out)["stacks"]

    assert rolled.code == 0, rolled.err
    assert count > 5, "it asked while the tasks were rolled"
    assert broken.code == 1
    assert "failed after its stack had ended" in broken.err
    assert "its log ends: no such model" in broken.err
    assert {one["name"]: one["status"] for one in stacks}["service"] == "UPDATE_COMPLETE"
    assert (client.failed, set(client.said)) == ([], {"Hello from a stand-in"})
