"""The command table. A command's module is imported only when it runs, so `--help` is fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import click

from deployer.errors import DeployError, untouched
from gatestack import telling
from gatestack.helping.page import Page
from gatestack.helping.texts import GROUPS
from gatestack.options import Options

COMMANDS: Mapping[str, str] = {
    "generate": "Render ENV's templates and manifest into a folder.",
    "lint": "Check ENV's templates with cfn-lint; errors and warnings fail.",
    "policy": "Check ENV's templates with your own rules: cfn-guard's and checkov's.",
    "show": "Print ENV's file with every key, and where each value comes from.",
    "graph": "Show ENV's stacks with their exports and imports.",
    "cost": "Estimate the monthly cost of ENV.",
    "preflight": "Check account, region, quotas, credentials and role for ENV, read-only.",
    "plan": "Show what deploy would change in ENV.",
    "deploy": "Deploy ENV as its file describes.",
    "destroy": "Delete ENV's stacks, in reverse order.",
    "status": "Show the state of ENV's stacks.",
    "outputs": "Show what ENV's stacks export.",
    "events": "Show ENV's stack events, oldest first.",
    "watch": "Attach to the operation in progress in ENV, until it ends.",
    "drift": "Show changes made outside CloudFormation.",
    "verify": "Check ENV's health end to end; each finding has a remedy.",
    "rotate": "Rotate a secret of ENV now, and wait until it is done.",
    "rollout": "Start new tasks in ENV and wait until they are steady.",
    "image": "Build ENV's container image, and push it to ENV's ECR repository.",
    "config": "Show or set ENV's SSM parameters.",
    "secret": "Show or set ENV's secrets; values come from a prompt or stdin.",
    "bootstrap": "Set up CI access for ENV: OIDC trust, roles, boundary; once per account and region.",
    "setup": "Ask a few questions and write an environment file.",
    "init": "Write a repository of your own: environments, an example extension, pipelines.",
    "schema": "Print the JSON Schema of environment files, or of plans.",
    "docs": "Print a page of the documentation; without PAGE, list them.",
    "local": "The sandbox: an AWS endpoint on this machine for ENV=local and --sandbox.",
}
"""Command -> its line in `--help`; `gatestack.commands` has a module of that name for each."""
LONGEST = max(map(len, COMMANDS))
READING = frozenset(
    {
        *("config", "cost", "drift", "events", "graph", "lint", "outputs", "plan", "policy", "preflight"),
        *("docs", "schema", "secret", "show", "status", "verify"),
    }
)
"""Commands whose result is their output. Those of others are done whether or not anybody reads it."""


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


def _global_options() -> list[click.Parameter]:
    """Return the global options, which are taken before the command and after it."""
    return [
        _global(
            "--region",
            type=Region(),
            help="Deploy to this region instead of the environment file's.",
        ),
        _global("--profile", help="Credentials: a profile of the AWS configuration files."),
        _global(
            "--poll-interval",
            type=click.FloatRange(min=0),
            envvar="GATESTACK_POLL_INTERVAL",
            show_envvar=True,
            help="Seconds between two polls of AWS (default: adaptive).",
        ),
        _global(
            "--sandbox",
            is_flag=True,
            envvar="GATESTACK_SANDBOX",
            show_envvar=True,
            help="Use the sandbox on this machine instead of AWS, whatever ENV is.",
        ),
        _global("--quiet", is_flag=True, help="Print results and errors only."),
        _global("--verbose", is_flag=True, help="Print the events of every resource."),
        _global("--no-color", is_flag=True, help="Print without colors."),
    ]


class Commands(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    context_class = Page

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command *cmd_name*."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gatestack.commands.{cmd_name}"), cmd_name)
        for each in (command, *getattr(command, "commands", {}).values()):
            each.context_class = Page
            if not any(parameter.name == "region" for parameter in each.params):
                each.params += _global_options()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* begin with; a refusal suggests a similar one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 - only for mistyped names

            near = get_close_matches(args[0], COMMANDS)
            if isinstance(error, click.NoSuchOption) or not near:
                raise
            ctx.fail(f"No such command {args[0]!r}; did you mean {' or '.join(near)}?")

    def invoke(self, ctx: click.Context) -> Any:
        """
        Run the command; one whose result is its output fails if that is lost.

        One without requests to AWS cannot lose sight: exit code 2.
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
        """Write the help lines from the table, by purpose."""
        listed = {name for names in GROUPS.values() for name in names}
        others = tuple(name for name in COMMANDS if name not in listed)
        for heading, names in {**GROUPS, "Other": others}.items():
            if not names:
                continue
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(LONGEST), COMMANDS[name]) for name in names])


@click.group(
    cls=Commands,
    params=_global_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "color": True},
)
@click.version_option(package_name="gatestack")
def cli() -> None:
    """
    Build your own LLM gateway on AWS from one environment file.

    ENV is a name in environments/ (dev), a path to such a file, or a folder that `generate` wrote. Global
    options are taken before the command and after it. More of a command: `gatestack COMMAND --help`.
    """
