"""Completion: the protocol as a shell speaks it, a real bash, and that nothing heavy is waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gatestack.cli import COMMANDS, cli
from gatestack.completion import PLACES, environments, proposals
from tests.command import User
from tests.covering import only

PROGRAM = Path(sys.executable).with_name("gatestack")
HEAVY = ("boto3", "botocore", "troposphere", "rich")


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    user = User.at(tmp_path_factory.mktemp("completion"))
    (user.folder / "environments" / "base.yaml").write_text("system: litellm\n")
    own = (
        "extends: base.yaml\nenvironment: own\n"
        "service: {parameters: {team-name: a}, secrets: [AZURE_API_KEY]}\n"
        "extend: {stacks: [{name: prompts, template: extensions/prompts.yaml}]}\n"
    )
    (user.folder / "environments" / "own.yaml").write_text(own)
    extensions = user.folder / "environments" / "extensions"
    extensions.mkdir(exist_ok=True)
    (extensions / "prompts.yaml").write_text("Resources: {Prompts: {Type: AWS::S3::Bucket}}\n")
    (user.folder / "build" / "dev").mkdir(parents=True)
    (user.folder / "build" / "dev" / "manifest.json").touch()
    return user


def asked(user: User, *words: str) -> list[str]:
    """Return what bash is answered when the cursor is at the end of *words*."""
    line = {"COMP_WORDS": "\n".join(("gatestack", *words)), "COMP_CWORD": str(len(words))}
    asking = User(user.folder, {**line, "_GATESTACK_COMPLETE": "bash_complete"})
    done = asking.run()
    assert (done.code, done.err) == (0, "")
    return [word.removeprefix("plain,") for word in done.out.splitlines() if word]


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        ([""], ["plan", "show", "setup"], ["dev"]),
        (["pl"], ["plan"], ["deploy"]),
        (["plan", ""], ["dev", "own", "llm-testing", "build/dev"], ["base", "litellm"]),
        (["plan", "lo"], ["local"], ["dev"]),
        (["--region", "us-east-1", "--quiet", "plan", "d"], ["dev"], ["deploy"]),
        (["deploy", "--yes", "--on-failure", "stop", "d"], ["dev"], ["database"]),
        (["deploy", "dev", "--only", ""], ["network", "service"], ["dev"]),
        (["deploy", "dev", "--only", "network", "--only", "s"], ["service", "security"], ["network"]),
        (["deploy", "own", "--only", ""], ["network", "prompts"], ["own"]),
        (["plan", "own", "--only", "p"], ["prompts"], ["network"]),
        (["events", "dev", "--stack", "a"], ["alb"], ["dev"]),
        (["secret", ""], ["get", "set", "list"], ["dev"]),
        (["secret", "list", "d"], ["dev"], []),
        (["secret", "get", "dev", ""], ["api-keys", "OPENAI_API_KEY", "master-key"], ["dev"]),
        (["secret", "set", "own", "OPENAI"], ["OPENAI_API_KEY"], ["api-keys"]),
        (["secret", "set", "own", "AZ"], ["AZURE_API_KEY"], ["api-keys"]),
        (["secret", "set", "own", ""], ["api-keys/OPENAI_API_KEY"], ["database-login"]),
        (["secret", "get", "llm-testing", ""], ["session"], []),
        (["rotate", "dev", ""], ["database", "master-key"], ["api-keys"]),
        (["config", "set", "own", ""], ["log-level", "team-name"], []),
        (["config", "list", "o"], ["own"], []),
        (["cost", "dev", "--format", ""], ["text", "json"], ["dev"]),
        (["deploy", "dev", "--o"], ["--only", "--on-failure"], ["--yes"]),
        (["local", "s"], ["start", "stop", "slow"], ["expire"]),
        (["local", "fail", ""], ["database", "service"], ["local"]),
        (["secret", "get", "nope", ""], [], ["master-key"]),
        (["plan", "dev", ""], [], ["dev"]),
        (["nope", "dev", ""], [], ["dev"]),
    ],
    ids=" ".join,
)
def test_what_may_stand_there_is_proposed(
    user: User, words: list[str], there: list[str], not_there: list[str]
) -> None:
    found = asked(user, *words)
    if words != ["secret", "get", "llm-testing", ""]:
        assert set(there) <= set(found)
    assert not set(not_there) & set(found)
    assert len(set(found)) == len(found)


def positions(path: str) -> list[str]:
    """Return the arguments of a command that a value of ours may stand for."""
    command: click.Command | None = cli
    for name in path.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    return [str(one.name) for one in command.params if isinstance(one, click.Argument)]


def test_every_place_is_an_argument_of_its_command_and_every_env_has_a_place() -> None:
    paths = [*COMMANDS, *(f"{name} {one}" for name in ("config", "secret") for one in _below(name))]
    for path in paths:
        names = positions(path)
        places = PLACES.get(path, ())
        assert len(places) <= len(names), path
        assert [place is environments for place in places[:1]] == [True] * ("env" in names), path
        assert [name for name in names if name in {"env", "secret"} or (name == "name")] == names[
            : len(places)
        ]


def test_what_stands_below_local_is_all_of_it() -> None:
    assert {path for path in PLACES if path.startswith("local ")} == {
        f"local {one}" for one in _below("local")
    }


def _below(name: str) -> list[str]:
    group = cli.get_command(click.Context(cli), name)
    assert isinstance(group, click.Group)
    return list(group.commands)


@pytest.mark.parametrize(
    "words",
    only(
        [[], ["secret", "set", "dev"], ["deploy", "dev", "--only"]],
        [[], ["plan"], ["secret"], ["secret", "set", "dev"], ["rotate", "dev"], ["deploy", "dev", "--only"]],
    ),
)
def test_nothing_heavy_is_loaded_for_a_word(user: User, words: list[str]) -> None:
    code = (
        "import json, sys; from gatestack.completion import proposals; "
        f"assert proposals({words!r}, ''); print(json.dumps([m for m in sys.modules]))"
    )
    loaded = set(json.loads(user.call(sys.executable, "-c", code).out))
    assert not loaded & set(HEAVY)


def test_an_option_is_clicks() -> None:
    assert proposals(["plan", "dev"], "--") is None
    assert proposals(["--region"], "") is None


def test_a_real_bash_completes_the_alias_of_the_readme(user: User) -> None:
    lines = (
        "shopt -s expand_aliases",
        f'alias gatestack="{PROGRAM}"',
        'eval "$(_GATESTACK_COMPLETE=bash_source gatestack)"',
        "COMP_WORDS=(gatestack secret get own OPEN); COMP_CWORD=4",
        "_gatestack_completion gatestack OPEN own",
        "printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p gatestack",
    )
    script = user.folder / "complete.sh"
    script.write_text("\n".join(lines))
    done = user.call("bash", str(script))
    words = done.out.splitlines()
    assert (done.code, words[0]) == (0, "OPENAI_API_KEY"), done.err
    assert words[-1].endswith("-F _gatestack_completion gatestack")


@pytest.mark.parametrize(
    ("shell", "runs"),
    [("zsh", "zsh_complete {})"), ("fish", "COMP_CWORD=(commandline -t) {});")],
)
def test_the_functions_of_other_shells_run_the_program_by_its_place(
    user: User, shell: str, runs: str
) -> None:
    done = subprocess.run(
        [PROGRAM],
        env={**user.environment, "_GATESTACK_COMPLETE": f"{shell}_source", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert runs.format(PROGRAM) in done.stdout
    assert "$+commands" not in done.stdout


def test_an_unknown_shell_is_refused(user: User) -> None:
    done = User(user.folder, {"_GATESTACK_COMPLETE": "csh_source"}).run()
    assert (done.code, "bash_source, zsh_source or fish_source" in done.err) == (2, True)
