"""`lint`: cfn-lint on the templates of one environment or of all. It needs no AWS account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from gatestack import telling
from gatestack.environment import FOLDER, SettingsRefused, resolve
from gatestack.findings.printed import STYLE, Examined, examined, print_findings
from gatestack.options import Options
from generator.findings.sarif import Tool
from stacks.bases import environment_files


@click.command()
@click.argument("env", metavar="[ENV]...", nargs=-1)
@click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
@STYLE
@click.pass_obj
def lint(options: Options, env: tuple[str, ...], only: tuple[str, ...], style: str) -> int:
    """
    Check ENV's templates with cfn-lint; errors and warnings both fail.

    Without ENV every environment of the folder environments/ is checked. json, sarif, junit and github name
    the line of the environment's file where a key of it decides, else the line of the template.
    """
    names = env or [str(path) for path in environment_files(FOLDER)]
    if not names:
        raise click.UsageError(f"{FOLDER} has no environment file: give ENV")
    if len(names) == 1:
        return _told([_linted(options, names[0], only, "", style)], style)
    all_of_it, refused = [], []
    for name in names:
        try:
            all_of_it.append(_linted(options, name, only, f"{name}: ", style))
        except SettingsRefused as error:
            refused.append(str(error))
    code = _told(all_of_it, style)
    if refused:
        raise SettingsRefused("\n".join(refused))
    return code


def _told(all_of_it: Sequence[Examined], style: str) -> int:
    """Print the findings in a tool's format; as text they are printed already. Returns the exit code."""
    if style != "text":
        from importlib.metadata import version  # noqa: PLC0415 - the text names no version

        about = "https://github.com/aws-cloudformation/cfn-lint"
        print_findings(all_of_it, style, Tool("cfn-lint", version("cfn-lint"), about, "lint"))
    return 1 if any(one.found for one in all_of_it) else 0


def _linted(options: Options, env: str, only: tuple[str, ...], prefix: str, style: str) -> Examined:
    """Return the findings of one environment; as text they are printed here, each line with *prefix*."""
    from generator import forked  # noqa: PLC0415 - the other commands do not need it
    from generator.lint import ahead, check, kept_for_user, sourced  # noqa: PLC0415

    keep = kept_for_user()
    ask = ahead(keep)
    environment = resolve(env, options.region)
    environment.warn()
    chosen = {name for one in only for name in environment.chosen(one)} or environment.stack_names.keys()
    manifest = environment.manifest()
    manifest = replace(manifest, stacks=tuple(one for one in manifest.stacks if one.name in chosen))
    findings = check(manifest, keep=keep, processes=forked.cores(), ask=ask)
    if environment.settings:
        findings = sourced(findings, environment.settings.added)
    for finding in findings if style == "text" else ():
        click.echo(f"{prefix}{finding}")
        telling.to_agent("error", f"{prefix}{finding}")
    click.echo(f"{prefix}{len(manifest.stacks)} templates, {len(findings)} findings", err=True)
    return examined(environment, env, manifest, findings)
