"""
LiteLLM itself starts with what the templates give it. Run by `make test-litellm`, which gets it from PyPI.

Without a database: its database client needs engines that PyPI does not have. What needs one (virtual keys)
is tested against a stand-in that behaves as LiteLLM documents.
"""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.render import render
from stacks.environment import load
from stacks.systems import litellm_config
from tests.places import ROOT

pytestmark = pytest.mark.litellm

PROGRAM = ROOT / ".venv-litellm" / "bin" / "litellm"
MASTER_KEY = "sk-made-up-for-this-test-0123456789"


@dataclass(frozen=True)
class Proxy:
    """A running LiteLLM, and the container definition it was started by."""

    port: int
    container: dict[str, Any]

    def get(self, path: str, key: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None


@pytest.fixture(scope="module", params=["dev", "prod"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    assert PROGRAM.exists(), "LiteLLM is not installed here: run `make test-litellm`"
    folder = tmp_path_factory.mktemp("litellm")
    settings = load(ROOT / "environments" / f"{request.param}.yaml")
    (folder / "config.yaml").write_text(litellm_config.text(settings))
    service = next(stack for stack in render(settings).stacks if stack.name == "service")
    task = json.loads(service.template)["Resources"]["ProxyTask"]["Properties"]
    container = task["ContainerDefinitions"][0]
    port = _free_port()
    command = [port if word == "4000" else word for word in container["Command"]]
    command = ["config.yaml" if word == "/app/config.yaml" else word for word in command]
    process = subprocess.Popen(
        [PROGRAM, *command], cwd=folder, env=_variables(container, folder), stdout=subprocess.PIPE, text=True
    )
    try:
        _wait(process)
        yield Proxy(int(port), container)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _variables(container: dict[str, Any], folder: Path) -> dict[str, str]:
    """Return the container's own variables, those aside that lead to AWS; secrets are made up."""
    plain = {one["Name"]: one["Value"] for one in container["Environment"]}
    own = {name: value for name, value in plain.items() if isinstance(value, str)}
    elsewhere = {"LITELLM_CONFIG_BUCKET_NAME", "LITELLM_CONFIG_BUCKET_OBJECT_KEY"}
    kept = {name: value for name, value in own.items() if name not in elsewhere}
    made_up = {"LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_SALT_KEY": "made-up", "LITELLM_LOG": "INFO"}
    here = {"PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return {**kept, **made_up, **here, "PYTHONUNBUFFERED": "1"}


def _free_port() -> str:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return str(chosen.getsockname()[1])


def _wait(process: subprocess.Popen[str]) -> None:
    """Read what LiteLLM says until it listens."""
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if "Uvicorn running" in line:
            return
    pytest.fail(f"LiteLLM ended at its start: {''.join(said)[-2000:]}")


def test_it_takes_the_configuration_and_is_alive(proxy: Proxy) -> None:
    assert proxy.get("/health/liveliness")[0] == 200


def test_the_load_balancers_probe_needs_no_key(proxy: Proxy) -> None:
    status, said = proxy.get("/health/readiness")

    assert (status, said["status"]) == (200, "healthy")


def test_the_containers_own_check_finds_it_healthy(proxy: Proxy) -> None:
    *words, program = proxy.container["HealthCheck"]["Command"][1:]
    program = program.replace(":4000", f":{proxy.port}")

    assert subprocess.run([*words, program], check=False).returncode == 0


def test_the_master_key_opens_it_and_another_key_does_not(proxy: Proxy) -> None:
    assert proxy.get("/v1/models", MASTER_KEY)[0] == 200
    assert proxy.get("/v1/models", "sk-another-key-0123456789")[0] >= 400
