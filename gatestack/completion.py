"""
Shell completion: possible words at the cursor. Fast: it loads nothing that a command needs.

The protocol is click's: the shell function, which `_GATESTACK_COMPLETE=bash_source gatestack` prints, runs
the program again with ``bash_complete`` and the words so far; each output line is one proposal.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from gatestack.cli import COMMANDS, cli

if TYPE_CHECKING:
    from stacks.settings import Settings

VARIABLE = "_GATESTACK_COMPLETE"
PROGRAM = "gatestack"
FOLDER = Path("environments")
"""As in `gatestack.environment`, which takes longer to load than all of this."""

Words = Callable[[str, str], Iterable[str]]
"""The possible words after a command with its subcommand, and ENV."""


def answer(instruction: str) -> int:
    """Print what the shell asks for by *instruction*, like ``bash_complete``; returns the exit code."""
    shell, _, what = instruction.partition("_")
    usual = get_completion_class(shell)
    if usual is None or what not in {"source", "complete"}:
        click.echo(f"error: {VARIABLE} is {instruction}: bash_source, zsh_source or fish_source", err=True)
        return 2
    found = _quick(usual)(cli, {}, PROGRAM, VARIABLE)
    click.echo(_with_place(found.source()) if what == "source" else found.complete())
    return 0


def _quick(usual: type[ShellComplete]) -> type[ShellComplete]:
    """Return the class *usual* with our proposals added, and click's elsewhere."""

    class Quick(usual):  # type: ignore[valid-type,misc] # a class that is only known now
        def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
            found = proposals(args, incomplete)
            if found is None:
                return list(super().get_completions(args, incomplete))
            fitting = (word for word in found if word.startswith(incomplete))
            helps = COMMANDS if found is COMMANDS else {}
            return [CompletionItem(word, help=helps.get(word)) for word in fitting]

    return Quick


def _with_place(script: str) -> str:
    """
    Return *script* with the program's path: what is typed may be an alias.

    click's function for bash runs the first word of the line, the others the program's name.
    """
    called = Path(sys.argv[0])
    place = shutil.which(sys.argv[0]) or (str(called) if called.is_file() else None)
    if place is None or called.suffix == ".py":
        return script
    program = shlex.quote(os.path.abspath(place))  # noqa: PTH100 - the name that was called, links and all
    lines = (line for line in script.splitlines() if "$+commands[" not in line)
    text = "\n".join(lines) + "\n"
    for shell, name in (("bash", "$1"), ("zsh", PROGRAM)):
        text = text.replace(f"{VARIABLE}={shell}_complete {name})", f"{VARIABLE}={shell}_complete {program})")
    return text.replace(f"COMP_CWORD=(commandline -t) {PROGRAM})", f"COMP_CWORD=(commandline -t) {program})")


def proposals(words: Sequence[str], incomplete: str) -> Iterable[str] | None:
    """Return the possible words after *words*; None to leave it to click: options and their values."""
    rest = _without_global_options(words)
    if rest is None or incomplete.startswith("-"):
        return None
    if not rest:
        return COMMANDS
    if rest[-1] in {"--only", "--stack"}:
        return _stacks((_positions(rest[:-1], rest[0]) or [""])[0])
    below = [path.partition(" ")[2] for path in PLACES if path.startswith(f"{rest[0]} ")]
    if below and len(rest) == 1:
        return below
    path = " ".join(rest[:2]) if below else rest[0]
    given = _positions(rest, path)
    if given is None or path not in PLACES or len(given) >= len(PLACES[path]):
        return None
    return sorted(set(PLACES[path][len(given)](path, *(given[:1] or [""]))))


def _without_global_options(words: Sequence[str]) -> list[str] | None:
    """Return *words* from the command on; None if an option still needs its value."""
    takes = {name for one in cli.params if not getattr(one, "is_flag", True) for name in one.opts}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        if rest[0] in takes:
            if len(rest) == 1:
                return None
            del rest[0]
        del rest[0]
    return rest


def _positions(words: Sequence[str], path: str) -> list[str] | None:
    """Return the arguments in *words* after *path*, without options; None: an option needs a value."""
    rest = list(words[len(path.split()) :])
    if not any(word.startswith("-") for word in rest):
        return rest
    takes = _taking_values(path)
    found, wanted = [], False
    for word in rest:
        if wanted:
            wanted = False
        elif word.startswith("-"):
            wanted = word in takes
        else:
            found.append(word)
    return None if wanted else found


def _taking_values(path: str) -> frozenset[str]:
    command: click.Command | None = cli
    for name in path.split():
        assert isinstance(command, click.Group)  # noqa: S101 - paths of PLACES only
        command = command.get_command(click.Context(command), name)
    options = [one for one in command.params if isinstance(one, click.Option)] if command else []
    return frozenset(name for one in options if not one.is_flag for name in one.opts)


def environments(_: str, __: str) -> Iterable[str]:
    """
    Return the possible words for ENV here: the environments by name, and the folders that `generate` wrote.
    """
    from stacks.bases import environment_files  # noqa: PLC0415 - YAML only if there are files

    built = (str(one.parent) for one in sorted(Path("build").glob("*/manifest.json")))
    return [*(path.stem for path in environment_files(FOLDER)), *built]


def _stacks(env: str) -> Iterable[str]:
    from stacks import STACKS  # noqa: PLC0415 - the one answer that needs it

    settings = _settings(env)
    return [*STACKS, *(one.name for one in settings.extend.stacks)] if settings else STACKS


def _sandbox_stacks(_: str, __: str) -> Iterable[str]:
    return _stacks("local")


def _quotas(_: str, __: str) -> Iterable[str]:
    from sandbox.rules.quotas.table import BY_WORD  # noqa: PLC0415 - the one answer that needs it

    return BY_WORD


def _secrets(path: str, env: str) -> Iterable[str]:
    from gatestack.catalogue import catalogue, rotations  # noqa: PLC0415 - few words are a secret's
    from stacks import task_secrets  # noqa: PLC0415

    application = _application(env)
    if application is None:
        return []
    if path == "rotate":
        return rotations(application)
    settings = _settings(env)
    put_in = task_secrets.put_in(settings) if settings else ()
    names: list[str] = []
    for name, kind in catalogue(application, put_in).items():
        if path != "secret set" or not kind.refusal:
            names += [name, *(f"{name}/{key}" for key in kind.keys), *kind.keys]
    return [name for name in names if names.count(name) == 1]


def _parameters(_: str, env: str) -> Iterable[str]:
    application = _application(env)
    return [] if application is None else [*application.shown, *application.located, *_own_parameters(env)]


def _own_parameters(env: str) -> Iterable[str]:
    settings = _settings(env)
    return settings.service.parameters if settings else []


def _settings(env: str) -> Settings | None:
    """Return the settings of the file of *env*; None if it is missing, or invalid."""
    from stacks.environment import EnvironmentFileError, load  # noqa: PLC0415 - slower than all the rest

    try:
        return load(_file(env))
    except EnvironmentFileError:
        return None


def _application(env: str) -> Any:
    """Return the application of the system of *env*, by name or path; None if unknown."""
    from stacks.bases import named  # noqa: PLC0415 - as above
    from stacks.systems import MODULES, application  # noqa: PLC0415

    system = named(_file(env)).system
    return application(system) if system in MODULES else None


def _file(env: str) -> Path:
    named = FOLDER / f"{env}.yaml"
    return named if named.is_file() else Path(env)


NO_ENVIRONMENT = frozenset({"config", "secret", "setup", "init", "schema", "docs", "local"})
"""Commands without ENV."""
PLACES: Mapping[str, Sequence[Words]] = {
    **{name: (environments,) for name in COMMANDS if name not in NO_ENVIRONMENT},
    "rotate": (environments, _secrets),
    "secret list": (environments,),
    "secret get": (environments, _secrets),
    "secret set": (environments, _secrets),
    "config list": (environments,),
    "config get": (environments, _parameters),
    "config set": (environments, _parameters),
    **{f"local {name}": () for name in ("start", "stop", "status", "env")},
    **{f"local {name}": (_sandbox_stacks,) for name in ("fail", "slow", "drift")},
    **{f"local {name}": () for name in ("throttle", "lose", "expire", "act-as", "reset", "provide")},
    "local quota": (_quotas,),
}
"""The words after each command: known without loading it, and compared with it by a test."""
