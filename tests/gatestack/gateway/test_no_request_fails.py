"""A client that asks ten times a second notices nothing of what is done to the gateway that answers it."""

from __future__ import annotations

import json
import sys
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


def test_a_rollout_fails_no_request(tmp_path: Path) -> None:
    Services().reset()
    gateway = Gateway(tmp_path / "gateway", {IMAGE: Program((sys.executable, str(MODEL)), host="--host")})
    gateway.folder.mkdir()
    with Sandbox(clock=RealClock(SPEED), key=KEY, gateway=gateway) as sandbox:
        user = User.at(tmp_path, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.05", **LOGIN)
        done = user.run("deploy", "local", "--yes")
        assert done.code == 0, done.err
        url = json.loads(user.run("outputs", "local", "--format", "json").out)["outputs"]["alb"]["Url"]

        with Client(urlsplit(url).netloc, key="any") as client:
            done = user.run("rollout", "local")

    assert done.code == 0, done.err
    assert (client.failed, set(client.said)) == ([], {"Hello from a stand-in"})
    assert len(client.said) > 5, "it asked while the tasks were rolled"
