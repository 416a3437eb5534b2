"""`show`: the file that says everything, as a user sees it."""

from __future__ import annotations

import json

import pytest
import yaml

from stacks.bases import environment_files
from stacks.environment import load, parse_settings
from stacks.extensions import Added
from tests.command import User
from tests.covering import only
from tests.places import ENVIRONMENTS

BASE = "system: litellm\nservice:\n  cpu: 1024\n  memory_mb: 2048\n"
TEXTS = {
    "A": "one\ntwo # three\n",
    "B": "",
    "C": " ",
    "D": "{x: y}",
    "E": "a" * 300,
    "F": "é\u2028🚀",
    "G": "yes",
}


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    user = User.at(tmp_path_factory.mktemp("show"))
    folder = user.folder / "environments"
    (folder / "base.yaml").write_text(BASE)
    dev = {"extends": "base.yaml", "environment": "own", "service": {"environment": TEXTS}}
    (folder / "own.yaml").write_text(yaml.safe_dump(dev, sort_keys=False))
    return user


NAMES = [*(path.stem for path in environment_files(ENVIRONMENTS)), "own"]


@pytest.mark.parametrize("name", only({"own", "local", "prod", "llm-testing"}, NAMES))
def test_what_is_shown_is_a_file_that_means_the_same(user: User, name: str) -> None:
    path = user.folder / "environments" / f"{name}.yaml"
    for more in ((), ("--origin",)):
        done = user.run("show", name, *more)
        assert (done.code, done.err) == (0, "")
        assert parse_settings(done.out, path).adding(Added()) == load(path).adding(Added())


def test_each_value_says_where_it_comes_from(user: User) -> None:
    lines = [line.strip() for line in user.run("show", "own", "--origin").out.splitlines()]
    assert "environment: own # environments/own.yaml:2" in lines
    assert "cpu: 1024 # environments/base.yaml:3" in lines
    assert "port: 4000 # default of litellm" in lines
    assert "public_subnet_cidrs: # derived" in lines
    unsaid = [line for line in lines if " # " not in line and not line.endswith(":") and line[:1] != "-"]
    assert unsaid == []


def test_as_json_it_is_the_same(user: User) -> None:
    shown = json.loads(user.run("show", "own", "--origin", "--format", "json").out)
    assert shown["environment"] == "own"
    path = user.folder / "environments" / "own.yaml"
    assert parse_settings(yaml.safe_dump(shown["settings"]), path) == load(path)
    assert {"key": ["service", "cpu"], "origin": "environments/base.yaml:3"} in shown["origins"]
    assert "origins" not in json.loads(user.run("show", "own", "--format", "json").out)


def test_the_region_of_the_command_goes_before_the_files(user: User) -> None:
    lines = user.run("show", "own", "--origin", "--region", "eu-west-1").out.splitlines()
    assert "region: eu-west-1 # --region" in lines


def test_what_is_no_whole_environment_is_refused(user: User) -> None:
    done = user.run("show", "base")
    assert done.code == 2
    assert "environments/base.yaml: environment: missing; a file without it is a base" in done.err
    assert user.run("lint", "base").err == done.err
    folder = user.run("show", "environments")
    assert (folder.code, "is a folder of templates" in folder.err) == (2, True)


def test_a_secret_in_the_file_is_refused_and_not_shown(user: User) -> None:
    path = user.folder / "environments" / "leak.yaml"
    path.write_text("system: litellm\nenvironment: leak\nservice: {environment: {A_TOKEN: hush-hush}}\n")
    done = user.run("show", "leak")
    path.unlink()
    assert done.code == 2
    assert "service.environment.A_TOKEN: looks like a secret" in done.err
    assert "hush" not in done.out + done.err


def test_a_missing_file_names_the_environments_and_no_base(user: User) -> None:
    done = user.run("plan", "nope")
    assert done.code == 2
    assert "base.yaml" not in done.err
    assert "own.yaml" in done.err
