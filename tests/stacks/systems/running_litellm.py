"""LiteLLM itself, started as an environment's task definition starts it; `make test-litellm` installs it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from generator.render import render
from stacks.settings import Settings
from stacks.systems import litellm_config
from tests.places import ROOT

PROGRAM = ROOT / ".venv-litellm" / "bin" / "litellm"
MASTER_KEY = "sk-made-up-for-this-test-0123456789"
BALANCER, ELSEWHERE = "127.0.0.17", "127.0.0.99"
"""Addresses of this machine: one in the load balancer's subnets, and one outside."""
STARTS_WITHIN = 240
"""Seconds; about 30 on an idle machine."""


@dataclass(frozen=True)
class Answer:
    """A response of LiteLLM."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Proxy:
    """A running LiteLLM, and the container definition it was started by."""

    port: int
    container: dict[str, Any]
    process: subprocess.Popen[str]
    folder: Path
    log: list[str] = field(default_factory=list)

    def connect(self, source: str = ELSEWHERE) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))

    def get(self, path: str, key: str = "", *, source: str = ELSEWHERE, **headers: str) -> Answer:
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        connection = self.connect(source)
        try:
            connection.request("GET", path, headers={**bearer, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def completion(self, model: str, **more: Any) -> http.client.HTTPResponse:
        """Request an answer of *model*; the connection stays open until it is read."""
        asked = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
        connection = self.connect()
        headers = {"Authorization": f"Bearer {MASTER_KEY}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
        return connection.getresponse()

    def peak_mb(self) -> int:
        """Return the process's peak memory, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (line,) = (one for one in lines if one.startswith("VmHWM"))
        return int(line.split()[1]) // 1024


def container_of(settings: Settings) -> dict[str, Any]:
    """Return the definition of the container that gets the requests."""
    service = next(stack for stack in render(settings).stacks if stack.name == "service")
    task = json.loads(service.template)["Resources"]["ProxyTask"]["Properties"]
    return dict(task["ContainerDefinitions"][0])


@contextmanager
def running(settings: Settings, folder: Path, *models: dict[str, Any], **variables: str) -> Iterator[Proxy]:
    """
    Start LiteLLM with the command, the variables and the config.yaml of *settings*, and *models* beside them.

    What leads to AWS is left out, secrets are made up, and the container's /tmp is in *folder*.
    """
    assert PROGRAM.exists(), "LiteLLM is not installed here: run `make test-litellm`"
    (folder / "tmp").mkdir()
    config = yaml.safe_load(litellm_config.text(settings))
    config["model_list"] = [*config.get("model_list", []), *models]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    container = container_of(settings)
    port = free_port()
    own = {"4000": str(port), "/app/config.yaml": "config.yaml"}
    process = subprocess.Popen(
        [PROGRAM, *(own.get(word, word) for word in container["Command"])],
        cwd=folder,
        env={**_variables(container, folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    proxy = Proxy(port, container, process, folder)
    listens = threading.Event()
    reader = threading.Thread(target=_read, args=(proxy, listens))
    reader.start()
    try:
        assert listens.wait(STARTS_WITHIN), f"LiteLLM does not listen: {''.join(proxy.log)[-2000:]}"
        assert process.poll() is None, f"LiteLLM ended at its start: {''.join(proxy.log)[-2000:]}"
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=60)
        reader.join()


def _variables(container: dict[str, Any], folder: Path) -> dict[str, str]:
    """Return the container's own variables, adapted to this machine."""
    plain = {one["Name"]: one["Value"] for one in container["Environment"]}
    own = {name: value for name, value in plain.items() if isinstance(value, str)}
    elsewhere = {"LITELLM_CONFIG_BUCKET_NAME", "LITELLM_CONFIG_BUCKET_OBJECT_KEY"}
    kept = {
        name: value.replace("/tmp", str(folder / "tmp"))  # noqa: S108 - the container's
        for name, value in own.items()
        if name not in elsewhere
    }
    made_up = {"LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_SALT_KEY": "made-up", "LITELLM_LOG": "INFO"}
    here = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder / "tmp"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "FORWARDED_ALLOW_IPS": "127.0.0.16/28,127.0.0.32/28",  # as many networks as there are subnets
    }
    return {**kept, **made_up, **here, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _read(proxy: Proxy, listens: threading.Event) -> None:
    """Keep what LiteLLM says, and say when it listens or has ended."""
    assert proxy.process.stdout
    for line in proxy.process.stdout:
        proxy.log.append(line)
        if "Uvicorn running" in line:
            listens.set()
    listens.set()
