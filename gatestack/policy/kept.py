"""Refuses templates that violate the rules of the environment's file, before any call to AWS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatestack.environment import Environment, SettingsRefused
from generator.manifest import Manifest

if TYPE_CHECKING:
    from generator.lint import Finding


class PolicyRefused(SettingsRefused):
    """A template fails a rule of the team's own; nothing was changed."""


def kept_manifest(environment: Environment) -> Manifest:
    """
    Return the templates of *environment*, if they fulfil all rules of its file's ``deployment.policy``.

    A folder was checked when `generate` wrote it, and deploys without the rules: the team's code does not run
    with deploy credentials.

    Raises:
        PolicyRefused: a rule fails; each line says rule, resource, and the file and line to change.
        SettingsRefused: the rules cannot be run.

    """
    manifest = environment.manifest()
    folder = environment.settings.added.policy if environment.settings else None
    if folder is None:
        return manifest
    found = judged(environment, manifest, folder)
    if found:
        from gatestack.findings.printed import examined  # noqa: PLC0415 - only what is refused waits for it

        all_of_it = examined(environment, str(environment.file), manifest, found)
        lines = [f"{one.file}:{one.line or 1}: {one}" for one in all_of_it.found]
        what = f"{len(lines)} {'finding' if len(lines) == 1 else 'findings'} by the rules of {folder}"
        raise PolicyRefused("\n".join([*lines, f"{what} (deployment.policy): nothing was changed"]))
    return manifest


def judged(environment: Environment, manifest: Manifest, folder: Path) -> tuple[Finding, ...]:
    """Return where *manifest* fails the rules in *folder*; raises SettingsRefused where they cannot run."""
    from generator.lint import sourced  # noqa: PLC0415 - most environments have no rules of their own
    from generator.policy.programs import ScanError  # noqa: PLC0415 - as above
    from generator.policy.rules import judged as by_rules  # noqa: PLC0415 - as above
    from generator.policy.rules import read_rules  # noqa: PLC0415 - as above

    try:
        rules = read_rules(folder)
        click.echo(f"running the rules of {folder} with {rules.programs} ...", err=True)
        found = by_rules(rules, manifest)
    except ScanError as error:
        raise SettingsRefused(f"the rules cannot be run: {error}") from error
    return sourced(found, environment.settings.added) if environment.settings else found
