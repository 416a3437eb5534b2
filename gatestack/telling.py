"""
What commands tell beside their result: errors and warnings, outputs, a plan's summary.

At a terminal and in a pipe that is text on stderr. On a CI agent it is the agent's own commands as well
(`gatestack.agents`), on stderr too: stdout stays the result, and JSON.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from deployer.progress import StackOutput
from gatestack import agents
from gatestack.agents import Azure, GitHub, Kind

BUILT = Path("build")
"""Where a summary is written when the agent names no folder of its own."""


def error(text: str, plain: str = "") -> None:
    """Tell why it failed: the last of its lines is the first cause; *plain*: the line where no agent is."""
    if not to_agent("error", text):
        click.echo(plain or f"error: {text}", err=True)


def warning(text: str) -> None:
    """Tell what is allowed but will probably be regretted."""
    if not to_agent("warning", text):
        click.echo(f"warning: {text}", err=True)


def to_agent(kind: Kind, text: str) -> bool:
    """Tell the agent alone, a line an issue; returns whether there is one."""
    here = agents.agent(os.environ)
    if here is None:
        return False
    for one in agents.issues(kind, text):
        click.echo(here.issue(one), err=True)
    return True


def refused(error: click.ClickException) -> None:
    """Tell why click, or a command before it touched anything, refuses."""
    here = agents.agent(os.environ)
    if here is None:
        error.show()
        return
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        click.echo(context.get_usage(), err=True)
    to_agent("error", error.format_message())


def outputs(found: Iterable[StackOutput]) -> None:
    """Make what stacks export variables of the agent; no output of ours is secret."""
    variables(agents.names(found))


def variables(found: Mapping[str, str]) -> None:
    """Make *found* variables of the agent."""
    here = agents.agent(os.environ)
    match here:
        case Azure():
            for name, value in found.items():
                click.echo(here.variable(name, value), err=True)
        case GitHub():
            _append(here.outputs, [here.variable(name, value) for name, value in found.items()])


def summary(markdown: str, name: str) -> None:
    """Put *markdown* on the page of the agent's run; *name* is its title where a title is shown."""
    here = agents.agent(os.environ)
    match here:
        case Azure():
            path = Path(here.folder or BUILT).absolute() / f"{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{markdown}\n", encoding="utf-8")
            click.echo(here.summary(str(path)), err=True)
        case GitHub():
            _append(here.summary, [markdown, ""])


def _append(path: str, lines: list[str]) -> None:
    if path and lines:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
