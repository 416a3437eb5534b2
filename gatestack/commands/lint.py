"""`lint`: an environment's templates, checked by cfn-lint. It needs no AWS account."""

from __future__ import annotations

from dataclasses import replace

import click

from gatestack import telling
from gatestack.environment import resolve
from gatestack.options import ENV, Options


@click.command()
@ENV
@click.option("--only", multiple=True, metavar="STACK", help="Only this stack; may be repeated.")
@click.pass_obj
def lint(options: Options, env: str, only: tuple[str, ...]) -> int:
    """Check ENV's templates with cfn-lint; errors and warnings both fail."""
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
        click.echo(str(finding))
        telling.to_agent("error", str(finding))
    click.echo(f"{len(manifest.stacks)} templates, {len(findings)} findings", err=True)
    return 1 if findings else 0
