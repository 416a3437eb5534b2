"""`lint`: templates of one environment or of all, checked by cfn-lint. It needs no AWS account."""

from __future__ import annotations

from dataclasses import replace

import click

from gatestack import telling
from gatestack.environment import FOLDER, SettingsRefused, resolve
from gatestack.options import Options
from stacks.bases import environment_files


@click.command()
@click.argument("env", metavar="[ENV]...", nargs=-1)
@click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
@click.pass_obj
def lint(options: Options, env: tuple[str, ...], only: tuple[str, ...]) -> int:
    """
    Check ENV's templates with cfn-lint; errors and warnings both fail.

    Without ENV every environment of the folder environments/ is checked.
    """
    if len(env) == 1:
        return _linted(options, env[0], only)
    names = env or [str(path) for path in environment_files(FOLDER)]
    if not names:
        raise click.UsageError(f"{FOLDER} has no environment file: give ENV")
    codes, refused = [], []
    for name in names:
        try:
            codes.append(_linted(options, name, only, f"{name}: "))
        except SettingsRefused as error:
            refused.append(str(error))
    if refused:
        raise SettingsRefused("\n".join(refused))
    return max(codes)


def _linted(options: Options, env: str, only: tuple[str, ...], prefix: str = "") -> int:
    """Tell the findings of one environment, each line with *prefix*; returns the exit code."""
    from generator import forked  # noqa: PLC0415 - the other commands do without
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
    for finding in findings:
        click.echo(f"{prefix}{finding}")
        telling.to_agent("error", f"{prefix}{finding}")
    click.echo(f"{prefix}{len(manifest.stacks)} templates, {len(findings)} findings", err=True)
    return 1 if findings else 0
