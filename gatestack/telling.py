"""
What commands report besides their result: errors and warnings, outputs, a plan's summary.

On a terminal and in a pipe that is text on stderr. On a CI agent it is also the agent's own commands
(`gatestack.agents`), on stderr too: stdout has only the result, or JSON.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deployer.scrub import scrubbed
from gatestack import agents, gate
from gatestack.agents import Azure, GitHub, Kind
from gatestack.gate import Gate
from generator.foreign import write_private

if TYPE_CHECKING:
    from deployer.progress import StackOutput

BUILT = Path("build")
"""Where a summary is written when the agent names no folder of its own."""


def document(text: str, *, revealed: bool = False) -> None:
    """Print JSON of ours; *revealed*: with a secret that the user asked for."""
    stream = sys.stdout
    if isinstance(stream, Gate):
        stream.document(text, revealed=revealed)
    else:
        click.echo(text)


def exact(text: str) -> None:
    """Print a secret that the user asked for, as it is."""
    stream = sys.stdout
    if isinstance(stream, Gate):
        stream.exact(text)
    else:
        click.echo(text)


def kept(code: int) -> int:
    """Return *code* of a command whose result is its output; 1 if some of that was lost."""
    why = gate.not_whole()
    if why:
        error(why)
    return code or (1 if why else 0)


def _command(line: str) -> None:
    stream = sys.stderr
    if isinstance(stream, Gate):
        stream.command(line)
    else:
        click.echo(line, err=True)


def commands(lines: Iterable[str]) -> None:
    """Print commands of an agent as the result: on stdout, which the agent reads."""
    stream = sys.stdout
    for line in lines:
        if isinstance(stream, Gate):
            stream.command(line)
        else:
            click.echo(line)


def error(text: str, plain: str = "") -> None:
    """Report why it failed: the last of its lines is the first cause; *plain*: the line without an agent."""
    if not to_agent("error", text):
        click.echo(plain or f"error: {text}", err=True)


def warning(text: str) -> None:
    """Warn of what is allowed but probably a mistake."""
    if not to_agent("warning", text):
        click.echo(f"warning: {text}", err=True)


def on_agent() -> bool:
    """Return whether a CI agent runs this process."""
    return agents.agent(os.environ) is not None


def to_agent(kind: Kind, text: str) -> bool:
    """Report to the agent only, a line an issue; returns whether there is one."""
    here = agents.agent(os.environ)
    if here is None:
        return False
    for one in agents.issues(kind, gate.told(text)):
        _command(here.issue(one))
    return True


def refused(error: click.ClickException) -> None:
    """Report a refusal of click, or of a command before it changed anything."""
    here = agents.agent(os.environ)
    if here is None:
        error.show()
        return
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        click.echo(context.get_usage(), err=True)
    to_agent("error", error.format_message())


def outputs(found: Iterable[StackOutput]) -> None:
    """Make the stacks' exports variables of the agent; no output of ours is secret."""
    variables(agents.names(found))


def variables(found: Mapping[str, str]) -> None:
    """Make *found* variables of the agent."""
    here = agents.agent(os.environ)
    match here:
        case Azure():
            for name, value in found.items():
                _command(here.variable(name, value))
        case GitHub():
            values = {name: scrubbed(value) for name, value in found.items()}
            _append(here.outputs, [here.variable(name, value) for name, value in values.items()])


def summary(markdown: str, name: str) -> None:
    """Put *markdown* on the page of the agent's run; *name*: its title, if one is shown."""
    here = agents.agent(os.environ)
    page = gate.told(markdown)
    match here:
        case Azure():
            path = Path(here.folder or BUILT).absolute() / f"{name}.md"
            write_private(path, f"{page}\n".encode())
            _command(here.summary(str(path)))
        case GitHub():
            _append(here.summary, [page, ""])


def _append(path: str, lines: list[str]) -> None:
    if path and lines:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
