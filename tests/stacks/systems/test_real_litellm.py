"""
LiteLLM itself starts with what the templates give it. Run by `make test-litellm`, which gets it from PyPI.

Without a database: its database client needs engines that PyPI does not have. What needs one (virtual keys)
is tested against a stand-in that behaves as LiteLLM documents.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from stacks.environment import load, parse_settings
from stacks.settings import Settings
from tests.places import ROOT
from tests.stacks.systems.running_litellm import (
    BALANCER,
    MASTER_KEY,
    PROGRAM,
    Proxy,
    container_of,
    free_port,
    running,
)

pytestmark = pytest.mark.litellm

MOCK = {
    "model_name": "mock",
    "litellm_params": {"model": "openai/mock", "api_key": "made-up", "mock_response": "hello there"},
}
URL = """
from litellm.proxy.db.db_url_settings import translate_libpq_ssl_params
from litellm.proxy.utils import construct_database_url_from_env_vars
print(translate_libpq_ssl_params(construct_database_url_from_env_vars()))
"""
PUBLIC = {"Host": "llm.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
"""What the load balancer adds to a request that came over TLS."""


def watched() -> Settings:
    """Return production with everything that brings in a part of LiteLLM's own: Redis, traces, metrics."""
    file: dict[str, Any] = yaml.safe_load((ROOT / "environments" / "prod.yaml").read_text())
    file["cache"] = {"enabled": True}
    file["observability"] |= {"collector": "otel"}
    file["service"]["config"] = {"litellm_settings": {"callbacks": ["prometheus"]}}
    return parse_settings(yaml.safe_dump(file), ROOT / "environments" / "prod.yaml")


@pytest.fixture(scope="module", params=["dev", "prod", "watched"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    name = request.param
    settings = watched() if name == "watched" else load(ROOT / "environments" / f"{name}.yaml")
    nobody = str(free_port())
    folder = tmp_path_factory.mktemp("litellm")
    with running(settings, folder, MOCK, REDIS_HOST="127.0.0.1", REDIS_PORT=nobody) as started:
        yield started


def is_production(proxy: Proxy) -> bool:
    return "NO_DOCS" in {one["Name"] for one in proxy.container["Environment"]}


def test_it_takes_the_configuration_and_is_alive(proxy: Proxy) -> None:
    assert proxy.get("/health/liveliness").status == 200
    assert "mock" in {one["id"] for one in proxy.get("/v1/models", MASTER_KEY).said["data"]}


def test_the_load_balancers_probe_needs_no_key(proxy: Proxy) -> None:
    found = proxy.get("/health/readiness")

    assert (found.status, found.said["status"], found.said["db"]) == (200, "healthy", "Not connected")


def test_the_containers_own_check_finds_it_healthy(proxy: Proxy) -> None:
    *words, program = proxy.container["HealthCheck"]["Command"][1:]
    program = program.replace(":4000", f":{proxy.port}")

    assert subprocess.run([*words, program], check=False).returncode == 0


def test_the_master_key_opens_it_and_another_key_does_not(proxy: Proxy) -> None:
    assert proxy.get("/v1/models", MASTER_KEY).status == 200
    assert proxy.get("/v1/models", "sk-another-key-0123456789").status >= 400


def test_it_answers_with_its_callbacks(proxy: Proxy) -> None:
    with proxy.completion("mock") as answer:
        assert (answer.status, b"hello there" in answer.read()) == (200, True)
    metrics = proxy.get("/metrics/", MASTER_KEY)
    if metrics.status == 200:
        assert b"litellm_" in metrics.body


def test_behind_tls_it_redirects_to_https_and_names_the_client(proxy: Proxy) -> None:
    moved = proxy.get("/ui", source=BALANCER, **PUBLIC)

    assert (moved.status, moved.headers["location"]) == (307, "https://llm.example.com/ui/")
    assert any("203.0.113.9" in line and "/ui" in line for line in proxy.log)


def test_who_is_no_load_balancer_is_not_believed(proxy: Proxy) -> None:
    moved = proxy.get("/ui", **PUBLIC)

    assert moved.headers["location"].startswith("http://")


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json"])
def test_production_shows_its_documentation_to_nobody(proxy: Proxy, path: str) -> None:
    open_in_dev = path != "/docs"  # LiteLLM's is at /
    found = proxy.get(path)
    shows = found.status == 200 and found.body != b'"LiteLLM: RUNNING"'

    assert shows is (open_in_dev and not is_production(proxy))


def test_the_ui_is_there(proxy: Proxy) -> None:
    assert proxy.get("/ui/").status == 200


def test_it_writes_nowhere_but_into_the_folder_in_memory(proxy: Proxy) -> None:
    started = (proxy.folder / "config.yaml").stat().st_mtime
    installed = ROOT / ".venv-litellm"
    new = [one for one in installed.rglob("*") if one.is_file() and one.stat().st_mtime > started]

    assert new == []
    assert {one.name for one in proxy.folder.iterdir()} == {"config.yaml", "tmp"}
    taken = sum(one.stat().st_size for one in _files(proxy.folder / "tmp"))
    assert taken < 128 * 1024**2, "a quarter of what the container's /tmp may take"


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.is_file())


def test_the_database_is_verified_by_what_the_containers_are_told() -> None:
    """LiteLLM's own words for Prisma, which reads one certificate from a file, and checks chain and name."""
    container = container_of(load(ROOT / "environments" / "prod.yaml"))
    told = {one["Name"]: one["Value"] for one in container["Environment"]}
    said = {"DATABASE_HOST": "db.example.com", "DATABASE_NAME": "litellm", "DATABASE_USERNAME": "one"}
    file = {"DATABASE_SSLROOTCERT": told["DATABASE_SSLROOTCERT"]}

    done = subprocess.run(
        [PROGRAM.with_name("python"), "-c", URL],
        env=said | file | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    query = parse_qs(urlsplit(done.stdout.split()[-1]).query)
    assert query == {
        "sslmode": ["require"],
        "sslcert": [told["DATABASE_SSLROOTCERT"]],
        "sslaccept": ["strict"],
    }


def test_a_start_takes_a_fraction_of_the_memory(proxy: Proxy) -> None:
    assert proxy.peak_mb() < 1024
