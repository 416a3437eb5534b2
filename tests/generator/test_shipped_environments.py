"""Every environment file that is shipped, brought up on the sandbox by its name and taken down again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stacks.environment import load
from tests.command import User
from tests.rewrite_golden import environment_files

ELSEWHERE = {"dev", "local"}
"""Deployed and destroyed by tests of their own."""

ELSEWHERE_TOO = {"prod", "llm-testing", "llm-proxy-production"}
"""By tests of commands, the last one as its development, and here in the deep run."""

BETWEEN = {
    "litellm-benchmark",
    "litellm-benchmark-dev-test",
    "llm-proxy-dev",
    "llm-proxy-low",
    "llm-proxy-medium",
}
"""Other numbers of the same resources as a smaller or larger file of their system: the deep run has them."""

FILES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.deep] if path.stem in BETWEEN | ELSEWHERE_TOO else [])
    for path in environment_files()
    if path.stem not in ELSEWHERE
]


@pytest.mark.parametrize("path", FILES)
def test_a_shipped_environment_comes_up_and_goes_away(user: User, path: Path) -> None:
    up = user.run("deploy", path.stem, "--yes", "--format", "json")
    assert up.code == 0, up.err
    deployed = json.loads(up.out)["stacks"]
    assert {stack["status"] for stack in deployed} == {"CREATE_COMPLETE"}

    protected = ("--force",) if load(path).production else ()
    down = user.run("destroy", path.stem, "--yes", *protected)
    assert down.code == 0, down.err
    assert f"{len(deployed)} stacks deleted" in down.err
