"""Every shipped environment, deployed, changed and destroyed by the role that `bootstrap` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.clock import RealClock
from sandbox.resources.services import Services
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN, User
from tests.iam_worlds import PIPELINES, SHIPPED

SPEED = 300.0
"""Sandbox seconds in a real one: a session of an hour lasts 12 s."""
DEPLOY = "arn:aws:iam::123456789012:role/gatestack-deploy-{}"
ALWAYS = {"dev", "local"}
"""Without rotation's wait for the login and with it; the deep run has all."""


@pytest.fixture
def running() -> Iterator[Sandbox]:
    Services().reset()
    with Sandbox(clock=RealClock(SPEED), key=KEY) as sandbox:
        yield sandbox


def pipeline(folder: Path, sandbox: Sandbox, name: str, **pipelines: Any) -> User:
    """Have an administrator make the role for the environment *name*; return who has a token for it."""
    place = {"AWS_ENDPOINT_URL": sandbox.endpoint, "GATESTACK_POLL_INTERVAL": "0.02"}
    administrator = User.at(folder, **place, **LOGIN)
    file = folder / "environments" / f"{name}.yaml"
    settings = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(settings | {"pipelines": PIPELINES | pipelines}))
    made = administrator.run("bootstrap", name, "--yes")
    assert made.code == 0, made.err
    token = folder / "token"
    token.write_text(KEY.web_identity({"sub": "sc://contoso/AI Platform/aws-dev"}))
    role = {
        "AWS_ROLE_ARN": DEPLOY.format(settings.get("region", "us-east-1")),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
    }
    return User(folder, place | role)


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[] if one in ALWAYS else [pytest.mark.deep]) for one in SHIPPED]
)
def test_the_role_deploys_changes_and_destroys_it_with_sessions_of_an_hour(
    tmp_path: Path, running: Sandbox, name: str
) -> None:
    running.faults.add({"behaviour": {"sessions_end": True}})
    user = pipeline(tmp_path, running, name, session_hours=1)

    up = user.run("deploy", name, "--yes")
    assert up.code == 0, up.err
    file = tmp_path / "environments" / f"{name}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"tags": {"CostCenter": "4711"}}))
    changed = user.run("deploy", name, "--yes")
    assert changed.code == 0, changed.err
    assert "UPDATE_COMPLETE" in changed.err
    down = user.run("destroy", name, "--yes", "--force")
    assert down.code == 0, down.err
