"""The command table. A command's module is imported when it runs, so `--help` waits for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import click

from deployer.errors import DeployError, untouched
from gatestack import telling
from gatestack.options import Options

COMMANDS: Mapping[str, str] = {
    "generate": "Render ENV's templates and manifest into a folder.",
    "lint": "Check ENV's templates with cfn-lint; errors and warnings fail.",
    "show": "Print ENV's file with every key, and where each value comes from.",
    "graph": "Show ENV's stacks and what passes between them.",
    "cost": "Estimate what ENV costs in a month.",
    "preflight": "Say what account, region, quotas and role will refuse of ENV.",
    "plan": "Show what deploy would change in ENV.",
    "deploy": "Bring ENV to what its file says.",
    "destroy": "Take ENV away, in reverse order.",
    "status": "Show the state of ENV's stacks.",
    "outputs": "Show what ENV's stacks export.",
    "events": "Show what happened in ENV's stacks, oldest first.",
    "watch": "Attach to what goes on in ENV's stacks, until it ends.",
    "drift": "Show what was changed behind CloudFormation's back.",
    "verify": "Check ENV end to end, each finding with what to do.",
    "rotate": "Rotate a secret of ENV now, and wait for it.",
    "rollout": "Start new tasks in ENV and wait until they are steady.",
    "image": "Build the image of ENV's tasks, and push it to ENV's repository.",
    "config": "Show or set ENV's SSM parameters.",
    "secret": "Show or set ENV's secrets; values come from a prompt or stdin.",
    "bootstrap": "Let pipelines deploy ENV: trust, roles, boundary; once for an account.",
    "setup": "Ask for what an environment needs and write its file.",
    "local": "The sandbox: an AWS endpoint on this machine for ENV=local.",
}
"""Command -> its line in `--help`; `gatestack.commands` has a module of that name for each."""
READING = frozenset(
    {
        *("config", "cost", "drift", "events", "graph", "lint", "outputs", "plan", "preflight", "secret"),
        *("show", "status", "verify"),
    }
)
"""Commands whose work is what they print. What the others do is done, whoever reads of it."""


class Region(click.ParamType[str]):
    """The name of an AWS region."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return *value* if there is such a region."""
        from stacks.checking import regions  # noqa: PLC0415 - most commands are told no region

        try:
            return regions.checked(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if parameter.name and value not in (None, False):
        ctx.obj = replace(ctx.obj or Options(), **{parameter.name: value})
    elif ctx.obj is None:
        ctx.obj = Options()


def _global(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_remember, **attributes)


def _global_options(*, hidden: bool) -> list[click.Parameter]:
    """Return the global options: shown once, before the command, and taken after it as well."""
    return [
        _global(
            "--region",
            hidden=hidden,
            type=Region(),
            help="Deploy to this region instead of the environment file's.",
        ),
        _global("--profile", hidden=hidden, help="Credentials: a profile of the AWS configuration files."),
        _global(
            "--poll-interval",
            hidden=hidden,
            type=click.FloatRange(min=0),
            envvar="GATESTACK_POLL_INTERVAL",
            show_envvar=True,
            help="Seconds between two looks at AWS (default: adapts).",
        ),
        _global("--quiet", hidden=hidden, is_flag=True, help="Only results and errors."),
        _global("--verbose", hidden=hidden, is_flag=True, help="Every resource's events."),
        _global("--no-color", hidden=hidden, is_flag=True, help="Plain text."),
    ]


class Commands(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command *cmd_name*."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gatestack.commands.{cmd_name}"), cmd_name)
        for each in (command, *getattr(command, "commands", {}).values()):
            if not any(parameter.name == "region" for parameter in each.params):
                each.params += _global_options(hidden=True)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """
        Run the command; one that was asked for what it prints fails where that is lost.

        One that has asked AWS for nothing has not lost sight of anything: exit code 2.
        """
        try:
            code = super().invoke(ctx)
        except DeployError as error:
            from gatestack.account import nothing_asked  # noqa: PLC0415 - what raised it has imported it

            if nothing_asked():
                raise untouched(error) from error
            raise
        return telling.kept(code or 0) if ctx.invoked_subcommand in READING else code

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help lines from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    params=_global_options(hidden=False),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "color": True},
)
@click.version_option(package_name="gatestack")
def cli() -> None:
    """
    Build your own LLM gateway on AWS from one environment file.

    ENV is a name in environments/ (dev), a path to such a file, or a folder that `generate` wrote.
    """
