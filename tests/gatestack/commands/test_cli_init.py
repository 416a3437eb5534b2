"""`init` as a user runs it: what it writes works at once, and nothing of anybody else's is touched."""

import os
import re
import shlex
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
import yaml

from gatestack.cli import COMMANDS
from gatestack.commands.init import NEXT
from sandbox.server import Sandbox
from stacks.environment import load
from stacks.schema import FILE
from stacks.settings import System
from tests.command import LOGIN, User, forked_commands
from tests.covering import only
from tests.forked_commands import Process
from tests.places import ROOT
from tests.programs_on_path import VERIFIED, Programs, pinned, signed

NAMED = ("dev", "local", "prod")
SCHEMA = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Somebody with an empty folder."""
    return User(tmp_path)


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("system", only({"litellm", "llm-testing"}, get_args(System)))
def test_every_system_has_its_environments_and_the_example(user: User, system: str) -> None:
    """What the defaults of each system come to is linted by tests of the shipped environments."""
    done = user.run("init", "--system", system, "--region", "eu-central-1")
    assert done.code == 0, done.err

    for name in NAMED:
        settings = load(user.folder / "environments" / f"{name}.yaml")
        assert (settings.system, settings.environment, settings.region) == (system, name, "eu-central-1")
        assert user.run("generate", name).code == 0
    linted = user.run("lint", "dev", "--only", "extras")
    assert (linted.code, "1 templates, 0 findings" in linted.err) == (0, True), linted.out + linted.err


def test_files_name_a_schema_that_is_there_and_is_the_installed_one(user: User) -> None:
    user.run("init")

    for path in (user.folder / "environments").glob("*.yaml"):
        named = SCHEMA.match(path.read_text())
        assert named, path
        assert (path.parent / named[1]).read_text() == FILE.read_text() == user.run("schema").out


def test_gatestack_is_pinned_to_the_version_that_wrote_it(user: User) -> None:
    user.run("init")

    assert (user.folder / "requirements.txt").read_text() == f"gatestack=={version('gatestack')}\n"


@pytest.mark.deep
def test_it_ends_with_commands_that_work(user: User, sandbox: Sandbox) -> None:
    said = user.run("init", "our gateway").out.splitlines()
    steps = [line.strip() for line in said if line.startswith("  ")]
    assert steps == ["cd 'our gateway'", *NEXT]

    here = User(
        user.folder / shlex.split(steps[0])[1],
        {"AWS_ENDPOINT_URL": sandbox.endpoint, "GATESTACK_POLL_INTERVAL": "0.02", **LOGIN},
    )
    for step in steps[1:]:
        done = here.run(*shlex.split(step)[1:])
        assert done.code == 0, done.err
        if step == NEXT[0]:
            linted = re.findall(r"environments/(\w+)\.yaml: \d templates, 0 findings", done.err)
            assert tuple(linted) == NAMED
    deployed = here.run("deploy", "dev", "--yes")
    assert "6 stacks deployed" in deployed.err, deployed.err


@pytest.mark.parametrize(
    ("pipelines", "there", "elsewhere"),
    [
        ("azure", "pipelines/azure-devops/", (".github/", "pipelines/github-actions/")),
        ("github", ".github/workflows/", ("pipelines/azure-devops/",)),
        ("none", "environments/", (".github/", "pipelines/")),
    ],
)
def test_pipelines_are_those_that_were_asked_for_and_no_others(
    user: User, pipelines: str, there: str, elsewhere: tuple[str, ...]
) -> None:
    user.run("init", "--pipelines", pipelines)

    names = written(user.folder)
    assert any(name.startswith(there) for name in names)
    assert not [name for name in names if name.startswith(elsewhere)]
    for name in names:
        ours = ROOT / (name.replace(".github/workflows", "pipelines/github-actions"))
        if name.startswith(("pipelines/", ".github/", "image/")):
            assert (user.folder / name).read_text() == ours.read_text()
            assert os.access(user.folder / name, os.X_OK) or not os.access(ours, os.X_OK), name


def test_what_the_pipelines_call_is_there(user: User) -> None:
    """Scripts by their path, and the Makefile's targets."""
    for name in ("azure", "github"):
        user.run("init", name, "--pipelines", name)
        names = written(user.folder / name)
        texts = [
            (user.folder / name / one).read_text() for one in names if one.endswith((".yml", ".sh", ".py"))
        ]
        called = {found for text in texts for found in re.findall(r"\bpipelines/[\w/.-]+\.(?:sh|py)\b", text)}
        assert called <= names
        targets = {found for text in texts for found in re.findall(r"run: make (\S+)|bash: make (\S+)", text)}
        made = (user.folder / name / "Makefile").read_text()
        assert all(re.search(rf"^{''.join(one)}:", made, re.MULTILINE) for one in targets), targets


def test_the_targets_are_this_projects_and_call_commands_that_exist(user: User) -> None:
    user.run("init")
    target = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
    made, ours = (user.folder / "Makefile").read_text(), (ROOT / "Makefile").read_text()

    assert set(target.findall(made)) <= set(target.findall(ours))
    assert set(re.findall(r"\$\(BIN\)/gatestack (\w+)", made)) <= COMMANDS.keys()
    shown = user.call("make")
    assert (shown.code, "make deploy-env" in shown.out) == (0, True)


def test_a_target_runs_what_it_says(user: User) -> None:
    """`ready` asks the package index, so the place of what it installs is taken by a stand-in."""
    user.run("init")
    binary = user.folder / ".venv" / "bin" / "gatestack"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/sh\necho "$@"\n')
    binary.chmod(0o755)
    os.utime(user.folder / "requirements.txt", (0, 0))
    (user.folder / ".venv" / ".ready").touch()

    def said(*words: str) -> str:
        done = user.call("make", "--silent", *words)
        assert done.code == 0, done.err
        return done.out.strip()

    assert said("deploy-env") == "deploy local --yes"
    assert said("plan-env", "ENV=dev") == "plan dev"
    assert said("image-push", "ENV=dev", "TAG=v1") == "image dev --tag v1 --push"
    assert said("lock-image", "ENV=dev") == "image dev --pin"
    assert said("check") == "lint"
    assert said("schema") == ""
    assert (user.folder / "environments" / "environment.schema.json").read_text() == "schema\n"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ("environments/dev.yaml", "environments/dev.yaml"),
        ("README.md", "README.md"),
        ("image", "image"),
        (".github/workflows/application.yml", ".github/workflows/application.yml"),
    ],
)
def test_what_is_there_is_listed_and_nothing_is_written(user: User, there: str, told: str) -> None:
    path = user.folder / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")

    done = user.run("init", "--pipelines", "github")

    assert (done.code, f"exists already: {told}; nothing was written" in done.err) == (2, True), done.err
    assert written(user.folder) == {there}
    assert path.read_text() == "mine"


def test_a_second_run_lists_what_the_first_has_written(user: User) -> None:
    user.run("init")
    before = {name: (user.folder / name).read_bytes() for name in written(user.folder)}

    done = user.run("init", "--system", "llm-proxy")

    assert (done.code, "and" in done.err, "more; nothing was written" in done.err) == (2, True, True)
    assert {name: (user.folder / name).read_bytes() for name in written(user.folder)} == before


def test_a_link_that_leads_nowhere_is_there_too(user: User) -> None:
    (user.folder / "Makefile").symlink_to("elsewhere")

    done = user.run("init")

    assert (done.code, "exists already: Makefile;" in done.err) == (2, True)


def test_where_writing_stops_halfway_it_says_what_is_written(user: User) -> None:
    """On a disk that has no room for the schema, the longest of the files."""
    done = forked_commands().run(
        user.folder, user.environment, "init", process=Process(largest_file=FILE.stat().st_size - 1)
    )

    names = written(user.folder)
    assert done.code == 1
    assert "environments/environment.schema.json cannot be written: File too large; " in done.err, done.err
    assert {".gitignore", "Makefile", "environments/base.yaml"} <= names
    assert all(name in done.err for name in names)
    assert "environments/environment.schema.json" not in names


def test_in_a_git_repository_it_only_adds(user: User) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=user.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "--quiet")
    (user.folder / "LICENSE").write_text("ours")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")

    assert user.run("init").code == 0

    changed = git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert {line[:3] for line in changed} == {"?? "}
    assert git("log", "--oneline").count("\n") == 1


def test_the_image_is_built_from_the_repositorys_dockerfile(user: User) -> None:
    user.run("init")
    programs = Programs.at(user.folder / "programs", "docker", "cosign")
    programs.answer("cosign verify", 0, signed())

    done = programs.of(user).run("image", "dev", "--tag", "v1")

    assert done.code == 0, done.err
    assert programs.calls[-1][-1] == "image"


def test_without_a_dockerfile_of_its_own_the_installed_one_is_built_as_its_release(user: User) -> None:
    user.run("init")
    shutil.rmtree(user.folder / "image")
    programs = Programs.at(user.folder / "programs", "docker", "cosign")
    programs.answer("cosign verify", 0, signed())
    there = programs.of(user)

    done = there.run("image", "dev")

    assert (done.code, done.out) == (0, f"dev-litellm:{pinned().release}\n"), done.err
    assert Path(programs.calls[-1][-1], "Dockerfile").read_text() == (ROOT / "image/Dockerfile").read_text()
    assert "image/Dockerfile cannot be read" in there.run("image", "dev", "--pin").err


def test_the_release_is_pinned_by_the_command_that_messages_name(user: User) -> None:
    user.run("init")
    path = user.folder / "image" / "Dockerfile"
    whole = path.read_text()
    unpinned = re.sub(r"LITELLM_DIGEST=\S*", "LITELLM_DIGEST=", whole, count=1)
    path.write_text(unpinned)
    programs = Programs.at(user.folder / "programs", "docker", "cosign")
    programs.answer("cosign verify", 0, signed())
    there = programs.of(user)
    warned = there.run("image", "dev", "--tag", "v1")
    command = re.search(r"`gatestack (image [^`]*--pin)`", warned.err)
    assert (warned.code, bool(command)) == (0, True), warned.err
    assert command

    done = there.run(*shlex.split(command[1]))

    assert done.code == 0, done.err
    digest = pinned().digest or VERIFIED
    assert path.read_text() == unpinned.replace("LITELLM_DIGEST=\n", f"LITELLM_DIGEST={digest}\n", 1)


def test_the_hook_lints_every_environment_whatever_was_changed(user: User) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    user.run("init")
    program, *arguments = shlex.split(hook["entry"])
    assert (program, hook["pass_filenames"]) == ("gatestack", False)
    assert all(
        re.search(hook["files"], name) for name in ("environments/base.yaml", "extensions/extras.yaml")
    )

    user.edit("base", "region: us-east-1", "region: us-esat-1")
    done = user.run(*arguments)
    assert (done.code, done.err.count("'us-esat-1' is not a region")) == (2, 3), done.err


def test_where_no_environment_is_lint_says_so(user: User) -> None:
    done = user.run("lint")

    assert (done.code, "environments has no environment file: give ENV" in done.err) == (2, True)
