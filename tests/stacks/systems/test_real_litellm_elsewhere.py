"""LiteLLM itself starts on the sandbox and with a team's own providers. Run by `make test-litellm`."""

from pathlib import Path

import pytest

from stacks.environment import load
from tests.places import ROOT
from tests.stacks.systems.running_litellm import MASTER_KEY, free_port, running

pytestmark = pytest.mark.litellm

MADE_UP = "made-up-for-this-test"


@pytest.mark.parametrize("name", ["local", "team"])
def test_it_starts_with_the_models_of_the_file_and_takes_the_master_key_alone(
    name: str, tmp_path: Path
) -> None:
    settings = load(ROOT / "environments" / f"{name}.yaml")
    put_in = dict.fromkeys((*settings.service.secrets, "AZURE_API_KEY", "GEMINI_API_KEY"), MADE_UP)
    nobody = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(free_port())} if settings.cache.used else {}

    with running(settings, tmp_path, **put_in, **nobody) as proxy:
        assert proxy.get("/health/liveliness").status == 200
        assert proxy.get("/v1/models", "sk-another-key-0123456789").status >= 400
        listed = {one["id"] for one in proxy.get("/v1/models", MASTER_KEY).said["data"]}

    configured = settings.service.config.get("model_list") or []
    assert isinstance(configured, list)
    assert {one["model_name"] for one in configured} <= listed
