"""Command-line options: the global ones, and those that most commands share."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import click

RESULT = "How the result is printed (default: text)."
ENV = click.argument("env")
FORMAT = click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", help=RESULT)


@dataclass(frozen=True)
class Options:
    """The global options, as given before or after the command."""

    region: str | None = None
    profile: str | None = None
    poll_interval: float | None = None
    """Seconds between two polls of AWS; left out: the deployer adapts."""
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    sandbox: bool = False
    """Whether to use the sandbox, whatever the environment."""

    def called(self, env: str) -> str:
        """Return *env* for the next command, with those of these options that select the environment."""
        named = {"--region": self.region, "--profile": self.profile}
        more = [each for name, value in named.items() if value for each in (name, value)]
        return shlex.join([env, *more, *(["--sandbox"] if self.sandbox else [])])


def on_sandbox() -> bool:
    """Whether the running command uses the sandbox, whatever the environment."""
    context = click.get_current_context(silent=True)
    options = context.find_object(Options) if context else None
    return options is not None and options.sandbox
