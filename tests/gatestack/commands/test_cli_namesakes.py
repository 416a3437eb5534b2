"""A file under a name that is not its environment's: what is said, and what the sandbox does not do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command import User

COPY = "warning: environments/team.yaml says environment: {0}, and so does environments/{0}.yaml"
ALONE = "warning: environments/team.yaml is the environment mine: names in AWS come from environment:"


def copied(folder: Path, name: str, to: str = "team") -> User:
    user = User.at(folder)
    shutil.copy(user.folder / "environments" / f"{name}.yaml", user.folder / "environments" / f"{to}.yaml")
    return user


@pytest.mark.parametrize("name", ["dev", "local"])
def test_a_copy_that_still_is_the_same_environment_is_warned_of_once(tmp_path: Path, name: str) -> None:
    done = copied(tmp_path, name).run("generate", "team")
    assert done.code == 0
    assert done.err.count(COPY.format(name)) == 1


def test_a_copy_of_local_does_nothing_in_the_sandbox(user: User) -> None:
    folder = user.folder / "environments"
    shutil.copy(folder / "local.yaml", folder / "team.yaml")
    refused = "environments/team.yaml says environment: local, and so does environments/local.yaml: it would"
    for command in (("deploy", "team", "--yes"), ("destroy", "team", "--yes"), ("secret", "list", "team")):
        done = user.run(*command)
        assert (done.code, refused in done.err) == (2, True), done.err
    assert user.run("status", "local").out.count("not there") == 5

    # both ways out that the message names
    user.edit("team", "environment: local", "environment: team")
    assert user.run("plan", "team", "--only", "network").err.count("environment: local") == 0
    assert "environments/" not in user.run("plan", "local", "--only", "network").err


def test_another_system_is_another_environment(tmp_path: Path) -> None:
    user = User.at(tmp_path)
    user.need_keys()
    shutil.copy(user.folder / "environments" / "local.yaml", user.folder / "environments" / "team.yaml")
    user.edit("team", "system: litellm\n", "system: llm-testing\n")
    user.edit("team", "service:\n  image: ghcr.io/berriai/litellm-database", "service:\n  image: ecr")
    done = user.run("generate", "team")
    assert (done.code, "environment local: names in AWS" in done.err) == (0, True), done.err


def test_a_name_that_is_not_the_files_is_said(tmp_path: Path) -> None:
    user = copied(tmp_path, "dev")
    user.edit("team", "environment: dev", "environment: mine")
    assert ALONE in user.run("generate", "team").err


def test_the_file_itself_and_names_that_setup_gives_are_not_warned_of(tmp_path: Path) -> None:
    user = copied(tmp_path, "llm-proxy-dev", "llm-proxy-eu")
    for name in ("dev", "local", "llm-proxy-dev", "llm-testing"):
        assert "environment:" not in user.run("generate", name).err
    assert "and so does environments/llm-proxy-dev.yaml" in user.run("generate", "llm-proxy-eu").err
