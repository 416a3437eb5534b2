"""The pages of the documentation: the commands in them, their links and anchors, and which of them exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from gatestack.cli import cli
from tests.places import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OURS = ("gatestack", "make")
SHELL = {"", "sh", "bash", "console"}
"""Languages of fenced blocks whose lines are commands."""
_END = re.compile(r"\s+#\s.*$|\s(?:[|<>&]|&&|\d?>)\s?.*$")
"""The end of a command on its line: a comment, a pipe, a file, another command."""


@dataclass(frozen=True)
class Command:
    """One command in a page."""

    page: str
    line: int
    text: str
    """The command on one line, without what follows it."""

    @property
    def program(self) -> str:
        """Its first word."""
        return self.text.split(maxsplit=1)[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@cache
def commands() -> tuple[Command, ...]:
    """Return every command of ours, in the order of the pages."""
    return tuple(one for page in PAGES for one in _of(page) if one.program in OURS)


@cache
def foreign() -> tuple[Command, ...]:
    """Return every command of another program, in fenced blocks and in code spans of `aws`."""
    return tuple(one for page in PAGES for one in _of(page) if one.program not in OURS)


def _of(page: Path) -> Iterator[Command]:
    name, text = page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
    found = [*_in_spans(name, text), *_in_blocks(name, text)]
    yield from sorted(found, key=lambda one: one.line)


def _in_spans(page: str, text: str) -> Iterator[Command]:
    """Yield the texts in code spans, which may continue on the next line."""
    plain = re.sub(r"(?ms)^\s*```.*?^\s*```", lambda block: "\n" * block[0].count("\n"), text)
    for span in re.finditer(r"`([^`\n]+(?:\n[^`\n]+)*)`", plain):
        words = " ".join(span[1].split())
        if re.match(r"(gatestack|make|aws) \S", words):
            yield Command(page, plain.count("\n", 0, span.start()) + 1, _cut(words))


def _in_blocks(page: str, text: str) -> Iterator[Command]:
    fence: str | None = None
    pending, since = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*```(\w*)", line)
        if mark:
            fence, pending = (mark[1] if fence is None else None), ""
        elif fence in SHELL:
            since = since if pending else number
            pending += line.strip().removesuffix("\\")
            if not line.endswith("\\"):
                yield from _in_line(page, since, pending)
                pending = ""


def _in_line(page: str, number: int, line: str) -> Iterator[Command]:
    for inner in re.findall(r"\$\((gatestack [^)]*)\)", line):
        yield Command(page, number, _cut(inner))
    if re.match(r"(gatestack|make|aws|az|curl|docker|git) \S", line):
        yield Command(page, number, _cut(line))


def _cut(text: str) -> str:
    return _END.sub("", text).strip()


def objection(text: str) -> str:
    """Return why *text*, a command of ours, is invalid; empty if it is valid."""
    words = shlex.split(text)
    return _make_objection(words[1:]) if words[0] == "make" else _own_objection(words[1:])


@cache
def _makefile() -> tuple[frozenset[str], frozenset[str]]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets, variables = re.findall(r"(?m)^([a-z-]+):", text), re.findall(r"\$\((?:if \$\()?([A-Z]+)\)", text)
    return frozenset(targets), frozenset(variables)


def _make_objection(words: Sequence[str]) -> str:
    targets, variables = _makefile()
    for word in words:
        name, sign, _ = word.partition("=")
        if sign and name not in variables:
            return f"the Makefile has no variable {name}"
        if not sign and word not in targets:
            return f"the Makefile has no target {word}"
    return ""


def _own_objection(words: Sequence[str]) -> str:
    command: click.Command = cli
    context = click.Context(cli, info_name="gatestack")
    rest = list(words)
    while isinstance(command, click.Group):
        rest = [*_parsed(command, context, rest)[1]]
        if not rest:
            return ""
        found = command.get_command(context, rest[0])
        if found is None:
            return f"there is no command {rest[0]}"
        command, context, rest = found, click.Context(found, context, info_name=rest[0]), rest[1:]
    try:
        values, operands = _parsed(command, context, rest)
    except click.UsageError as error:
        return error.format_message()
    return _value_objection(command, values) or _operand_objection(command, operands)


def _parsed(
    command: click.Command, context: click.Context, words: list[str]
) -> tuple[Mapping[str, object], list[str]]:
    values, operands, _ = command.make_parser(context).parse_args([*words])
    arguments = [one.name for one in command.params if isinstance(one, click.Argument)]
    given = [str(values[name]) for name in arguments if isinstance(values.get(str(name)), str)]
    return values, [*given, *operands]


def _value_objection(command: click.Command, values: Mapping[str, object]) -> str:
    for parameter in command.params:
        value = values.get(str(parameter.name))
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            wrong = [one for one in value.split("|") if one not in parameter.type.choices]
            if wrong:
                return f"{parameter.opts[0]} takes {', '.join(parameter.type.choices)}, not {wrong[0]}"
    return ""


def _operand_objection(command: click.Command, operands: Sequence[str]) -> str:
    places = [one for one in command.params if isinstance(one, click.Argument)]
    if len(operands) > len(places) and all(one.nargs == 1 for one in places):
        return f"{command.name} takes {len(places)} arguments, not {len(operands)}"
    return ""


def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of *page*'s headings, as GitHub makes them."""
    found = re.findall(r"(?m)^#+ (.+)$", _without_fences(page.read_text(encoding="utf-8")))
    return frozenset(_anchor(heading) for heading in found)


def _anchor(heading: str) -> str:
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def links(page: Path) -> list[str]:
    """Return the links of *page*: pages, pictures, addresses."""
    text = re.sub(r"`[^`\n]*`", "", _without_fences(page.read_text(encoding="utf-8")))
    inline = re.findall(r"\]\(([^)\s]+)\)", text)
    named = re.findall(r"(?m)^\[[^]]+\]: (\S+)$", text)
    pictures = re.findall(r"""(?:src|srcset|href)="([^"]+)\"""", text)
    return [*inline, *named, *pictures]


def _without_fences(text: str) -> str:
    return re.sub(r"(?ms)^\s*```.*?^\s*```", "", text)
