"""`--help`: every command in its place, every option with a text, examples that are commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from gatestack.cli import COMMANDS, cli
from gatestack.helping.texts import EXAMPLES, GROUPS

GLOBAL = ("--region", "--profile", "--poll-interval", "--sandbox", "--quiet", "--verbose", "--no-color")


def helped(*arguments: str) -> str:
    done = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="gatestack", terminal_width=80)
    assert done.exit_code == 0, done.output
    return done.output


def commands(group: click.Command = cli, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below *group*, with the words that call it."""
    yield before, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            if found := group.get_command(context, name):
                yield from commands(found, *before, name)


ALL = dict(commands())


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_has_a_text_and_the_global_ones_are_listed_with_every_command(
    words: tuple[str, ...],
) -> None:
    page = helped(*words)

    options = [one for one in ALL[words].params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []
    listed = page.partition("Global options:\n")[2]
    assert len(words) > 2 or [name for name in GLOBAL if f"  {name}" not in listed] == []
    assert [line for line in page.splitlines() if len(line) > 80] == []


def test_commands_are_listed_once_by_purpose() -> None:
    listed = [name for names in GROUPS.values() for name in names]
    page = helped()

    assert len(listed) == len(set(listed))
    assert [name for name in COMMANDS if len(re.findall(rf"^  {name} ", page, re.MULTILINE)) != 1] == []


def test_options_of_a_command_with_many_are_put_under_headings() -> None:
    page = helped("deploy")

    headings = [
        "What is deployed:",
        "Consent:",
        "After a failure:",
        "Output:",
        "Global options:",
        "Examples:",
    ]
    assert [line for line in page.splitlines() if line in headings] == headings


def test_every_command_has_examples() -> None:
    assert sorted(COMMANDS.keys() - EXAMPLES.keys()) == [], "write one in gatestack/helping/texts.py"


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_is_a_command_with_options_that_it_has(line: str) -> None:
    called = re.search(r"gatestack ([^)>#]*)", line)
    assert called, line
    words = shlex.split(called[1])

    context = cli.make_context("gatestack", list(words))
    while isinstance(context.command, click.Group):
        group, rest = context.command, [*context._protected_args, *context.args]
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["plna", "dev"], "No such command 'plna'; did you mean plan?"),
        (["deploy", "dev", "--sandbx"], "No such option '--sandbx'. Did you mean '--sandbox'?"),
        (["secret", "sett", "dev"], "No such command 'sett'. Did you mean 'set'?"),
        (["xyzzy"], "No such command 'xyzzy'."),
    ],
)
def test_what_is_mistyped_is_met_with_what_is_like_it(arguments: list[str], refusal: str) -> None:
    done = CliRunner().invoke(cli, arguments, prog_name="gatestack")

    assert (done.exit_code, done.output.splitlines()[-1]) == (2, f"Error: {refusal}")
