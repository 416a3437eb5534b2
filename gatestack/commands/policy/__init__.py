"""`policy`: checks an environment's templates against a team's own rules. It needs no AWS account."""

from __future__ import annotations

from pathlib import Path

import click

from gatestack import telling
from gatestack.environment import SettingsRefused, resolve
from gatestack.findings.printed import STYLE, examined, print_findings
from gatestack.options import ENV, Options
from gatestack.policy.kept import judged
from generator.findings.sarif import Tool


@click.command()
@ENV
@click.option(
    "--rules",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Folder of the rules; default: deployment.policy of ENV's file.",
)
@STYLE
@click.pass_obj
def policy(options: Options, env: str, folder: Path | None, style: str) -> int:
    """
    Check ENV's templates with your own rules; each that fails names rule, resource and settings key.

    *.guard are rules of cfn-guard, *.py and *.yaml checks of checkov. A program has to be installed where the
    folder has rules for it; it runs without credentials.
    """
    environment = resolve(env, options.region)
    said = folder or (environment.settings.added.policy if environment.settings else None)
    if said is None:
        raise SettingsRefused(
            f"{env} names no rules: give --rules DIR, or write deployment.policy in its file"
        )
    manifest = environment.manifest()
    found = judged(environment, manifest, said)
    if style == "text":
        for finding in found:
            click.echo(str(finding))
            telling.to_agent("error", str(finding))
    else:
        all_of_it = [examined(environment, env, manifest, found)]
        from importlib.metadata import version  # noqa: PLC0415 - the text names no version

        about = "https://docs.aws.amazon.com/cfn-guard/latest/ug/what-is-guard.html"
        print_findings(all_of_it, style, Tool("gatestack-policy", version("gatestack"), about, "policy"))
    click.echo(f"{len(manifest.stacks)} templates, {len(found)} findings", err=True)
    return 1 if found else 0
