"""LiteLLM itself behind a deployment to the sandbox: who asks it notices nothing of what is done to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.command import User
from tests.gatestack.gateway.asking_client import Client
from tests.places import ROOT

pytestmark = pytest.mark.litellm
SAID = "Hello from your own gateway."
TWO = "\n  desired_count: 2\n  min_tasks: 2"
BROKEN = "    router_settings: {routing_strategy: nonsense}\n"
DEPLOY = ("deploy", "local", "--yes")
CHANGES = (
    ("", "", ("rollout", "local")),
    ("", "", ("rotate", "local", "database")),
    ("service:", f"service:{TWO}", DEPLOY),
    (TWO, "", DEPLOY),
)
SHIFTS = (
    ("service:", "service:\n  deployment_strategy: blue_green", DEPLOY),
    ("service:", "service:\n  environment: {TEAM: gateway}", DEPLOY),
    ("", "", ("rollout", "local")),
)
"""What is replaced by what in the environment's file, and the command after it."""


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    someone = User.at(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    yield someone
    someone.run("local", "stop")


def test_no_request_fails_whatever_is_done_to_litellm(user: User) -> None:
    assert user.run("local", "start", "--gateway", "--speed", "600").code == 0
    done = run(user, *DEPLOY)
    assert (done.returncode, "LiteLLM without its database" in done.stderr) == (0, True), done.stderr
    assert SAID in user.call("bash", "-c", readme()).out
    verified = user.run("verify", "local")
    assert verified.code == 0, verified.out
    url = json.loads(user.run("outputs", "local", "--format", "json").out)["outputs"]["alb"]["Url"]
    host = urlsplit(url).netloc
    key = user.run("secret", "get", "local", "LITELLM_MASTER_KEY", "--reveal").out.strip()

    for change in CHANGES:
        assert_unnoticed(user, host, key, *change)

    file = user.folder / "environments" / "local.yaml"
    whole = file.read_text()
    file.write_text(f"{whole}{BROKEN}")
    with Client(host, key) as client:
        done = run(user, *DEPLOY)
    assert done.returncode == 1
    assert "its log ends: ValueError" in done.stderr, done.stderr
    assert "nonsense" in done.stderr
    assert (client.failed, set(client.said)) == ([], {SAID})

    file.write_text(whole)
    for change in SHIFTS:
        assert_unnoticed(user, host, key, *change)

    with Client(host) as client:  # without a database LiteLLM knows one key: who has the other one is refused
        done = run(user, "rotate", "local", "master-key")
    assert done.returncode == 0, done.stderr
    assert (client.failed, set(client.said)) == ([], {'"I\'m alive!"'})
    assert SAID in user.call("bash", "-c", readme()).out


def assert_unnoticed(user: User, host: str, key: str, old: str, new: str, command: tuple[str, ...]) -> None:
    """Run *command* after an edit of the environment's file; it is done, and the client notices nothing."""
    if old:
        user.edit("local", old, new)
    with Client(host, key) as client:
        done = run(user, *command)
    assert done.returncode == 0, done.stderr
    assert (client.failed, set(client.said)) == ([], {SAID}), (new, command)


def readme() -> str:
    """Return README's command that asks the model, with this Python's gatestack in it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^curl -s .*?chat/completions(?:.*\\\n)*.*$", text, re.MULTILINE)
    assert found is not None
    return found[0].replace(".venv/bin/gatestack", f"{sys.executable} -m gatestack")


def run(user: User, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command, however long LiteLLM's starts take: `User.run` gives up after three minutes."""
    return subprocess.run(
        [sys.executable, "-m", "gatestack", *command],
        cwd=user.folder,
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )
