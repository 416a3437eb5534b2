"""Prints findings in the chosen format, with the files and lines to change."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from gatestack import agents, telling
from gatestack.environment import Environment, built_folder
from generator.findings.located import About, Located, Sources
from generator.findings.sarif import Tool
from generator.manifest import Manifest

STYLES = ("text", "json", "sarif", "junit", "github")
STYLE = click.option(
    "--format",
    "style",
    type=click.Choice(STYLES),
    default="text",
    help="text; json; sarif (2.1.0); junit; github: annotations of GitHub Actions.",
)


@dataclass(frozen=True)
class Examined:
    """One environment's templates and what was found in them."""

    environment: str
    stacks: tuple[str, ...]
    found: tuple[Located, ...]


def examined(environment: Environment, argument: str, manifest: Manifest, found: Sequence[About]) -> Examined:
    """Return *found* in the templates of *environment*, with places; *argument*: its name in the command."""
    texts = {stack.name: stack.template for stack in manifest.stacks}
    located = tuple(_sources(environment, argument, texts).locate(found)) if found else ()
    return Examined(environment.name, tuple(texts), located)


def _sources(environment: Environment, argument: str, texts: Mapping[str, str]) -> Sources:
    if environment.settings is None or environment.file is None:
        return Sources(environment.name, built_folder(argument) or Path(argument), texts)
    from stacks.environment import loaded  # noqa: PLC0415 - a rendered folder does without settings

    _, tree = loaded(environment.file)
    folder = telling.BUILT / Path(argument).stem
    patches = environment.settings.added.patches
    return Sources(environment.name, folder, texts, environment.file, tree, patches)


def print_findings(all_of_it: Sequence[Examined], style: str, tool: Tool) -> None:
    """Print what was found as *style* says: any of `STYLES` but text."""
    found = [one for each in all_of_it for one in each.found]
    if style == "json":
        telling.document(_json(all_of_it))
        return
    root = agents.root(os.environ, Path.cwd())
    rooted = [replace(one, file=_below(root, one.file)) for one in found]
    if style == "sarif":
        from generator.findings.sarif import sarif  # noqa: PLC0415 - no other form waits for it

        telling.document(sarif(rooted, tool))
    elif style == "junit":
        from generator.findings.junit import junit  # noqa: PLC0415 - as above

        stacks = {each.environment: each.stacks for each in all_of_it}
        click.echo(junit(rooted, stacks, datetime.now(UTC)))
    else:
        telling.commands(_annotations(rooted))


def _json(all_of_it: Iterable[Examined]) -> str:
    document = [
        {
            "environment": each.environment,
            "templates": list(each.stacks),
            "findings": [asdict(one) for one in each.found],
        }
        for each in all_of_it
    ]
    return json.dumps({"environments": document}, indent=2)


def _annotations(found: Iterable[Located]) -> Iterable[str]:
    """Yield a command of GitHub Actions for each finding."""
    for one in found:
        kind: agents.Kind = "error" if one.level == "error" else "warning"
        line = str(one.line) if one.line else ""
        yield agents.GitHub().issue(agents.Issue(kind, str(one), one.file, line))


def _below(root: Path, file: str) -> str:
    """Return *file* relative to *root*, the repository's folder; unchanged if it is elsewhere."""
    whole = Path(os.path.normpath(Path.cwd() / file))
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else whole.as_posix()
