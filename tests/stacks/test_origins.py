"""Where each value of an environment comes from, and the file that says all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.bases import environment_files
from stacks.environment import load, loaded, parse_settings
from stacks.extensions import Added
from stacks.origins import Origins, file_of
from stacks.settings import Settings
from tests.covering import searched
from tests.places import ENVIRONMENTS
from tests.stacks.environments import PATH, environments

BASE = "system: litellm-benchmark\ntags: {Owner: a}\nservice:\n  min_tasks: 5\n  max_tasks: 9\n"
DEV = "extends: base.yaml\nenvironment: dev\ntags: {Team: b}\nservice:\n  max_tasks:\n  providers: [openai]\n"


def origins(folder: Path, **texts: str) -> Origins:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    path = folder / "dev.yaml"
    settings, tree = loaded(path)
    return Origins(path, tree, settings)


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        (("environment",), "{}/dev.yaml:2"),
        (("system",), "{}/base.yaml:1"),
        (("tags", "Owner"), "{}/base.yaml:2"),
        (("tags", "Team"), "{}/dev.yaml:3"),
        (("service", "min_tasks"), "{}/base.yaml:4"),
        (("service", "max_tasks"), "{}/base.yaml:5"),
        (("service", "providers"), "{}/dev.yaml:6"),
        (("service", "cpu"), "default of litellm-benchmark"),
        (("service", "stop_timeout_seconds"), "default"),
        (("service", "config", "general_settings", "master_key"), "default of litellm-benchmark"),
        (("service", "desired_count"), "derived"),
        (("network", "public_subnet_cidrs"), "derived"),
        (("account",), "default"),
    ],
)
def test_a_value_comes_from_a_line_a_default_or_other_values(
    tmp_path: Path, place: tuple[str, ...], origin: str
) -> None:
    found = origins(tmp_path, base=BASE, dev=DEV)
    assert found.of(place) == origin.format(tmp_path)


def test_a_tier_has_defaults_of_its_own_and_a_subnet_that_is_said_is_not_derived(tmp_path: Path) -> None:
    text = (
        "system: litellm\nenvironment: dev\ntier: production\nalb: {internal: true}\n"
        "network: {public_subnet_cidrs: [10.0.1.0/24, 10.0.2.0/24]}\n"
    )
    found = origins(tmp_path, dev=text)
    assert found.of(("service", "spot")) == "default of production"
    assert found.of(("database", "instance_class")) == "default of litellm in production"
    assert found.of(("service", "desired_count")) == "default of production"
    assert found.of(("network", "public_subnet_cidrs")) == f"{tmp_path}/dev.yaml:5"


@pytest.mark.parametrize("path", environment_files(ENVIRONMENTS), ids=lambda path: path.stem)
def test_the_file_of_a_shipped_environment_means_the_same(path: Path) -> None:
    settings = load(path)
    again = parse_settings(yaml.safe_dump(file_of(settings), allow_unicode=True), path)
    assert again.adding(Added()) == settings.adding(Added())  # where a patch stands is not what it means


@searched(8, 300, environments())
def test_the_file_of_any_environment_means_the_same(settings: Settings) -> None:
    again = parse_settings(yaml.safe_dump(file_of(settings), allow_unicode=True), PATH)
    assert again.adding(Added()) == settings.adding(Added())


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"min_tasks": 3}, 3),
        ({"min_tasks": 0}, 1),
        ({"min_tasks": 3, "max_tasks": 3}, 3),
        ({"min_tasks": 0, "max_tasks": 1}, 1),
        ({"min_tasks": 2, "desired_count": None}, 2),
        ({"desired_count": 4}, 4),
    ],
)
def test_the_tasks_at_first_follow_what_is_said_of_the_least_and_the_most(
    said: dict[str, Any], first: int
) -> None:
    file = {"system": "litellm", "environment": "dev", "service": said}
    assert parse_settings(yaml.safe_dump(file), PATH).service.desired_count == first
